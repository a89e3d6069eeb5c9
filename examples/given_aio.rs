//! An eventfd passed to Linux AIO (`IOCB_FLAG_RESFD`): written for each completion.
//!
//! The kernel keeps a reference for each request until it is complete, and no longer.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the kernel's structures, built from words"
)]

use rsyscall::arch::{syscall1, syscall2, syscall3, syscall4};
use rsyscall::fd::OwnedFd;
use rsyscall::{Errno, EventFd, EventfdFlags, nr};

/// `struct iocb` of `include/uapi/linux/aio_abi.h`, on a little-endian machine.
#[repr(C)]
#[derive(Default)]
struct Request {
    data: u64,
    key: u32,
    rw_flags: u32,
    opcode: u16,
    priority: i16,
    fd: u32,
    buffer: u64,
    bytes: u64,
    offset: i64,
    reserved: u64,
    flags: u32,
    result_fd: u32,
}

const IOCB_CMD_PREAD: u16 = 0;
const IOCB_FLAG_RESFD: u32 = 1;

fn main() -> Result<(), Errno> {
    let mut context = 0_usize;
    let address = (&raw mut context).expose_provenance();
    // SAFETY: the kernel writes one word.
    if let Err(error) = Errno::from_ret(unsafe { syscall2(nr::IO_SETUP, 4, address) }) {
        println!("no AIO here: {error}");
        return Ok(());
    }
    // SAFETY: the kernel has written it through its exposed address.
    let context = unsafe { (&raw const context).read_volatile() };
    let path = c"/proc/self/exe".as_ptr().expose_provenance();
    // SAFETY: the path is a string, and the call creates a new file descriptor.
    let file = Errno::from_ret(unsafe { syscall4(nr::OPENAT, -100_isize as usize, path, 0o2000000, 0) })?;
    // SAFETY: just created for this program.
    let file = unsafe { OwnedFd::from_raw_fd(file as i32) };

    let bell = EventFd::new(0, EventfdFlags::empty())?;
    let mut bytes = [0_u8; 4];
    let request = Request {
        opcode: IOCB_CMD_PREAD,
        fd: file.as_raw_fd() as u32,
        buffer: bytes.as_mut_ptr().expose_provenance() as u64,
        bytes: bytes.len() as u64,
        flags: IOCB_FLAG_RESFD,
        result_fd: bell.as_raw_fd() as u32,
        ..Request::default()
    };
    let list = [(&raw const request).expose_provenance()];
    // SAFETY: a list of one request, which names memory that outlives it: it is waited for.
    Errno::from_ret(unsafe { syscall3(nr::IO_SUBMIT, context, 1, list.as_ptr().expose_provenance()) })?;
    let completed = bell.read()?;
    // SAFETY: the request is complete.
    let read = unsafe { (&raw const bytes).read_volatile() };
    println!(
        "{completed} completed: {}",
        if read == *b"\x7fELF" { "this program's first bytes" } else { "something else" }
    );
    // SAFETY: nothing uses the context any more.
    Errno::from_ret(unsafe { syscall1(nr::IO_DESTROY, context) }).map(drop)
}
