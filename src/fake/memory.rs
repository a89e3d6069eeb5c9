//! The arguments of a call, and the only accesses of a fake kernel to a caller's memory.
//!
//! A fake kernel has no address space: it accesses memory that the caller has named, from its beginning to its end, and
//! nothing else. A word where an address is expected, and memory beyond the end of named memory, count as not mapped:
//! the call fails with `EFAULT` where the real kernel would access it.

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

    /// Returns all bits of a register; one that the caller has not set is 0.
    pub(super) fn word(&mut self, position: usize) -> usize {
        self.0.get_mut(position).map_or(0, Arg::word)
    }

    /// Returns the lower 32 bits of a register: the kernel ignores the rest where it takes an `int`.
    #[expect(clippy::cast_possible_truncation, reason = "the upper half is ignored, as by the kernel")]
    pub(super) fn int(&mut self, position: usize) -> u32 {
        self.word(position) as u32
    }

    /// Returns [`int`](Self::int) as a signed integer.
    pub(super) fn signed(&mut self, position: usize) -> i32 {
        i32::from_ne_bytes(self.int(position).to_ne_bytes())
    }

    /// Returns a file descriptor as a table index: it is an `unsigned int` to the kernel, so a negative one is never
    /// open.
    pub(super) fn fd(&mut self, position: usize) -> usize {
        self.int(position) as usize
    }

    /// Reads memory of the caller: `EFAULT` if it is shorter.
    pub(super) fn read<const LEN: usize>(&self, position: usize) -> Result<[u8; LEN], Errno> {
        self.bytes(position).and_then(|memory| memory.first_chunk()).copied().ok_or(Errno::EFAULT)
    }

    /// Checks a signal mask and its size, as the kernel does. The mask is not applied.
    pub(super) fn signal_mask(&mut self, position: usize) -> Result<(), Errno> {
        if self.word(position) == 0 {
            return Ok(());
        }
        if self.word(position.saturating_add(1)) != 8 {
            return Err(Errno::EINVAL);
        }
        self.read::<8>(position).map(drop)
    }

    /// Returns memory that the kernel may read, if the argument names some.
    pub(super) fn bytes(&self, position: usize) -> Option<&[u8]> {
        match self.0.get(position)? {
            Arg::In(memory) => Some(memory),
            Arg::InOut(memory) => Some(memory),
            // Output memory may be uninitialised: it is never read.
            Arg::Word(_) | Arg::Out(_) | Arg::OutVec(_) => None,
        }
    }

    /// Returns memory that the kernel may read and write, if the argument names some.
    pub(super) fn bytes_mut(&mut self, position: usize) -> Option<&mut [u8]> {
        match self.0.get_mut(position)? {
            Arg::InOut(memory) => Some(memory),
            Arg::Word(_) | Arg::In(_) | Arg::Out(_) | Arg::OutVec(_) => None,
        }
    }

    /// Writes all of `bytes` to the beginning of the memory, or nothing: `EFAULT` if it is shorter or not writable.
    pub(super) fn write(&mut self, position: usize, bytes: &[u8]) -> Result<(), Errno> {
        self.write_at(position, 0, bytes)
    }

    /// Writes as [`write`](Self::write) does, `offset` bytes after the beginning.
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

    /// Writes `len` zeros to the beginning of the memory, or as many as fit, and returns how many.
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

    /// Returns the total length of the first `pieces` elements of a vector: `EFAULT` if it has fewer, or is no vector.
    pub(super) fn vector_len(&mut self, position: usize, pieces: usize) -> Result<usize, Errno> {
        let Some(Arg::OutVec(vector)) = self.0.get_mut(position) else { return Err(Errno::EFAULT) };
        let vector = vector.get_mut(..pieces).ok_or(Errno::EFAULT)?;
        Ok(vector.iter_mut().map(|piece| piece.as_mut_slice().len()).fold(0, usize::saturating_add))
    }

    /// Returns an element of a vector, if it exists.
    pub(super) fn piece(&mut self, position: usize, piece: usize) -> Option<&mut [MaybeUninit<u8>]> {
        match self.0.get_mut(position) {
            Some(Arg::OutVec(vector)) => vector.get_mut(piece).map(|piece| piece.as_mut_slice()),
            _ => None,
        }
    }

    /// Writes all of `bytes` to a vector, which is at least that long.
    pub(super) fn write_vector(&mut self, position: usize, bytes: &[u8]) {
        let Some(Arg::OutVec(vector)) = self.0.get_mut(position) else { return };
        let memory = vector.iter_mut().flat_map(|piece| piece.as_mut_slice());
        for (to, from) in memory.zip(bytes) {
            to.write(*from);
        }
    }
}

/// Fails with `EFAULT` unless the whole range is in user address space: the kernel's `access_ok`.
pub(super) fn access_ok(address: usize, len: usize) -> Result<(), Errno> {
    match address.checked_add(len) {
        Some(end) if end <= END_OF_USER_SPACE => Ok(()),
        _ => Err(Errno::EFAULT),
    }
}
