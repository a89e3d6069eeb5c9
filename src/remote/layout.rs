//! The layout of a call's memory in the scratch space: input first, then input and output, then output.
//!
//! So the input is one contiguous range, and so is the output: one transfer each way, however many arguments there are.

use super::wire::RESPONSE;
use crate::sysif::{Arg, OutSlice};

/// An argument, without write access.
#[derive(Clone, Copy)]
pub(super) enum Piece<'a> {
    Word(usize),
    In(&'a [u8]),
    InOut(&'a [u8]),
    Out(usize),
    OutVec(&'a [OutSlice<'a>]),
}

impl<'a> Piece<'a> {
    #[inline]
    pub(super) fn of(arg: &'a Arg<'_>) -> Self {
        match arg {
            Arg::Word(word) => Self::Word(*word),
            Arg::In(memory) => Self::In(memory),
            Arg::Out(memory) => Self::Out(memory.len()),
            Arg::InOut(memory) => Self::InOut(memory),
            Arg::OutVec(vector) => Self::OutVec(vector),
        }
    }
}

/// The parts of the response to a call: a word for the transfer of its input, the return value, and its output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) in_len: usize,
    pub(super) out_len: usize,
}

impl Shape {
    /// Returns the length of the response in bytes.
    #[inline]
    pub(super) const fn len(self) -> usize {
        let moved_in = if self.in_len == 0 { 0 } else { RESPONSE };
        let moved_out = if self.out_len == 0 { 0 } else { self.out_len.saturating_add(RESPONSE) };
        RESPONSE.saturating_add(moved_in).saturating_add(moved_out)
    }

    /// Returns the number of requests that it responds to.
    #[inline]
    pub(super) fn requests(self) -> usize {
        [true, self.in_len != 0, self.out_len != 0].into_iter().filter(|requested| *requested).count()
    }
}

/// The maximum number of arguments.
pub(super) const ARGS: usize = 6;

/// Offsets from the beginning of the scratch space.
#[derive(Default)]
pub(super) struct Layout {
    /// For each argument its value, or the offset of its memory.
    words: [usize; ARGS],
    /// Which words are offsets.
    is_place: [bool; ARGS],
    /// For a vector: the offset of its first buffer.
    pub(super) targets: [usize; ARGS],
    /// The length of the input, from offset 0.
    pub(super) in_len: usize,
    /// The offset of the output.
    pub(super) out_start: usize,
    /// The length of the output.
    pub(super) out_len: usize,
}

/// `struct iovec`.
pub(super) const VECTOR_ENTRY: usize = 2 * size_of::<usize>();

impl Layout {
    #[inline]
    pub(super) fn new(pieces: &[Piece<'_>; ARGS]) -> Self {
        let mut layout = Self::default();
        let mut end = 0;
        let entries = layout.words.iter_mut().zip(&mut layout.is_place).zip(pieces);
        for ((word, is_place), piece) in entries {
            match piece {
                Piece::Word(value) => *word = *value,
                Piece::In(memory) => (*word, *is_place) = (place(&mut end, memory.len()), true),
                Piece::OutVec(vector) => {
                    (*word, *is_place) = (place(&mut end, vector.len().saturating_mul(VECTOR_ENTRY)), true);
                }
                Piece::InOut(_) | Piece::Out(_) => {}
            }
        }
        layout.in_len = end;
        layout.out_start = align(end);
        let entries = layout.words.iter_mut().zip(&mut layout.is_place).zip(pieces);
        for ((word, is_place), piece) in entries {
            if let Piece::InOut(memory) = piece {
                (*word, *is_place) = (place(&mut end, memory.len()), true);
                layout.in_len = end;
            }
        }
        let entries = layout.words.iter_mut().zip(&mut layout.is_place).zip(&mut layout.targets).zip(pieces);
        for (((word, is_place), target), piece) in entries {
            match piece {
                Piece::Out(len) => (*word, *is_place) = (place(&mut end, *len), true),
                Piece::OutVec(vector) => {
                    *target = align(end);
                    for slice in *vector {
                        place(&mut end, slice.len());
                    }
                }
                _ => {}
            }
        }
        layout.out_len = end.saturating_sub(layout.out_start);
        layout
    }

    /// Returns the size of the scratch space that the call needs.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.in_len.max(self.out_start.saturating_add(self.out_len))
    }

    /// Returns the parts of the call's response.
    #[inline]
    pub(super) const fn shape(&self) -> Shape {
        Shape { in_len: self.in_len, out_len: self.out_len }
    }

    /// Returns the argument words for scratch space at this address.
    #[inline]
    pub(super) fn words(&self, base: usize) -> [usize; ARGS] {
        let mut words = self.words;
        for (word, is_place) in words.iter_mut().zip(self.is_place) {
            if is_place {
                *word = base.wrapping_add(*word);
            }
        }
        words
    }
}

/// Allocates `len` bytes at the end, aligned for any structure of the kernel, and returns their offset.
#[inline]
pub(super) fn place(end: &mut usize, len: usize) -> usize {
    let here = align(*end);
    *end = here.saturating_add(len);
    here
}

#[inline]
pub(super) const fn align(place: usize) -> usize {
    place.saturating_add(7) & !7
}
