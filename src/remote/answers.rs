//! The answers that arrive on a stream, and which requests they belong to.
//!
//! What arrives is, in this order, and partly in the inbox already:
//!
//! 1. `unwanted` bytes: answers to calls of a pipeline that was dropped. They are skipped as they arrive, so while any
//!    are outstanding the inbox is empty.
//! 2. `owed` bytes: answers to the calls of the pipeline that exists.
//! 3. The answer to the call that is being made, which takes its bytes from behind those that are owed.
//!
//! Anything more was not requested, and puts the stream out of step.

use super::disconnect::Disconnect;
use super::inbox::Inbox;
use super::layout::Shape;
use super::stream::{Deadline, Moment, Stream};
use super::wire::{REQUEST, RESPONSE, Request, response_from_bytes};
use crate::fd::OwnedFd;
use crate::near::{MSG_WAITALL, PollFd};
use core::mem::MaybeUninit;

/// A request that was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Receipt {
    /// Which: the first request of a connection is 1.
    pub(super) index: u64,
    /// How many bytes of the stream there are up to its end.
    end: u64,
}

impl Receipt {
    /// Of no request.
    pub(super) const NONE: Self = Self { index: 0, end: 0 };
}

/// A stream, and what is outstanding on it.
pub(super) struct Answers {
    stream: Stream,
    inbox: Inbox,
    owed: usize,
    unwanted: usize,
    /// How many requests were written.
    requests: u64,
    /// How many of them are known to be executed: their answers have been taken.
    answered: u64,
    /// How many bytes the kernel has taken.
    sent: u64,
}

impl Answers {
    #[inline]
    pub(super) const fn new(stream: Stream) -> Self {
        Self { stream, inbox: Inbox::new(), owed: 0, unwanted: 0, requests: 0, answered: 0, sent: 0 }
    }

    #[inline]
    pub(super) const fn stream(&self) -> &Stream {
        &self.stream
    }

    #[inline]
    pub(super) const fn stream_mut(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Whether bytes have arrived that were not requested: what comes next would not be the answer to the next call.
    #[inline]
    pub(super) const fn has_unsolicited(&self) -> bool {
        self.inbox.len() > self.owed
    }

    /// Whether no answer is outstanding but that of the call that is being made.
    #[inline]
    const fn is_alone(&self) -> bool {
        self.owed == 0 && self.unwanted == 0
    }

    /// How many requests are known to be executed.
    #[inline]
    pub(super) const fn answered(&self) -> u64 {
        self.answered
    }

    /// Whether the server has claimed more requests than are known to be executed.
    #[inline]
    pub(super) const fn is_executing(&self, claimed: u64) -> bool {
        claimed > self.answered
    }

    /// Counts a request that is to be written behind `buffered` other bytes.
    #[inline]
    pub(super) const fn count(&mut self, buffered: usize) -> Receipt {
        self.requests = self.requests.wrapping_add(1);
        Receipt { index: self.requests, end: self.sent.wrapping_add(buffered as u64).wrapping_add(REQUEST as u64) }
    }

    /// Says that all answers up to that of the last request have been taken.
    #[inline]
    pub(super) const fn settle(&mut self) {
        self.answered = self.requests;
    }

    /// Whether the kernel has taken all of a request.
    #[inline]
    pub(super) const fn is_sent(&self, receipt: Receipt) -> bool {
        self.sent >= receipt.end
    }

    /// Makes a call of words only.
    #[inline]
    pub(super) fn request(&mut self, request: Request, deadline: Deadline) -> (Receipt, Result<usize, Disconnect>) {
        let receipt = self.count(0);
        let answer = self.send(&request.to_bytes(), deadline).and_then(|()| self.word(deadline));
        if answer.is_ok() {
            self.settle();
        }
        (receipt, answer)
    }

    /// Sends all the bytes.
    #[inline]
    pub(super) fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), Disconnect> {
        let count = self.send_some(bytes, deadline)?;
        if count == bytes.len() { Ok(()) } else { self.send_rest(bytes, count, deadline) }
    }

