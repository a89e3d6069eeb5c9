//! A call through io_uring that does nothing: in this process, on a ring in shared memory.

use crate::batches::serve;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

const SETUP: libc::c_long = 425;
const ENTER: libc::c_long = 426;
const GETEVENTS: u32 = 1;
const OFFSET_ENTRIES: i64 = 0x1000_0000;
/// `IORING_FEAT_SINGLE_MMAP`: one mapping for both rings (Linux 5.4).
const SINGLE_MMAP: u32 = 1;
const ENTRY: usize = 64;

/// `struct io_uring_params`: the fields up to `resv`, then the offsets of the fields of the two rings.
#[derive(Default)]
#[repr(C)]
struct Parameters {
    entries: [u32; 2],
    flags: u32,
    _thread: [u32; 2],
    features: u32,
    _wq_fd: u32,
    _reserved: [u32; 3],
    submission: [u32; 10],
    completion: [u32; 10],
}

/// A ring of one entry, whose zeroed entry is `IORING_OP_NOP`.
struct Ring {
    fd: i64,
    tail: &'static AtomicU32,
    head: &'static AtomicU32,
}

fn ring() -> Option<Ring> {
    let mut parameters = Parameters::default();
    // SAFETY: the call reads and writes the parameters.
    let fd = unsafe { libc::syscall(SETUP, 1, &raw mut parameters) };
    if fd < 0 || parameters.features & SINGLE_MMAP == 0 {
        return None;
    }
    let map = |len, offset| {
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_POPULATE);
        // SAFETY: a new mapping.
        let memory = unsafe { libc::mmap(null_mut(), len, access, kind, fd as i32, offset) };
        (memory != libc::MAP_FAILED).then_some(memory.cast::<u8>())
    };
    // Both rings are in one page.
    let rings = map(4096, 0)?;
    // Zeroed by the kernel, and so is the array of indices.
    map(ENTRY * parameters.entries[0] as usize, OFFSET_ENTRIES)?;
    // SAFETY: the kernel says where these words are in the mapping, which is never unmapped.
    let word = |offset: u32| unsafe { AtomicU32::from_ptr(rings.add(offset as usize).cast()) };
    // struct io_sqring_offsets begins with head and tail, and so does struct io_cqring_offsets.
    Some(Ring { fd, tail: word(parameters.submission[1]), head: word(parameters.completion[0]) })
}

/// One operation for each `io_uring_enter`.
pub fn nop() {
    let Some(Ring { fd, tail, head }) = ring() else { return };
    serve(|| {
        tail.fetch_add(1, Ordering::Release);
        // SAFETY: one entry is submitted and one completion waited for; no signal mask.
        let submitted = unsafe { libc::syscall(ENTER, fd, 1, 1, GETEVENTS, null::<u8>(), 0) };
        assert_eq!(submitted, 1, "{}", std::io::Error::last_os_error());
        head.fetch_add(1, Ordering::Release);
    });
}
