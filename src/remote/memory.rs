//! The transfer of a call's memory, in the order of [`Layout`].

use super::disconnect::Disconnect;
use super::layout::{ARGS, Layout, Piece, VECTOR_ENTRY, align, place};
use crate::Errno;
use crate::nr;
use crate::sysif::Arg;
use core::mem::MaybeUninit;

/// A destination of memory: the stream, or the shared page.
pub(super) trait Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Disconnect>;
}

/// A source of memory: the stream, or the shared page.
pub(super) trait Source {
    fn read(&mut self, to: &mut [MaybeUninit<u8>]) -> Result<(), Disconnect>;
    fn skip(&mut self, count: usize) -> Result<(), Disconnect>;
}

/// Writes the memory that a call reads, in the order of its offsets.
#[inline]
pub(super) fn write_memory(
    sink: &mut impl Sink,
    pieces: &[Piece<'_>; ARGS],
    layout: &Layout,
    base: usize,
) -> Result<(), Disconnect> {
    let mut at = 0;
    let mut part = |bytes: &[u8]| {
        let padding = align(at).saturating_sub(at);
        sink.write([0; 8].get(..padding).unwrap_or_default())?;
        place(&mut at, bytes.len());
        sink.write(bytes)
    };
    for (piece, target) in pieces.iter().zip(layout.targets) {
        match piece {
            Piece::In(memory) => part(memory)?,
            Piece::OutVec(vector) => {
                let mut target = base.wrapping_add(target);
                // A vector of nothing has a place too.
                part(&[])?;
                for slice in *vector {
                    // The vector in the other process: the same lengths, with addresses there.
                    let here = place(&mut target, slice.len());
                    part(&entry(here, slice.len()))?;
                }
            }
            _ => {}
        }
    }
    for piece in pieces {
        if let Piece::InOut(memory) = piece {
            part(memory)?;
        }
    }
    Ok(())
}

/// Encodes a `struct iovec`.
#[inline]
fn entry(base: usize, len: usize) -> [u8; VECTOR_ENTRY] {
    // SAFETY: the same size: two integers and no padding, all initialised.
    unsafe { core::mem::transmute::<[usize; 2], [u8; VECTOR_ENTRY]>([base, len]) }
}

/// Returns how many bytes of its memory a call has written, as far as the return value shows it: other bytes stay
/// unchanged here too.
#[inline]
pub(super) fn written(nr: usize, ret: usize) -> usize {
    match Errno::from_ret(ret) {
        Ok(count) if returns_bytes(nr) => count,
        Ok(_) => usize::MAX,
        Err(_) => 0,
    }
}

/// Returns whether a call returns the number of bytes that it has written. For other calls all of their memory counts
/// as written.
#[inline]
const fn returns_bytes(nr: usize) -> bool {
    matches!(nr, nr::READ | nr::PREAD64 | nr::READV | nr::PREADV | nr::PREADV2 | nr::RECVFROM | nr::GETRANDOM)
}

/// Reads a call's output. Of output-only memory the first `written` bytes are copied.
#[inline]
pub(super) fn read_memory(
    source: impl Source,
    args: &mut [Arg<'_>],
    layout: &Layout,
    mut written: usize,
) -> Result<(), Disconnect> {
    let mut incoming = Incoming { source, at: layout.out_start };
    for arg in args.iter_mut() {
        if let Arg::InOut(memory) = arg {
            let memory = core::ptr::slice_from_raw_parts_mut(memory.as_mut_ptr().cast(), memory.len());
            // SAFETY: the same memory for the same borrow; only initialised bytes are written there.
            incoming.piece(unsafe { &mut *memory }, &mut { usize::MAX })?;
        }
    }
    for arg in args.iter_mut() {
        match arg {
            Arg::Out(memory) => incoming.piece(memory, &mut written)?,
            Arg::OutVec(vector) => {
                for slice in vector.iter_mut() {
                    incoming.piece(slice.as_mut_slice(), &mut written)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A call's output.
struct Incoming<S> {
    source: S,
    /// The offset of the next byte.
    at: usize,
}

impl<S: Source> Incoming<S> {
    /// Reads this memory, of which at most `written` bytes are copied, and subtracts its part from `written`.
    #[inline]
    fn piece(&mut self, to: &mut [MaybeUninit<u8>], written: &mut usize) -> Result<(), Disconnect> {
        self.source.skip(align(self.at).saturating_sub(self.at))?;
        let len = to.len();
        let wanted = len.min(*written);
        *written = written.saturating_sub(wanted);
        self.source.read(to.get_mut(..wanted).unwrap_or_default())?;
        self.source.skip(len.saturating_sub(wanted))?;
        place(&mut self.at, len);
        Ok(())
    }
}
