//! The responses that arrive on a stream, and the requests that they belong to.
//!
//! The outstanding bytes, some of which may be in the inbox already, are in this order:
//!
//! 1. `abandoned` bytes: responses to calls of a pipeline that was dropped. They are skipped as they arrive, so while
//!    any are outstanding the inbox is empty.
//! 2. `owed` bytes: responses to the calls of the current pipeline.
//! 3. The response to the call in progress, which takes its bytes from after those that are owed.
//!
//! Anything more is unsolicited data: the stream is out of step.

use super::disconnect::Disconnect;
use super::inbox::Inbox;
use super::layout::Shape;
use super::stream::{Deadline, Moment, Stream};
use super::wire::{REQUEST, RESPONSE, Request, response_from_bytes};
use crate::fd::OwnedFd;
use crate::near::{MSG_WAITALL, PollFd};
use core::mem::MaybeUninit;

/// Identifies a request that was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Receipt {
    /// The index of the request: the first one of a connection is 1.
    pub(super) index: u64,
    /// The stream position of its end, in bytes.
    end: u64,
}

impl Receipt {
    /// A receipt of no request.
    pub(super) const NONE: Self = Self { index: 0, end: 0 };
}

/// A stream, and what is outstanding on it.
pub(super) struct Responses {
    stream: Stream,
    inbox: Inbox,
    owed: usize,
    abandoned: usize,
    /// The number of requests that were written.
    requests: u64,
    /// The number of requests that are known to be executed: their responses were received.
    completed: u64,
    /// The number of bytes that the kernel has accepted.
    sent: u64,
}

impl Responses {
    #[inline]
    pub(super) const fn new(stream: Stream) -> Self {
        Self { stream, inbox: Inbox::new(), owed: 0, abandoned: 0, requests: 0, completed: 0, sent: 0 }
    }

    #[inline]
    pub(super) const fn stream(&self) -> &Stream {
        &self.stream
    }

    #[inline]
    pub(super) const fn stream_mut(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Returns whether unsolicited data has arrived: the following bytes would not be the response to the next call.
    #[inline]
    pub(super) const fn has_unsolicited(&self) -> bool {
        self.inbox.len() > self.owed
    }

    /// Returns whether no response is outstanding but that of the call in progress.
    #[inline]
    const fn is_alone(&self) -> bool {
        self.owed == 0 && self.abandoned == 0
    }

    /// Returns how many requests are known to be executed.
    #[inline]
    pub(super) const fn completed(&self) -> u64 {
        self.completed
    }

    /// Returns whether the server has claimed more requests than are known to be executed.
    #[inline]
    pub(super) const fn is_executing(&self, claimed: u64) -> bool {
        claimed > self.completed
    }

    /// Counts a request that will be written after `buffered` other bytes.
    #[inline]
    pub(super) const fn count(&mut self, buffered: usize) -> Receipt {
        self.requests = self.requests.wrapping_add(1);
        Receipt { index: self.requests, end: self.sent.wrapping_add(buffered as u64).wrapping_add(REQUEST as u64) }
    }

    /// Records that the responses to all requests were received.
    #[inline]
    pub(super) const fn complete_all(&mut self) {
        self.completed = self.requests;
    }

    /// Returns whether the kernel has accepted all of a request.
    #[inline]
    pub(super) const fn is_sent(&self, receipt: Receipt) -> bool {
        self.sent >= receipt.end
    }

    /// Makes a call without memory arguments.
    #[inline]
    pub(super) fn request(&mut self, request: Request, deadline: Deadline) -> (Receipt, Result<usize, Disconnect>) {
        let receipt = self.count(0);
        let response = self.send(&request.to_bytes(), deadline).and_then(|()| self.word(deadline));
        if response.is_ok() {
            self.complete_all();
        }
        (receipt, response)
    }

    /// Sends all the bytes.
    #[inline]
    pub(super) fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), Disconnect> {
        let count = self.send_some(bytes, deadline)?;
        if count == bytes.len() { Ok(()) } else { self.send_rest(bytes, count, deadline) }
    }

    #[inline]
    fn send_some(&mut self, bytes: &[u8], deadline: Deadline) -> Result<usize, Disconnect> {
        // With a single call there is nothing to receive before all is sent.
        let count = self.stream.send(bytes, self.is_alone(), deadline)?;
        self.sent = self.sent.wrapping_add(count as u64);
        Ok(count)
    }

    /// Sends the rest. While it cannot send it receives: a server that blocks in a send would otherwise be a deadlock.
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

