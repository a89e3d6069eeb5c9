//! The bytes between the two ends: sent and received, with a deadline, and never one end waiting for the other for ever.

use super::connection::{Connection, Deadline, Gone, in_entry, now};
use super::inbox::Inbox;
use super::wire::RESPONSE;
use crate::Errno;
use crate::near::{self, FileDescriptor, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_WAITALL, PollFd, Timespec};
use crate::sysif::Local;
use core::mem::MaybeUninit;
use core::ptr::slice_from_raw_parts_mut;

impl Connection {
    /// Sends all the bytes, counting them in `sent`. Never blocks for ever on a server that itself waits to be read: while it
    /// cannot send it receives.
    #[inline]
    pub(super) fn send(
        &self,
        inbox: &mut Inbox,
        mut bytes: &[u8],
        deadline: Deadline,
        sent: &mut usize,
    ) -> Result<(), Gone> {
        // Alone with one call there is nothing to receive before all is sent: then the kernel may do the waiting.
        let alone = self.owed.get() == 0 && self.unwanted.get() == 0;
        let patient = alone && deadline.is_none() && self.shared.is_none();
        let flags = if patient { MSG_NOSIGNAL } else { MSG_NOSIGNAL | MSG_DONTWAIT };
        while !bytes.is_empty() {
            // SAFETY: the stream is ours.
            match unsafe { near::sendto(&Local, self.stream.near(), bytes, flags) } {
                Ok(count) => {
                    *sent = sent.saturating_add(count);
                    bytes = bytes.get(count..).unwrap_or_default();
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    let events = if inbox.room().is_empty() { PollFd::OUT } else { PollFd::IN | PollFd::OUT };
                    if self.wait(events, deadline)? & PollFd::IN != 0 {
                        self.fill(inbox, deadline)?;
                    }
                }
                Err(_) => return Err(Gone::Ended),
            }
        }
        Ok(())
    }

    /// Receives until so many bytes are there, behind those that a pipeline is owed: one sleep instead of one for each answer.
    /// They must be certain to come, whatever the answers say.
    #[inline]
    pub(super) fn gather(&self, inbox: &mut Inbox, len: usize, deadline: Deadline) -> Result<(), Gone> {
        if self.owed.get() != 0 || self.unwanted.get() != 0 {
            return Ok(());
        }
        while let Some(left) = len.checked_sub(inbox.len()).filter(|left| *left != 0) {
            let Some(room) = inbox.room().get_mut(..left) else { return Ok(()) };
            let count = self.receive(uninit(room), MSG_WAITALL, deadline)?;
            inbox.filled_by(count);
        }
        Ok(())
    }

    /// Receives something into the inbox.
    #[inline]
    pub(super) fn fill(&self, inbox: &mut Inbox, deadline: Deadline) -> Result<(), Gone> {
        let count = self.receive(uninit(inbox.room()), 0, deadline)?;
        inbox.filled_by(count);
        let unwanted = self.unwanted.get();
        if unwanted != 0 {
            self.unwanted.set(unwanted.saturating_sub(inbox.skip(unwanted)));
        }
        Ok(())
    }

    /// Receives at least one byte.
    #[inline]
    fn receive(&self, buffer: &mut [MaybeUninit<u8>], flags: u32, deadline: Deadline) -> Result<usize, Gone> {
        let patient = deadline.is_none() && self.shared.is_none();
        let flags = if patient { flags } else { MSG_DONTWAIT };
        loop {
            // SAFETY: the stream is ours.
            match unsafe { near::recvfrom(&Local, self.stream.near(), buffer, flags) } {
                // Also when there was no room: more has arrived than was ever asked for.
                Ok(0) => return Err(Gone::Ended),
                Ok(count) => return Ok(count),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    self.wait(PollFd::IN, deadline)?;
                }
                Err(_) => return Err(Gone::Ended),
            }
        }
    }

    /// Waits until the stream is ready, and answers for what; 0 if a signal handler has run.
    #[inline]
    fn wait(&self, events: i16, deadline: Deadline) -> Result<i16, Gone> {
        let left = deadline.map(|deadline| deadline.checked_sub(now()).unwrap_or(Timespec::ZERO));
        let alive = self.shared.as_ref().map_or(FileDescriptor(-1), |shared| shared.alive.near());
        let mut entries = [PollFd { fd: self.stream.near(), events, revents: 0 }, in_entry(alive)];
        let answer = near::ppoll(&Local, &mut entries, left, None);
        let [stream, alive] = entries;
        match answer {
            Err(Errno::EINTR) => Ok(0),
            Err(_) => Err(Gone::Ended),
            Ok(0) => Err(Gone::Late),
            // What it sent before it ended is still received.
            Ok(_) if stream.revents & events & PollFd::IN != 0 => Ok(stream.revents),
            Ok(_) if alive.revents != 0 => Err(Gone::Ended),
            Ok(_) => Ok(stream.revents),
        }
    }

    /// Receives the next word of the answer to the last call.
    #[inline]
    pub(super) fn own_word(&self, inbox: &mut Inbox, deadline: Deadline) -> Result<usize, Gone> {
        let owed = self.owed.get();
        loop {
            if self.unwanted.get() == 0 {
                if let Some(word) = inbox.word(owed) {
                    let mut bytes = [MaybeUninit::uninit(); RESPONSE];
                    inbox.take(owed, &mut bytes);
                    return Ok(word);
                }
            }
            self.fill(inbox, deadline)?;
        }
    }

    /// Receives the next bytes of the answer to the last call.
    #[inline]
    pub(super) fn own_bytes(
        &self,
        inbox: &mut Inbox,
        mut to: &mut [MaybeUninit<u8>],
        deadline: Deadline,
    ) -> Result<(), Gone> {
        /// From here on it is worth a call of its own to spare the bytes a detour.
        const LARGE: usize = 1024;
        let owed = self.owed.get();
        while !to.is_empty() {
            let count = match () {
                () if inbox.len() > owed => inbox.take(owed, to),
                () if inbox.len() == owed && self.unwanted.get() == 0 && to.len() >= LARGE => {
                    self.receive(to, 0, deadline)?
                }
                () => {
                    self.fill(inbox, deadline)?;
                    0
                }
            };
            to = to.get_mut(count..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Memory for the kernel to write, and nobody else: nothing uninitialised ever gets there.
#[inline]
fn uninit(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let bytes = slice_from_raw_parts_mut(bytes.as_mut_ptr().cast::<MaybeUninit<u8>>(), bytes.len());
    // SAFETY: the same memory for the same borrow.
    unsafe { &mut *bytes }
}
