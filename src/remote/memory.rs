//! The memory of a call, in the order in which it travels: that of [`Layout`].

use super::disconnect::Disconnect;
use super::layout::{ARGS, Layout, Piece, VECTOR_ENTRY, align, place};
use crate::Errno;
use crate::nr;
use crate::sysif::Arg;
use core::mem::MaybeUninit;

/// Where memory goes: the stream, or shared memory.
pub(super) trait Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Disconnect>;
}

/// Where memory comes from.
pub(super) trait Source {
    fn read(&mut self, to: &mut [MaybeUninit<u8>]) -> Result<(), Disconnect>;
    fn skip(&mut self, count: usize) -> Result<(), Disconnect>;
}

/// Writes the memory that a call reads, in the order of its places.
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
                for slice in *vector {
                    // The vector of the other process: the same lengths, its addresses.
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

/// `struct iovec`.
#[inline]
fn entry(base: usize, len: usize) -> [u8; VECTOR_ENTRY] {
    // SAFETY: the same size: two integers and no padding, all initialised.
    unsafe { core::mem::transmute::<[usize; 2], [u8; VECTOR_ENTRY]>([base, len]) }
}

/// How many bytes of its memory a call has written, as far as that can be told: what it left alone stays as it is here
/// too.
#[inline]
pub(super) fn written(nr: usize, ret: usize) -> usize {
    match Errno::from_ret(ret) {
        Ok(count) if returns_bytes(nr) => count,
        Ok(_) => usize::MAX,
        Err(_) => 0,
    }
}

/// Whether a call returns how many bytes it wrote. Of others it is not known, and all of their memory is taken as
/// written.
#[inline]
const fn returns_bytes(nr: usize) -> bool {
    matches!(nr, nr::READ | nr::PREAD64 | nr::READV | nr::PREADV | nr::PREADV2 | nr::RECVFROM | nr::GETRANDOM)
}

/// Reads what came of a call's memory. Of that which is only written, the first `written` bytes count.
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

/// The bytes of a call's memory as they come back.
struct Incoming<S> {
    source: S,
    /// The place of the next byte.
    at: usize,
}

impl<S: Source> Incoming<S> {
    /// Reads what came of this memory, of which the first `written` bytes count: those of the memory are subtracted.
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
