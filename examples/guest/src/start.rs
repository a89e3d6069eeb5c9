//! What a program without libc needs before `main`: where the kernel starts it, and what happens on a panic.

use core::arch::global_asm;

// The kernel jumps here with the stack pointer on argc, argv after it, and nothing else promised. The frame pointer is
// cleared so that a debugger sees the outermost frame, the address goes on as the first argument, and the stack is aligned
// to 16 bytes as the C calling convention of all three wants it.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {start}", // pushes a return address, as a C function expects to find it
    "ud2",
    start = sym start,
);
#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, xzr",
    "mov x30, xzr",
    "mov x0, sp", // the kernel has aligned it
    "bl {start}",
    "brk 1",
    start = sym start,
);
#[cfg(target_arch = "riscv64")]
global_asm!(
    ".globl _start",
    "_start:",
    ".option push",
    ".option norelax", // gp itself must not be set relative to gp
    "la gp, __global_pointer$",
    ".option pop",
    "mv s0, zero",
    "mv a0, sp",
    "andi sp, sp, -16",
    "call {start}",
    "unimp",
    start = sym start,
);

/// The program's arguments, as the kernel has laid them on the stack.
#[derive(Clone, Copy)]
pub struct Arguments(*const usize);

impl Arguments {
    /// How many there are; the program's name is the first.
    pub fn count(self) -> usize {
        // SAFETY: `_start` has passed the address of argc.
        unsafe { *self.0 }
    }

    /// One of them.
    pub fn get(self, index: usize) -> Option<&'static core::ffi::CStr> {
        if index >= self.count() {
            return None;
        }
        // SAFETY: argv follows argc and has `count` entries.
        let argument = unsafe { *self.0.add(1 + index).cast::<*const core::ffi::c_char>() };
        // SAFETY: each is a string that ends with zero and stays for as long as the process does.
        Some(unsafe { core::ffi::CStr::from_ptr(argument) })
    }
}

unsafe extern "C" fn start(stack: *const usize) -> ! {
    crate::main(Arguments(stack))
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    rsyscall::Current.exit(101)
}

// Without link-time optimisation, objects of the precompiled libraries come along whole, and name what a libc would have.

/// `core` is built for unwinding; nothing unwinds here, so nothing ever calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// `compiler_builtins` asks for the processor's atomics in a constructor. Nobody runs constructors here, so nothing ever
/// calls it either, and atomics are made the way that every aarch64 has.
#[cfg(target_arch = "aarch64")]
#[unsafe(no_mangle)]
extern "C" fn getauxval(_: usize) -> usize {
    0
}
