// Creates an eventfd, writes, reads, verifies, closes, exits: C without a library, one macro for the instruction, in
// the manner of the kernel's nolibc.

#if defined(__x86_64__)
enum { eventfd2 = 290, write = 1, read = 0, close = 3, exit_group = 231 };
static inline long call(long nr, long a, long b, long c) {
    long ret;
    __asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return ret;
}
#elif defined(__aarch64__)
enum { eventfd2 = 19, write = 64, read = 63, close = 57, exit_group = 94 };
static inline long call(long nr, long a, long b, long c) {
    register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
#elif defined(__riscv)
enum { eventfd2 = 19, write = 64, read = 63, close = 57, exit_group = 94 };
static inline long call(long nr, long a, long b, long c) {
    register long a7 __asm__("a7") = nr, a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
    return a0;
}
#endif

void _start(void) {
    int wrong = 1;
    long fd = call(eventfd2, 0, 02000000, 0);
    if (fd >= 0) {
        unsigned long long value = 7, count;
        if (call(write, fd, (long)&value, 8) == 8 && call(read, fd, (long)&count, 8) == 8)
            wrong = count != 7;
        call(close, fd, 0, 0);
    }
    for (;;)
        call(exit_group, wrong, 0, 0);
}