    /// Receives at least one byte into the inbox.
    #[inline]
    fn fill(&mut self, deadline: Deadline) -> Result<(), Disconnect> {
        let count = self.stream.receive(uninit(self.inbox.room()), 0, deadline)?;
        self.inbox.filled_by(count);
        if self.abandoned != 0 {
            self.abandoned = self.abandoned.saturating_sub(self.inbox.skip(self.abandoned));
        }
        Ok(())
    }

    /// Receives the responses to the `requests` requests of the last call at once, if nothing is outstanding before
    /// them. The server must be certain to send all of them, errors included.
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

    /// Receives the next word of the response to the last call.
    #[inline]
    pub(super) fn word(&mut self, deadline: Deadline) -> Result<usize, Disconnect> {
        if self.is_alone() && self.inbox.len() == 0 {
            // Normally only the word arrives. There is room for more, to detect unsolicited data.
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

    /// Receives and discards the abandoned bytes.
    #[inline]
    pub(super) fn skip_abandoned(&mut self, deadline: Deadline) -> Result<(), Disconnect> {
        while self.abandoned != 0 {
            self.fill(deadline)?;
        }
        Ok(())
    }

    /// Receives the response to the last call, if nothing else is outstanding: the word `moved` for the memory that was
    /// transferred, then a byte with a file descriptor if the call succeeded, and the return value of the call.
    #[inline]
    pub(super) fn word_with_fd(
        &mut self,
        moved: usize,
        deadline: Deadline,
    ) -> Result<(usize, Option<OwnedFd>), Disconnect> {
        // Not one byte more: a receive without a control buffer would discard the file descriptor.
        self.gather(1, deadline)?;
        if self.word_read_ahead(deadline)? != moved {
            return Err(Disconnect::OutOfStep);
        }
        let mut bytes = [0; RESPONSE];
        let (count, fd, attached) = self.stream.receive_fd(uninit(&mut bytes), deadline)?;
        let bytes = bytes.get(..count).unwrap_or_default();
        self.inbox.append(if attached { bytes.get(1..).unwrap_or_default() } else { bytes });
        self.word(deadline).map(|word| (word, fd))
    }

    /// Receives the next bytes of the response to the last call.
    #[inline]
    pub(super) fn bytes(&mut self, mut to: &mut [MaybeUninit<u8>], deadline: Deadline) -> Result<(), Disconnect> {
        /// From this length on, a system call is cheaper than copying twice.
        const LARGE: usize = 1024;
        while !to.is_empty() {
            let count = if self.inbox.len() > self.owed {
                self.inbox.take(self.owed, to)
            } else if self.inbox.len() == self.owed && self.abandoned == 0 && to.len() >= LARGE {
                self.stream.receive(to, 0, deadline)?
            } else {
                self.fill(deadline)?;
                0
            };
            to = to.get_mut(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Returns how many bytes are owed to a pipeline.
    #[inline]
    pub(super) const fn owed(&self) -> usize {
        self.owed
    }

    /// Records that the response to the last call belongs to a pipeline.
    #[inline]
    pub(super) const fn add_owed(&mut self, shape: Shape) {
        self.owed = self.owed.saturating_add(shape.len());
    }

    /// Records that the first response owed to a pipeline was taken, or will never arrive.
    #[inline]
    pub(super) const fn remove_owed(&mut self, shape: Shape) {
        self.owed = self.owed.saturating_sub(shape.len());
    }

    /// Receives and discards outstanding responses without blocking, before the connection ends.
    #[inline]
    pub(super) fn drain(&mut self) {
        self.abandon();
        self.stream.begin_wait();
        while self.abandoned != 0 && self.fill(Some(Moment::PAST)).is_ok() {}
        if self.abandoned == 0 && self.inbox.len() == 0 {
            self.complete_all();
        }
    }

    /// Abandons the responses that are owed to a pipeline.
    #[inline]
    pub(super) fn abandon(&mut self) {
        let here = self.inbox.skip(self.owed);
        self.abandoned = self.abandoned.saturating_add(self.owed.saturating_sub(here));
        self.owed = 0;
    }

    /// Receives the first response owed to a pipeline: that of the call with this receipt.
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
            // Checked as soon as it has arrived: if the stream is out of step, the rest may never arrive.
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
        self.completed = self.completed.max(last);
        Ok(ret)
    }
}

/// Returns the buffer as output memory of a call. Only initialised bytes are written to it.
#[inline]
fn uninit(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let bytes = core::ptr::slice_from_raw_parts_mut(bytes.as_mut_ptr().cast::<MaybeUninit<u8>>(), bytes.len());
    // SAFETY: the same memory for the same borrow, and only the kernel writes it.
    unsafe { &mut *bytes }
}
