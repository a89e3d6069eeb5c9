// A minimal client of the format, on standard input: creates, writes and reads an eventfd in the server. Its argument
// is the server's file descriptor for its end. x86_64.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void put(const void *bytes, size_t len) {
    if (write(0, bytes, len) != (ssize_t)len) exit(10);
}

static void get(void *bytes, size_t len) {
    for (size_t have = 0; have < len;) {
        ssize_t n = read(0, (char *)bytes + have, len - have);
        if (n <= 0) exit(11);
        have += (size_t)n;
    }
}

static void ask(int64_t nr, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e) {
    int64_t request[7] = {nr, a, b, c, d, e, 0};
    put(request, sizeof request);
}

static int64_t response(void) {
    int64_t word;
    get(&word, sizeof word);
    return word;
}

int main(int argc, char **argv) {
    int64_t stream = argc > 1 ? atoi(argv[1]) : 0;
    uint64_t count = 5;
    ask(SYS_eventfd2, 2, 02000000, 0, 0, 0);
    int64_t fd = response();
    if (fd < 0) return 1;
    ask(SYS_mmap, 0, 4096, 3, 0x22, -1);
    int64_t memory = response();
    if (memory < 0 && memory > -4096) return 2;
    ask(SYS_recvfrom, stream, memory, 8, 0x100, 0);
    put(&count, 8);
    if (response() != 8) return 3;
    ask(SYS_write, fd, memory, 8, 0, 0);
    if (response() != 8) return 4;
    ask(SYS_read, fd, memory, 8, 0, 0);
    if (response() != 8) return 5;
    ask(SYS_sendto, stream, memory, 8, 0, 0);
    get(&count, 8);
    if (response() != 8 || count != 7) return 6;
    ask(SYS_getpid, 0, 0, 0, 0, 0);
    if (response() != -1) return 7; // not allowed: EPERM
    ask(SYS_close, fd, 0, 0, 0, 0);
    if (response() != 0) return 8;
    ask(SYS_munmap, memory, 4096, 0, 0, 0);
    return response() == 0 ? 0 : 9;
}
