//! An eventfd passed to io_uring: written when there are completions, once for several that come together.
//!
//! The ring keeps a reference to the counter: the eventfd stays this program's, which closes it.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the kernel's structures, built from words"
)]

use rsyscall::arch::{syscall2, syscall4, syscall6};
use rsyscall::fd::OwnedFd;
use rsyscall::{Errno, EventFd, EventfdFlags, nr};

// `include/uapi/linux/io_uring.h`, `include/uapi/asm-generic/unistd.h`: the same numbers on every architecture.
const IO_URING_SETUP: usize = 425;
const IO_URING_ENTER: usize = 426;
const IO_URING_REGISTER: usize = 427;
const IORING_REGISTER_EVENTFD: usize = 4;
const IORING_OFF_SQ_RING: usize = 0;
const IORING_OFF_SQES: usize = 0x1000_0000;

fn main() -> Result<(), Errno> {
    // `struct io_uring_params`, 30 words; then the offsets of the submission ring: tail, mask, array.
    let mut parameters = [0_u32; 30];
    // SAFETY: the kernel reads and writes the parameters, and creates a new file descriptor.
    let made = unsafe { syscall2(IO_URING_SETUP, 4, parameters.as_mut_ptr().expose_provenance()) };
    let ring = match Errno::from_ret(made) {
        // SAFETY: just created for this program.
        Ok(fd) => unsafe { OwnedFd::from_raw_fd(fd as i32) },
        Err(error) => {
            println!("no io_uring here: {error}");
            return Ok(());
        }
    };
    // SAFETY: the kernel has written it through its exposed address.
    let parameters = unsafe { (&raw const parameters).read_volatile() };
    let [tail, array] = [parameters[11], parameters[16]];

    let bell = EventFd::new(0, EventfdFlags::empty())?;
    let fd = bell.as_raw_fd();
    let fd = (&raw const fd).expose_provenance();
    // SAFETY: the kernel reads one file descriptor.
    let given = unsafe { syscall4(IO_URING_REGISTER, ring.as_raw_fd() as usize, IORING_REGISTER_EVENTFD, fd, 1) };
    Errno::from_ret(given)?;

    // Two requests that do nothing: entries of zeros (IORING_OP_NOP), of 64 bytes each, numbered 0 and 1.
    let submissions = map(&ring, 4096, IORING_OFF_SQ_RING)?;
    let _entries = map(&ring, 4096, IORING_OFF_SQES)?;
    for index in 0..2 {
        // SAFETY: in the mapped ring, at the kernel's offset of the array.
        unsafe {
            submissions.wrapping_add(array as usize).cast::<u32>().wrapping_add(index).write_volatile(index as u32)
        };
    }
    // SAFETY: in the mapped ring; the kernel reads it on the call after this.
    unsafe { submissions.wrapping_add(tail as usize).cast::<u32>().write_volatile(2) };
    // SAFETY: words only.
    let entered = unsafe { syscall6(IO_URING_ENTER, ring.as_raw_fd() as usize, 2, 0, 0, 0, 0) };
    println!("{} requests submitted, and the eventfd holds {}", Errno::from_ret(entered)?, bell.read()?);
    Ok(())
}

fn map(ring: &OwnedFd, len: usize, offset: usize) -> Result<*mut u8, Errno> {
    const PROT_READ_WRITE: usize = 3;
    const MAP_SHARED_POPULATE: usize = 0x8001;
    let fd = ring.as_raw_fd() as usize;
    // SAFETY: no address is requested, so no existing mapping is replaced.
    let address = unsafe { syscall6(nr::MMAP, 0, len, PROT_READ_WRITE, MAP_SHARED_POPULATE, fd, offset) };
    Errno::from_ret(address).map(core::ptr::with_exposed_provenance_mut)
}
