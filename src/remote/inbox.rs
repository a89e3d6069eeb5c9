//! The client's receive buffer.

use super::wire::{RESPONSE, response_from_bytes};
use core::mem::MaybeUninit;

/// The maximum number of bytes that are read ahead.
const CAPACITY: usize = 2048;
/// The maximum number of bytes that may be owed to a pipeline: the rest is room for the response to a blocking call.
pub(super) const OWED_LIMIT: usize = CAPACITY - 256;

/// A queue of bytes.
///
/// The client may read ahead, because only responses arrive, in order; the server may not.
pub(super) struct Inbox {
    bytes: [u8; CAPACITY],
    start: usize,
    end: usize,
}

impl Inbox {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { bytes: [0; CAPACITY], start: 0, end: 0 }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    #[inline]
    fn filled(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Returns the free space at the end.
    #[inline]
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == CAPACITY {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.len());
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Records that `count` bytes were written to the free space.
    #[inline]
    pub(super) fn filled_by(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(CAPACITY);
    }

    /// Appends a few bytes, if they fit.
    #[inline]
    pub(super) fn append(&mut self, bytes: &[u8]) {
        if let Some(room) = self.room().get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
            self.filled_by(bytes.len());
        }
    }

    /// Removes at most `count` bytes at the front, and returns how many.
    #[inline]
    pub(super) fn skip(&mut self, count: usize) -> usize {
        let count = count.min(self.len());
        self.start = self.start.saturating_add(count);
        count
    }

    /// Takes bytes from `offset` bytes after the front, as many as there are and fit, and returns how many.
    #[inline]
    pub(super) fn take(&mut self, offset: usize, to: &mut [MaybeUninit<u8>]) -> usize {
        let Some(from) = self.filled().get(offset..) else { return 0 };
        let count = from.len().min(to.len());
        for (to, from) in to.iter_mut().zip(from) {
            to.write(*from);
        }
        if offset == 0 {
            self.start = self.start.saturating_add(count);
        } else {
            let at = self.start.saturating_add(offset);
            // In range, as these bytes were just read.
            self.bytes.copy_within(at.saturating_add(count)..self.end, at);
            self.end = self.end.saturating_sub(count);
        }
        count
    }

    /// Takes the word that begins `offset` bytes after the front, if all of it has arrived.
    #[inline]
    pub(super) fn take_word(&mut self, offset: usize) -> Option<usize> {
        let word = self.word(offset)?;
        if offset == 0 {
            self.skip(RESPONSE);
        } else {
            self.take(offset, &mut [MaybeUninit::uninit(); RESPONSE]);
        }
        Some(word)
    }

    /// Returns the word that begins `offset` bytes after the front, if all of it has arrived.
    #[inline]
    pub(super) fn word(&self, offset: usize) -> Option<usize> {
        let end = offset.checked_add(RESPONSE)?;
        let bytes = self.filled().get(offset..end)?;
        bytes.try_into().ok().map(response_from_bytes)
    }

    /// Returns the bytes that begin `offset` bytes after the front, if all of them have arrived.
    #[inline]
    pub(super) fn get(&self, offset: usize, len: usize) -> Option<&[u8]> {
        self.filled().get(offset..offset.checked_add(len)?)
    }
}