    #[inline]
    fn send_some(&mut self, bytes: &[u8], deadline: Deadline) -> Result<usize, Disconnect> {
        // Alone with one call there is nothing to receive before all is sent.
        let count = self.stream.send(bytes, self.is_alone(), deadline)?;
        self.sent = self.sent.wrapping_add(count as u64);
        Ok(count)
    }

    /// It never blocks for ever on a server that itself waits to be read: while it cannot send it receives.
    #[cold]
    #[inline]
    fn send_rest(&mut self, bytes: &[u8], mut done: usize, deadline: Deadline) -> Result<(), Disconnect> {
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let count = self.send_some(rest, deadline)?;
            done = done.saturating_add(count);
            if count == 0 {
                self.wait_to_send(deadline)?;
            }
        }
        Ok(())
    }

    #[cold]
    #[inline]
    fn wait_to_send(&mut self, deadline: Deadline) -> Result<(), Disconnect> {
        let events = if self.inbox.room().is_empty() { PollFd::OUT } else { PollFd::IN | PollFd::OUT };
        if self.stream.wait(events, deadline)? & PollFd::IN != 0 { self.fill(deadline) } else { Ok(()) }
    }

    /// Receives something into the inbox.
    #[inline]
    fn fill(&mut self, deadline: Deadline) -> Result<(), Disconnect> {
        let count = self.stream.receive(uninit(self.inbox.room()), 0, deadline)?;
        self.inbox.filled_by(count);
        if self.unwanted != 0 {
            self.unwanted = self.unwanted.saturating_sub(self.inbox.skip(self.unwanted));
        }
        Ok(())
    }

    /// Receives the answers to `requests` requests of the last call at once, where nothing is outstanding before them.
    /// They must be certain to come, whatever they are.
    #[inline]
    pub(super) fn gather(&mut self, requests: usize, deadline: Deadline) -> Result<(), Disconnect> {
        let len = requests.saturating_mul(RESPONSE);
        while self.is_alone() && self.inbox.len() < len {
            let left = len.saturating_sub(self.inbox.len());
            let room = self.inbox.room().get_mut(..left).unwrap_or_default();
            let count = self.stream.receive(uninit(room), MSG_WAITALL, deadline)?;
            self.inbox.filled_by(count);
        }
        Ok(())
    }

    /// Receives the next word of the answer to the last call.
    #[inline]
    pub(super) fn word(&mut self, deadline: Deadline) -> Result<usize, Disconnect> {
        if self.is_alone() && self.inbox.len() == 0 {
            // The word and nothing else, as it should be. There is room for more, so that more is noticed.
            let mut bytes = [0; 4 * RESPONSE];
            let count = self.stream.receive(uninit(&mut bytes), 0, deadline)?;
            if let (RESPONSE, Some(word)) = (count, bytes.first_chunk()) {
                return Ok(response_from_bytes(*word));
            }
            self.inbox.append(bytes.get(..count).unwrap_or_default());
        }
        self.word_read_ahead(deadline)
    }

    #[inline]
    fn word_read_ahead(&mut self, deadline: Deadline) -> Result<usize, Disconnect> {
        loop {
            if let Some(word) = self.inbox.take_word(self.owed) {
                return Ok(word);
            }
            self.fill(deadline)?;
        }
    }

    /// Receives all that nothing waits for any more.
    #[inline]
    pub(super) fn skip_unwanted(&mut self, deadline: Deadline) -> Result<(), Disconnect> {
        while self.unwanted != 0 {
            self.fill(deadline)?;
        }
        Ok(())
    }

    /// Receives the answer to the last call where nothing else is outstanding: that `moved` bytes of memory were moved
    /// there, then a byte that comes with a file descriptor, if the call succeeded, and the word that it returned.
    #[inline]
    pub(super) fn word_with_fd(
        &mut self,
        moved: usize,
        deadline: Deadline,
    ) -> Result<(usize, Option<OwnedFd>), Disconnect> {
        // No byte more: received in another way, the file descriptor would be closed.
        self.gather(1, deadline)?;
        if self.word_read_ahead(deadline)? != moved {
            return Err(Disconnect::OutOfStep);
        }
        let mut bytes = [0; RESPONSE];
        let (count, fd, came) = self.stream.receive_fd(uninit(&mut bytes), deadline)?;
        let bytes = bytes.get(..count).unwrap_or_default();
        self.inbox.append(if came { bytes.get(1..).unwrap_or_default() } else { bytes });
        self.word(deadline).map(|word| (word, fd))
    }

    /// Receives the next bytes of the answer to the last call.
    #[inline]
    pub(super) fn bytes(&mut self, mut to: &mut [MaybeUninit<u8>], deadline: Deadline) -> Result<(), Disconnect> {
        /// From here on a call of its own is cheaper than copying twice.
        const LARGE: usize = 1024;
        while !to.is_empty() {
            let count = if self.inbox.len() > self.owed {
                self.inbox.take(self.owed, to)
            } else if self.inbox.len() == self.owed && self.unwanted == 0 && to.len() >= LARGE {
                self.stream.receive(to, 0, deadline)?
            } else {
                self.fill(deadline)?;
                0
            };
            to = to.get_mut(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// How many bytes are owed to a pipeline.
    #[inline]
    pub(super) const fn owed(&self) -> usize {
        self.owed
    }

    /// Says that the answer to the last call belongs to a pipeline.
    #[inline]
    pub(super) const fn owe(&mut self, shape: Shape) {
        self.owed = self.owed.saturating_add(shape.len());
    }

    /// Says that the first answer which is owed to a pipeline has been given, or never will be.
    #[inline]
    pub(super) const fn give(&mut self, shape: Shape) {
        self.owed = self.owed.saturating_sub(shape.len());
    }

    /// Receives without blocking what nothing waits for, before the connection ends.
    #[inline]
    pub(super) fn drain(&mut self) {
        self.abandon();
        self.stream.begin_wait();
        while self.unwanted != 0 && self.fill(Some(Moment::PAST)).is_ok() {}
        if self.unwanted == 0 && self.inbox.len() == 0 {
            self.settle();
        }
    }

    /// Says that nothing waits any more for what is owed to a pipeline.
    #[inline]
    pub(super) fn abandon(&mut self) {
        let here = self.inbox.skip(self.owed);
        self.unwanted = self.unwanted.saturating_add(self.owed.saturating_sub(here));
        self.owed = 0;
    }

    /// Receives the first answer that is owed to a pipeline, to the call whose own request is `receipt`'s.
    #[inline]
    pub(super) fn first_owed(
        &mut self,
        shape: Shape,
        receipt: Receipt,
        out: &mut [u8],
        deadline: Deadline,
    ) -> Result<usize, Disconnect> {
        self.stream.begin_wait();
        let moved_in = if shape.in_len == 0 { 0 } else { RESPONSE };
        loop {
            // As soon as it is here: out of step, the rest may never come.
            if moved_in != 0 && self.inbox.word(0).is_some_and(|moved| moved != shape.in_len) {
                return Err(Disconnect::OutOfStep);
            }
            if self.inbox.len() >= shape.len() {
                break;
            }
            self.fill(deadline)?;
        }
        let ret = self.inbox.word(moved_in).ok_or(Disconnect::OutOfStep)?;
        if shape.out_len != 0 {
            let at = moved_in.saturating_add(RESPONSE);
            if self.inbox.word(at.saturating_add(shape.out_len)) != Some(shape.out_len) {
                return Err(Disconnect::OutOfStep);
            }
            for (to, from) in out.iter_mut().zip(self.inbox.get(at, shape.out_len).unwrap_or_default()) {
                *to = *from;
            }
        }
        self.inbox.skip(shape.len());
        let last = receipt.index.wrapping_add(u64::from(shape.out_len != 0));
        self.answered = self.answered.max(last);
        Ok(ret)
    }
}

/// Memory for the kernel to write: nothing uninitialised ever gets there.
#[inline]
fn uninit(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let bytes = core::ptr::slice_from_raw_parts_mut(bytes.as_mut_ptr().cast::<MaybeUninit<u8>>(), bytes.len());
    // SAFETY: the same memory for the same borrow, and only the kernel writes it.
    unsafe { &mut *bytes }
}
