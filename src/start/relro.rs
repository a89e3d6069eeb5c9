//! Makes the memory that only the relocation writes read-only.

use super::Arguments;
use crate::nr;
use crate::sysif::{Arg, Local, SyscallInterface};

/// `Elf64_Phdr`, `Elf32_Phdr`; every field is as in `include/uapi/linux/elf.h`.
#[repr(C)]
#[allow(dead_code, reason = "the layout is the kernel's")]
struct ProgramHeader {
    p_type: u32,
    #[cfg(target_pointer_width = "64")]
    p_flags: u32,
    p_offset: usize,
    p_vaddr: usize,
    p_paddr: usize,
    p_filesz: usize,
    p_memsz: usize,
    #[cfg(target_pointer_width = "32")]
    p_flags: u32,
    p_align: usize,
}

const PT_GNU_RELRO: u32 = 0x6474_e552;
const PROT_READ: u32 = 1;
// `include/uapi/linux/auxvec.h`.
const AT_PHDR: usize = 3;
const AT_PHNUM: usize = 5;
const AT_PAGESZ: usize = 6;

/// Makes the program's `PT_GNU_RELRO` segment read-only: relocated addresses and tables of functions. If that fails the
/// program continues.
///
/// # Safety
///
/// `arguments` are those of this process, whose addresses are `bias` above those in its program headers, and its
/// relocation is done.
#[inline]
pub(super) unsafe fn protect(arguments: Arguments, bias: usize) {
    let (mut headers, mut count, mut page) = (core::ptr::null::<ProgramHeader>(), 0, 4096_usize);
    for (kind, value) in arguments.auxiliary() {
        match kind {
            AT_PHDR => headers = core::ptr::with_exposed_provenance(value),
            AT_PHNUM => count = value,
            AT_PAGESZ => page = value,
            _ => {}
        }
    }
    for index in 0..count {
        // SAFETY: `AT_PHNUM` is their number, and they stay mapped.
        let header = unsafe { &*headers.wrapping_add(index) };
        if header.p_type == PT_GNU_RELRO {
            // Whole pages only, as the dynamic linker does: an incomplete page at the end stays writable.
            let (begin, mask) = (bias.wrapping_add(header.p_vaddr), page.wrapping_sub(1));
            let end = begin.wrapping_add(header.p_memsz) & !mask;
            let begin = begin & !mask;
            let args = [Arg::Word(begin), Arg::Word(end.wrapping_sub(begin)), PROT_READ.into()];
            // SAFETY: the segment contains only memory that the relocation writes, and the relocation is done.
            let _refused = unsafe { Local.syscall(nr::MPROTECT, args) };
        }
    }
}
