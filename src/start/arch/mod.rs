//! What differs between architectures: one macro in a file each, with the same pieces in the same order. What is not
//! there is in `generic.rs`.
//!
//! * `entry`: clears the frame pointer, puts the address of argc where a function expects its first argument, and aligns
//!   the stack.
//! * `start`: follows `entry` in a program that relocates itself: does that, and calls `{protect}` (argc, bias). `98:` is
//!   the label before the entry's first instruction.
//! * `exit`: precedes `entry` in a unit test, which the dynamic linker has relocated: what that wants called at the exit
//!   becomes the second argument.
//! * `call`: calls `{begin}` (argc).
//! * `interpreter`: the dynamic linker of a unit test.
//! * `jump`, `trap`: an instruction that goes to the symbol after it, and one that cannot be executed.
//! * `mode`: what the assembler must know first.
//! * `extra`: what else the compiler or the precompiled libraries call there.
//!
//! x86_64 has memory functions of its own (`x86_64_memory.rs`); the others share those in `memory.rs`.
//!
//! # The relocation
//!
//! It is assembly because before it nothing that a compiler makes may run: Rust's calls and constants go through the
//! addresses that are still to be relocated. It reads the ELF header (`__ehdr_start`, hidden), the program headers, the
//! dynamic section and the tables that this names, of which none is itself relocated; it writes the words that the
//! tables name and, apart from the stack, nothing else; and it addresses all of it relative to the instruction:
//! a test of the repository (`tests/tests/start.rs`) reads that in the object.
//!
//! A program that is not `ET_DYN` has nothing to relocate. Where there is a `PT_INTERP` the dynamic linker has done it,
//! which must not be done twice: RELR adds to what is there. Of RELA and REL only the architecture's `RELATIVE` is
//! looked at: the others name symbols, of which only undefined weak ones are left in such a program, and these are
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
