//! Creates an eventfd, writes, reads, verifies, closes, exits: all in assembly by hand, written to be small.
#![no_std]
#![no_main]

// The descriptor is in ebx, the memory at rsp, the status in ebp. An error counts as a wrong result.
#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "push 1",
    "pop rbp", // wrong until it is right
    "mov esi, 0x80000",
    "xor edi, edi",
    "mov eax, 290", // eventfd2
    "syscall",
    "test eax, eax",
    "js 3f",
    "mov ebx, eax",
    "push 7",
    "push rsp",
    "pop rsi",
    "push 8",
    "pop rdx",
    "mov edi, ebx",
    "push 1",
    "pop rax", // write
    "syscall",
    "cmp eax, edx",
    "jne 2f",
    "mov edi, ebx",
    "xor eax, eax", // read
    "syscall",
    "cmp eax, edx",
    "jne 2f",
    "cmp qword ptr [rsi], 7",
    "jne 2f",
    "xor ebp, ebp",
    "2:",
    "mov edi, ebx",
    "push 3",
    "pop rax", // close
    "syscall",
    "3:",
    "mov edi, ebp",
    "mov eax, 231", // exit_group
    "syscall",
    "jmp 3b",
);

// The descriptor is in x19, the memory at sp, the status in x20.
#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "mov w20, 1", // wrong until it is right
    "mov x1, 0x80000",
    "mov x0, 0",
    "mov x8, 19", // eventfd2
    "svc 0",
    "tbnz w0, 31, 3f",
    "mov w19, w0",
    "mov x3, 7",
    "str x3, [sp, -16]!",
    "mov x1, sp",
    "mov x2, 8",
    "mov x8, 64", // write
    "svc 0",
    "cmp x0, 8",
    "b.ne 2f",
    "mov w0, w19",
    "mov x8, 63", // read
    "svc 0",
    "cmp x0, 8",
    "b.ne 2f",
    "ldr x3, [sp]",
    "cmp x3, 7",
    "cset w20, ne",
    "2:",
    "mov w0, w19",
    "mov x8, 57", // close
    "svc 0",
    "3:",
    "mov w0, w20",
    "mov x8, 94", // exit_group
    "svc 0",
    "b 3b",
);

// The descriptor is in s0, the memory at sp, the status in s1.
#[cfg(target_arch = "riscv64")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "li s1, 1", // wrong until it is right
    "lui a1, 0x80",
    "li a0, 0",
    "li a7, 19", // eventfd2
    "ecall",
    "bltz a0, 3f",
    "mv s0, a0",
    "li a3, 7",
    "addi sp, sp, -16",
    "sd a3, 0(sp)",
    "mv a1, sp",
    "li a2, 8",
    "li a7, 64", // write
    "ecall",
    "bne a0, a2, 2f",
    "mv a0, s0",
    "li a7, 63", // read
    "ecall",
    "bne a0, a2, 2f",
    "ld a3, 0(sp)",
    "addi a3, a3, -7",
    "snez s1, a3",
    "2:",
    "mv a0, s0",
    "li a7, 57", // close
    "ecall",
    "3:",
    "mv a0, s1",
    "li a7, 94", // exit_group
    "ecall",
    "j 3b",
);

// The descriptor is in s0, the memory at sp, the status in s1.
#[cfg(target_arch = "loongarch64")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "li.w $s1, 1", // wrong until it is right
    "lu12i.w $a1, 0x80",
    "move $a0, $zero",
    "li.w $a7, 19", // eventfd2
    "syscall 0",
    "bltz $a0, 3f",
    "move $s0, $a0",
    "li.w $a3, 7",
    "addi.d $sp, $sp, -16",
    "st.d $a3, $sp, 0",
    "move $a1, $sp",
    "li.w $a2, 8",
    "li.w $a7, 64", // write
    "syscall 0",
    "bne $a0, $a2, 2f",
    "move $a0, $s0",
    "li.w $a7, 63", // read
    "syscall 0",
    "bne $a0, $a2, 2f",
    "ld.d $a3, $sp, 0",
    "addi.d $a3, $a3, -7",
    "sltu $s1, $zero, $a3",
    "2:",
    "move $a0, $s0",
    "li.w $a7, 57", // close
    "syscall 0",
    "3:",
    "move $a0, $s1",
    "li.w $a7, 94", // exit_group
    "syscall 0",
    "b 3b",
);

