//! The arguments of a call, and the only places where a fake kernel touches a caller's memory.
//!
//! A fake kernel has no address space: it reaches memory that the caller has named, from its beginning to its end, and
//! nothing else. A word where an address is expected, and whatever lies behind the end of named memory, is memory that
//! is not mapped: `EFAULT` at the moment when the real kernel would touch it.

use super::log::Register;
use crate::Errno;
use crate::arch::this::END_OF_USER_SPACE;
use crate::sysif::Arg;
use core::mem::MaybeUninit;

pub(super) struct Arguments<'m, 'a>(&'m mut [Arg<'a>]);

impl<'m, 'a> Arguments<'m, 'a> {
    pub(super) fn new(args: &'m mut [Arg<'a>]) -> Self {
        Self(args)
    }

    pub(super) fn registers(&mut self) -> [Register; 6] {
        let mut registers = [Register::Unset; 6];
        for (register, arg) in registers.iter_mut().zip(self.0.iter_mut()) {
            *register = Register::new(arg);
        }
        registers
    }

    /// All 64 bits of a register; one that the caller has not set is 0.
    pub(super) fn word(&mut self, position: usize) -> usize {
        self.0.get_mut(position).map_or(0, Arg::word)
    }

    /// The lower half of a register, which is all that the kernel looks at where it takes an `int`.
    #[expect(clippy::cast_possible_truncation, reason = "the upper half is ignored, as by the kernel")]
    pub(super) fn int(&mut self, position: usize) -> u32 {
        self.word(position) as u32
    }

    /// The same, with a sign.
    pub(super) fn signed(&mut self, position: usize) -> i32 {
        i32::from_ne_bytes(self.int(position).to_ne_bytes())
    }

    /// A descriptor: an `unsigned int` to the kernel, so a negative one is a number that is never open.
    pub(super) fn fd(&mut self, position: usize) -> usize {
        self.int(position) as usize
    }

    /// Memory that the kernel reads.
    pub(super) fn read<const LEN: usize>(&self, position: usize) -> Result<[u8; LEN], Errno> {
        self.bytes(position).and_then(|memory| memory.first_chunk()).copied().ok_or(Errno::EFAULT)
    }

    /// A signal mask and its size. There are no signals to mask, but what the kernel refuses is refused.
    pub(super) fn signal_mask(&mut self, position: usize) -> Result<(), Errno> {
        if self.word(position) == 0 {
            return Ok(());
        }
        if self.word(position.saturating_add(1)) != 8 {
            return Err(Errno::EINVAL);
        }
        self.read::<8>(position).map(drop)
    }

    /// Named memory that the kernel may read; there is none where the caller has named none.
    pub(super) fn bytes(&self, position: usize) -> Option<&[u8]> {
        match self.0.get(position)? {
            Arg::In(memory) => Some(memory),
            Arg::InOut(memory) => Some(memory),
            // What is only written may be uninitialised: it is never read.
            Arg::Word(_) | Arg::Out(_) | Arg::OutVec(_) => None,
        }
    }

    /// Named memory that the kernel may read and write.
    pub(super) fn bytes_mut(&mut self, position: usize) -> Option<&mut [u8]> {
        match self.0.get_mut(position)? {
            Arg::InOut(memory) => Some(memory),
            Arg::Word(_) | Arg::In(_) | Arg::Out(_) | Arg::OutVec(_) => None,
        }
    }

    /// Writes all of `bytes` to the beginning of the memory, or nothing: `EFAULT` if it is shorter, or not to be
    /// written.
    pub(super) fn write(&mut self, position: usize, bytes: &[u8]) -> Result<(), Errno> {
        self.write_at(position, 0, bytes)
    }

    /// The same, `offset` bytes behind the beginning.
    pub(super) fn write_at(&mut self, position: usize, offset: usize, bytes: &[u8]) -> Result<(), Errno> {
        let range = offset..offset.saturating_add(bytes.len());
        match self.0.get_mut(position) {
            Some(Arg::Out(memory)) => {
                let memory = memory.get_mut(range).ok_or(Errno::EFAULT)?;
                for (to, from) in memory.iter_mut().zip(bytes) {
                    to.write(*from);
                }
            }
            Some(Arg::InOut(memory)) => {
                memory.get_mut(range).ok_or(Errno::EFAULT)?.copy_from_slice(bytes);
            }
            _ => return Err(Errno::EFAULT),
        }
        Ok(())
    }

    /// Writes zeros to the beginning of the memory, `len` of them or as many as it has, and says how many.
    pub(super) fn zero(&mut self, position: usize, len: usize) -> usize {
        let zero = |to: &mut MaybeUninit<u8>| {
            to.write(0);
        };
        match self.0.get_mut(position) {
            Some(Arg::Out(memory)) => memory.iter_mut().take(len).map(zero).count(),
            Some(Arg::OutVec(vector)) => {
                vector.iter_mut().flat_map(|piece| piece.as_mut_slice()).take(len).map(zero).count()
            }
            Some(Arg::InOut(memory)) => memory.iter_mut().take(len).map(|to| *to = 0).count(),
            Some(Arg::Word(_) | Arg::In(_)) | None => 0,
        }
    }

    /// How many bytes the pieces of a vector have: `EFAULT` if it has fewer pieces, or is no vector.
    pub(super) fn vector_len(&mut self, position: usize, pieces: usize) -> Result<usize, Errno> {
        let Some(Arg::OutVec(vector)) = self.0.get_mut(position) else { return Err(Errno::EFAULT) };
        let vector = vector.get_mut(..pieces).ok_or(Errno::EFAULT)?;
        Ok(vector.iter_mut().map(|piece| piece.as_mut_slice().len()).fold(0, usize::saturating_add))
    }

    /// One piece of a vector, if it has so many.
    pub(super) fn piece(&mut self, position: usize, piece: usize) -> Option<&mut [MaybeUninit<u8>]> {
        match self.0.get_mut(position) {
            Some(Arg::OutVec(vector)) => vector.get_mut(piece).map(|piece| piece.as_mut_slice()),
            _ => None,
        }
    }

    /// Writes all of `bytes` to the pieces of a vector, from the first; it is at least that long.
    pub(super) fn write_vector(&mut self, position: usize, bytes: &[u8]) {
        let Some(Arg::OutVec(vector)) = self.0.get_mut(position) else { return };
        let memory = vector.iter_mut().flat_map(|piece| piece.as_mut_slice());
        for (to, from) in memory.zip(bytes) {
            to.write(*from);
        }
    }
}

/// The kernel's first look at a piece of memory: `EFAULT` unless all of it lies where a program's memory can be.
pub(super) fn access_ok(address: usize, len: usize) -> Result<(), Errno> {
    match address.checked_add(len) {
        Some(end) if end <= END_OF_USER_SPACE => Ok(()),
        _ => Err(Errno::EFAULT),
    }
}
