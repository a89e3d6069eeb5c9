//! What a program without libc needs before `main`: where the kernel starts it, and what happens on a panic.

use core::arch::global_asm;
use core::ffi::{CStr, c_char};

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

/// The program's arguments and its environment, as the kernel has laid them on the stack: argc, the arguments, zero, the
/// environment, zero. They stay for as long as the process does.
#[derive(Clone, Copy)]
pub struct Arguments(*const usize);

/// A list of strings as `execve` takes it: pointers, and at the end zero.
#[derive(Clone, Copy)]
pub struct Strings(*const *const c_char);

impl Arguments {
    /// The arguments; the program's name is the first.
    pub fn strings(self) -> Strings {
        // SAFETY: argv follows argc.
        Strings(unsafe { self.0.add(1) }.cast())
    }

    /// The environment, entries such as `PATH=/bin`.
    pub fn environment(self) -> Strings {
        // SAFETY: `_start` has passed the address of argc.
        let count = unsafe { *self.0 };
        // SAFETY: after as many arguments and a zero comes the environment.
        Strings(unsafe { self.0.add(count + 2) }.cast())
    }
}

impl Strings {
    /// The list as the kernel takes it.
    pub fn as_ptr(self) -> *const *const c_char {
        self.0
    }
}

impl Iterator for Strings {
    type Item = &'static CStr;

    /// The first string; what is left are the others.
    fn next(&mut self) -> Option<&'static CStr> {
        // SAFETY: not yet beyond the zero at the end.
        let string = unsafe { *self.0 };
        if string.is_null() {
            return None;
        }
        // SAFETY: this one was not the end.
        self.0 = unsafe { self.0.add(1) };
        // SAFETY: it ends with zero and stays for as long as the process does.
        Some(unsafe { CStr::from_ptr(string) })
    }
}

unsafe extern "C" fn start(stack: *const usize) -> ! {
    crate::main(Arguments(stack))
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    rsyscall::Current.exit(101)
}

// The precompiled `core` is built for unwinding and names this; nothing unwinds here, so nothing ever calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
