//! Bytes that have arrived at the client and have not been taken yet.

use super::wire::{RESPONSE, response_from_bytes};
use core::mem::MaybeUninit;

/// How many bytes are read ahead at most.
const CAPACITY: usize = 2048;
/// How many bytes of answers may be outstanding for a pipeline: the rest is room for the answer to a call that blocks.
pub(super) const OWED_LIMIT: usize = CAPACITY - 256;

/// A queue of bytes.
///
/// The client may read ahead, the server may not: all that ever arrives here are answers, in order.
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

    /// Where more can be written.
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

    /// Says that `count` bytes were written there.
    #[inline]
    pub(super) fn filled_by(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(CAPACITY);
    }

    /// Puts a few bytes at the end.
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

    /// Takes bytes from `offset` bytes behind the front, as many as there are and fit, and returns how many.
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
            // In range: what stands there was just read.
            self.bytes.copy_within(at.saturating_add(count)..self.end, at);
            self.end = self.end.saturating_sub(count);
        }
        count
    }

    /// Takes the word that begins `offset` bytes behind the front, if all of it is here.
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

    /// The word that begins `offset` bytes behind the front, if all of it is here.
    #[inline]
    pub(super) fn word(&self, offset: usize) -> Option<usize> {
        let end = offset.checked_add(RESPONSE)?;
        let bytes = self.filled().get(offset..end)?;
        bytes.try_into().ok().map(response_from_bytes)
    }

    /// The bytes that begin `offset` bytes behind the front, if all of them are here.
    #[inline]
    pub(super) fn get(&self, offset: usize, len: usize) -> Option<&[u8]> {
        self.filled().get(offset..offset.checked_add(len)?)
    }
}
