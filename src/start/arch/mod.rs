//! The code that differs between architectures: a macro in a file each, with the same parts in the same order. Parts
//! that a file lacks are in `generic.rs`.
//!
//! * `entry`: clears the frame pointer, makes the address of argc the first argument, and aligns the stack.
//! * `start`: follows `entry` in a program that relocates itself: does that, and calls `{protect}` (argc, bias). The
//!   label `98:` is before the entry's first instruction.
//! * `exit`: precedes `entry` in a unit test, which the dynamic linker has relocated: the exit function of that
//!   linker becomes the second argument.
//! * `call`: calls `{begin}` (argc).
//! * `interpreter`: the dynamic linker of a unit test.
//! * `jump`, `trap`: an instruction that jumps to the symbol after it, and one that traps.
//! * `mode`: a directive that precedes everything.
//! * `extra`: other functions that the compiler or the precompiled libraries call on this architecture.
//!
//! x86_64 has its own memory functions (`x86_64_memory.rs`); the others share those in `memory.rs`.
//!
//! # The relocation
//!
//! It is assembly because no compiled code may run before it: Rust's calls and constants use addresses that are not
//! relocated yet. It reads the ELF header (`__ehdr_start`, hidden), the program headers, the dynamic section and its
//! relocation tables, none of which is itself relocated. It writes the words that the tables list and, apart from the
//! stack, nothing else. All its addressing is relative to the instruction: a test of the repository
//! (`tests/tests/start.rs`) checks that in the object.
//!
//! A program that is not `ET_DYN` needs no relocation. With a `PT_INTERP` the dynamic linker has relocated it, which
//! must not be done twice: RELR adds to the current value. Of RELA and REL only the architecture's `RELATIVE` type is
//! applied: the others refer to symbols, of which only undefined weak ones remain in such a program, and these are
//! zero.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "arm")]
mod arm;
mod generic;
#[cfg(target_arch = "x86")]
mod i686;
#[cfg(target_arch = "loongarch64")]
mod loongarch64;
#[cfg(all(target_arch = "powerpc64", target_endian = "little"))]
mod powerpc64le;
#[cfg(target_arch = "riscv64")]
mod riscv64;
#[cfg(target_arch = "s390x")]
mod s390x;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
mod x86_64_memory;