// The descriptor is in r8, the memory at r15, the status in r9. A number below 256 is part of the instruction.
#[cfg(target_arch = "s390x")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "lghi %r9, 1", // wrong until it is right
    "llilh %r3, 8",
    "lghi %r2, 0",
    "lghi %r1, 323", // eventfd2
    "svc 0",
    "ltr %r8, %r2",
    "jl 3f",
    "lghi %r5, 7",
    "aghi %r15, -8",
    "stg %r5, 0(%r15)",
    "lgr %r3, %r15",
    "lghi %r4, 8",
    "svc 4", // write
    "cgr %r2, %r4",
    "jne 2f",
    "lr %r2, %r8",
    "svc 3", // read
    "cgr %r2, %r4",
    "jne 2f",
    "cg %r5, 0(%r15)",
    "jne 2f",
    "lghi %r9, 0",
    "2:",
    "lr %r2, %r8",
    "svc 6", // close
    "3:",
    "lgr %r2, %r9",
    "svc 248", // exit_group
    "j 3b",
);

// The descriptor is in r30, the memory at r1, the status in r31.
#[cfg(target_arch = "powerpc64")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "li 31, 1", // wrong until it is right
    "lis 4, 8",
    "li 3, 0",
    "li 0, 314", // eventfd2
    "sc",
    "bso 3f",
    "mr 30, 3",
    "li 5, 7",
    "stdu 5, -16(1)",
    "mr 4, 1",
    "li 5, 8",
    "li 0, 4", // write
    "sc",
    "bso 2f",
    "cmpdi 3, 8",
    "bne 2f",
    "mr 3, 30",
    "mr 4, 1",
    "li 5, 8",
    "li 0, 3", // read
    "sc",
    "bso 2f",
    "cmpdi 3, 8",
    "bne 2f",
    "ld 3, 0(1)",
    "cmpdi 3, 7",
    "bne 2f",
    "li 31, 0",
    "2:",
    "mr 3, 30",
    "li 0, 6", // close
    "sc",
    "3:",
    "mr 3, 31",
    "li 0, 234", // exit_group
    "sc",
    "b 3b",
);

// The descriptor is in r4, the memory at sp, the status in r5.
#[cfg(target_arch = "arm")]
core::arch::global_asm!(
    ".arm",
    ".globl _start",
    ".type _start, %function",
    "_start:",
    "mov r5, #1", // wrong until it is right
    "mov r1, #0x80000",
    "mov r0, #0",
    "mov r7, #356", // eventfd2
    "svc 0",
    "movs r4, r0",
    "bmi 3f",
    "mov r2, #7",
    "mov r3, #0",
    "push {{r2, r3}}",
    "mov r1, sp",
    "mov r2, #8",
    "mov r7, #4", // write
    "svc 0",
    "cmp r0, #8",
    "bne 2f",
    "mov r0, r4",
    "mov r7, #3", // read
    "svc 0",
    "cmp r0, #8",
    "bne 2f",
    "pop {{r2, r3}}",
    "eor r2, r2, #7",
    "orrs r5, r2, r3",
    "movne r5, #1",
    "2:",
    "mov r0, r4",
    "mov r7, #6", // close
    "svc 0",
    "3:",
    "mov r0, r5",
    "mov r7, #248", // exit_group
    "svc 0",
    "b 3b",
);

// The descriptor is in ebx, the memory at esp, the status in esi.
#[cfg(target_arch = "x86")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "push 1",
    "pop esi", // wrong until it is right
    "mov ecx, 0x80000",
    "xor ebx, ebx",
    "mov eax, 328", // eventfd2
    "int 0x80",
    "test eax, eax",
    "js 3f",
    "push ebx",
    "push 7",
    "xchg ebx, eax",
    "mov ecx, esp",
    "push 8",
    "pop edx",
    "push 4",
    "pop eax", // write
    "int 0x80",
    "cmp eax, edx",
    "jne 2f",
    "push 3",
    "pop eax", // read
    "int 0x80",
    "cmp eax, edx",
    "jne 2f",
    "pop eax",
    "pop edx",
    "xor eax, 7",
    "or eax, edx",
    "jne 2f",
    "xor esi, esi",
    "2:",
    "push 6",
    "pop eax", // close
    "int 0x80",
    "3:",
    "mov ebx, esi",
    "mov eax, 252", // exit_group
    "int 0x80",
    "jmp 3b",
);

#[path = "panic.rs"]
mod panic;
