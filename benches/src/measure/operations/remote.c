// A minimal client and server of the format: prints the nanoseconds of one getpid, made `depth` at a time. A third
// argument is the processor of the server, a fourth one the microseconds of SO_RCVTIMEO.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void all(int fd, void *bytes, size_t len) {
    for (size_t have = 0; have < len;) {
        ssize_t n = read(fd, (char *)bytes + have, len - have);
        if (n <= 0) _exit(0);
        have += (size_t)n;
    }
}

static void serve(int fd) {
    int64_t request[7], response;
    for (;;) {
        all(fd, request, sizeof request);
        response = syscall(request[0], request[1], request[2], request[3], request[4], request[5], request[6]);
        if (response == -1) response = -errno;
        if (write(fd, &response, sizeof response) != sizeof response) _exit(1);
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    int calls = atoi(argv[1]), depth = atoi(argv[2]), pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
    if (fork() == 0) {
        close(pair[0]);
        if (argc > 3) {
            cpu_set_t set;
            CPU_ZERO(&set);
            CPU_SET(atoi(argv[3]), &set);
            if (sched_setaffinity(0, sizeof set, &set)) return 3;
        }
        serve(pair[1]);
    }
    close(pair[1]);
    if (argc > 4) {
        struct timeval limit = {0, atoi(argv[4])};
        if (setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)) return 4;
    }
    int64_t request[7] = {SYS_getpid}, response;
    double start = 0;
    for (int i = -calls / 10; i < calls; i += depth) {
        if (start == 0 && i >= 0) start = now();
        for (int j = 0; j < depth; j++)
            if (write(pair[0], request, sizeof request) != sizeof request) return 2;
        for (int j = 0; j < depth; j++) all(pair[0], &response, sizeof response);
    }
    printf("%.1f\n", (now() - start) / calls);
}
