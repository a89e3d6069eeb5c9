// Creates an eventfd, writes, reads, verifies, closes, exits: with the C library.
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int main(void) {
    int wrong = 1;
    int fd = eventfd(0, EFD_CLOEXEC);
    if (fd >= 0) {
        uint64_t value = 7, count;
        if (write(fd, &value, 8) == 8 && read(fd, &count, 8) == 8)
            wrong = count != 7;
        close(fd);
    }
    return wrong;
}
