//! Several calls in flight at once.

use super::connection::Connection;
use super::disconnect::Disconnect;
use super::inbox::OWED_LIMIT;
use super::layout::{ARGS, Layout, Piece, Shape};
use super::responses::Receipt;
use super::stream::{Deadline, Moment, deadline_after};
use crate::far::FdTable;
use crate::near::FileDescriptor;
use crate::nr;
use crate::sys::eventfd::EventFd;
use crate::sysif::Error;
use crate::task::FileDescriptorTask;
use crate::{Errno, sysif::Arg};
use core::fmt;
use core::time::Duration;

/// One argument of a submitted call.
#[derive(Debug, Clone, Copy)]
pub enum Operand<'a> {
    /// An integer, passed unchanged.
    Word(usize),
    /// Input: memory that the call reads; sent by the submission.
    In(&'a [u8]),
    /// Memory that the call reads and writes: the input is sent by the submission, the output returned by the
    /// completion.
    InOut(&'a [u8]),
    /// Output of this length: memory that the call writes, returned by the completion.
    Out(usize),
}

impl From<FileDescriptor> for Operand<'_> {
    #[inline]
    fn from(fd: FileDescriptor) -> Self {
        Self::Word(Arg::from(fd).word())
    }
}

impl<'a> Operand<'a> {
    #[inline]
    const fn piece(self) -> Piece<'a> {
        match self {
            Self::Word(word) => Piece::Word(word),
            Self::In(memory) => Piece::In(memory),
            Self::InOut(memory) => Piece::InOut(memory),
            Self::Out(len) => Piece::Out(len),
        }
    }
}

/// Identifies a call of a pipeline: the first is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A completed call: its result, or the error that explains why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// The call.
    pub ticket: Ticket,
    /// Its result.
    pub result: Result<usize, Error>,
}

/// Why a call was not submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubmitError {
    /// The pipeline is full: complete a call first. If no call is pending, the call's own response exceeds the limit of
    /// any pipeline.
    Full,
    /// The file descriptor is not owned through this connection: another task could close it before the call is made.
    /// For file descriptors of a shared table use [`Pipeline::submit`].
    Foreign,
    /// The call could not be sent, or the allocation of scratch space for it failed. With [`Error::Hangup`] the call
    /// may have been executed.
    Call(Error),
}

impl fmt::Display for SubmitError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the pipeline is full"),
            Self::Foreign => f.write_str("the file descriptor is not owned through the connection"),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SubmitError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Full | Self::Foreign => None,
            Self::Call(error) => Some(error),
        }
    }
}

/// Equal if the call failed with this errno.
impl PartialEq<Errno> for SubmitError {
    fn eq(&self, errno: &Errno) -> bool {
        matches!(self, Self::Call(error) if error == errno)
    }
}

/// Memory for one submitted call.
#[derive(Debug, Clone, Copy)]
pub struct CallSlot {
    receipt: Receipt,
    shape: Shape,
}

impl CallSlot {
    /// An empty slot.
    pub const EMPTY: Self = Self { receipt: Receipt::NONE, shape: Shape { in_len: 0, out_len: 0 } };
}

/// Calls through a [`Connection`] that are submitted without waiting for their responses, and complete in the order of
/// their submission.
///
/// So one thread can use many processes at once: poll [`Connection::as_raw_fd`], then
/// [`try_complete`](Self::try_complete). A call that blocks in the other process delays only later calls of its own
/// pipeline; [`Child::interrupt`](super::Child::interrupt) ends it with `EINTR`.
///
/// The connection can be used meanwhile: its calls are executed after the submitted ones, and wait for them.
///
/// If the pipeline is dropped, pending calls are still executed, and their responses are discarded.
///
/// ```
/// use rsyscall::remote::{self, CallSlot, Ticket};
/// use rsyscall::{EventfdFlags, EventfdTask};
///
/// let forked = remote::fork([])?;
/// let bell = forked.task.eventfd(0, EventfdFlags::empty())?;
/// let mut slots = [CallSlot::EMPTY; 8];
/// let mut pipeline = forked.task.sysif().pipeline(&mut slots).unwrap();
/// pipeline.write(&bell, 2)?;
/// pipeline.write(&bell, 3)?;
/// pipeline.read(&bell)?;
/// assert_eq!(pipeline.complete(&mut []).unwrap().result, Ok(8));
/// assert_eq!(pipeline.complete(&mut []).unwrap().result, Ok(8));
/// let mut count = [0; 8];
/// assert_eq!(pipeline.complete(&mut count).unwrap().ticket, Ticket(2));
/// assert_eq!(u64::from_ne_bytes(count), 5);
/// assert_eq!(pipeline.complete(&mut []), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pipeline<'c, 's> {
    connection: &'c Connection,
    slots: &'s mut [CallSlot],
    /// The ticket of the call that completes next.
    first: u64,
    /// The ticket of the call that is submitted next.
    next: u64,
}

impl Connection {
    /// Creates a pipeline with room for as many calls as there are slots. Returns `None` while another pipeline exists.
    ///
    /// The responses to the pending calls can have 1792 bytes together: 8 for a call without memory, 16 for a write of
    /// an eventfd, 24 for a read.
    #[inline]
    pub fn pipeline<'c, 's>(&'c self, slots: &'s mut [CallSlot]) -> Option<Pipeline<'c, 's>> {
        self.exchange()?.open_pipeline().then_some(Pipeline { connection: self, slots, first: 0, next: 0 })
    }
}

impl Pipeline<'_, '_> {
    /// Returns the number of pending calls.
    #[inline]
    pub fn pending(&self) -> usize {
        usize::try_from(self.next.wrapping_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// Sends a call, without waiting for its response.
    ///
    /// It blocks while the stream is full. The first call with memory, and one with more memory than any before, also
    /// allocates scratch space, which [`Connection::reserve_scratch`] does in advance.
    ///
    /// System calls: `sendto`; to allocate scratch space also `recvfrom`; to wait for room also `ppoll`, and with a
    /// timeout `clock_gettime`. There, the call, and for its memory `recvfrom` and `sendto`.
    ///
    /// # Errors
    ///
    /// The call was not submitted, and not executed: [`Full`](SubmitError::Full), [`Error::NotSent`], or the error of
    /// the allocation of scratch space. With [`Error::Hangup`] the call may have been executed.
    ///
    /// # Safety
    ///
    /// As for [`SyscallInterface::syscall`](crate::sysif::SyscallInterface::syscall), at any later time until it is
    /// executed.
    #[inline]
    pub unsafe fn submit<const N: usize>(
        &mut self,
        nr: usize,
        operands: [Operand<'_>; N],
    ) -> Result<Ticket, SubmitError> {
        const { assert!(N <= ARGS, "a system call has at most six arguments") };
        let mut pieces = [Piece::Word(0); ARGS];
        for (piece, operand) in pieces.iter_mut().zip(operands) {
            *piece = operand.piece();
        }
        self.submit_pieces(nr, &pieces)
    }

    #[inline]
    fn submit_pieces(&mut self, nr: usize, pieces: &[Piece<'_>; ARGS]) -> Result<Ticket, SubmitError> {
        let layout = Layout::new(pieces);
        let shape = layout.shape();
        let pending = self.pending();
        let Some(mut exchange) = self.connection.exchange() else { return Err(SubmitError::Call(Error::NotSent)) };
        if pending >= self.slots.len() || exchange.responses().owed().saturating_add(shape.len()) > OWED_LIMIT {
            return Err(SubmitError::Full);
        }
        exchange.check().map_err(SubmitError::Call)?;
        if pending != 0 && !exchange.has_scratch(layout.len()) {
            // The allocation would wait for all pending calls.
            return Err(SubmitError::Full);
        }
        let deadline = exchange.begin(self.connection.timeout());
        let receipt = exchange.post(nr, pieces, &layout, deadline).map_err(SubmitError::Call)?;
        exchange.responses().add_owed(shape);
        drop(exchange);
        let ticket = self.next;
        if let Some(slot) = self.slot(ticket) {
            *slot = CallSlot { receipt, shape };
        }
        self.next = self.next.wrapping_add(1);
        Ok(Ticket(ticket))
    }

    #[inline]
    fn slot(&mut self, ticket: u64) -> Option<&mut CallSlot> {
        let index = usize::try_from(ticket).ok()?.checked_rem(self.slots.len())?;
        self.slots.get_mut(index)
    }

    /// Submits an [`EventFd::write`], which completes with 8.
    ///
    /// System calls: those of [`submit`](Self::submit).
    ///
    /// # Errors
    ///
    /// Those of [`submit`](Self::submit), and [`Foreign`](SubmitError::Foreign).
    #[inline]
    pub fn write<T>(&mut self, eventfd: &EventFd<T>, value: u64) -> Result<Ticket, SubmitError>
    where
        T: FileDescriptorTask<Interface = Connection>,
    {
        self.check_owner(eventfd)?;
        let value = value.to_ne_bytes();
        // SAFETY: owned, and closed only through this connection: not before this call, for calls are made in order.
        unsafe { self.submit(nr::WRITE, [eventfd.near().into(), Operand::In(&value), Operand::Word(8)]) }
    }

    /// Submits an [`EventFd::read`], which completes with 8. The count is in the first eight bytes of the buffer of
    /// [`complete`](Self::complete).
    ///
    /// System calls: those of [`submit`](Self::submit).
    ///
    /// # Errors
    ///
    /// Those of [`submit`](Self::submit), and [`Foreign`](SubmitError::Foreign).
    #[inline]
    pub fn read<T>(&mut self, eventfd: &EventFd<T>) -> Result<Ticket, SubmitError>
    where
        T: FileDescriptorTask<Interface = Connection>,
    {
        self.check_owner(eventfd)?;
        // SAFETY: owned, and closed only through this connection: not before this call, for calls are made in order.
        unsafe { self.submit(nr::READ, [eventfd.near().into(), Operand::Out(8), Operand::Word(8)]) }
    }

    #[inline]
    fn check_owner<T>(&self, eventfd: &EventFd<T>) -> Result<(), SubmitError>
    where
        T: FileDescriptorTask<Interface = Connection>,
    {
        let task = eventfd.task();
        let own = core::ptr::eq(task.sysif(), self.connection) && task.fd_table() != FdTable::CURRENT;
        if own { Ok(()) } else { Err(SubmitError::Foreign) }
    }

    /// Blocks until the next call completes. Returns `None` if none is pending.
    ///
    /// The call's output is written to the beginning of `out`, as much as fits: the memory of its operands one after
    /// the other, each at the next multiple of eight.
    ///
    /// If the connection ends, the pending calls complete with [`Error::Hangup`] or [`Error::NotSent`].
    ///
    /// System calls: `recvfrom`, unless the response was read ahead.
    #[inline]
    pub fn complete(&mut self, out: &mut [u8]) -> Option<Completion> {
        self.complete_before(out, None)
    }

    /// Blocks as [`complete`](Self::complete) does, for at most `timeout`. Returns `None` on timeout, when the call is
    /// still pending and can be completed later, or if no call is pending.
    ///
    /// System calls: `recvfrom`, `ppoll`, `clock_gettime`, unless the response was read ahead.
    #[inline]
    pub fn complete_timeout(&mut self, out: &mut [u8], timeout: Duration) -> Option<Completion> {
        self.complete_before(out, Some(deadline_after(timeout)))
    }

    /// Completes the next call as [`complete`](Self::complete) does, without blocking. Returns `None` if no response
    /// has arrived, or if no call is pending.
    ///
    /// System calls: those of [`complete_timeout`](Self::complete_timeout).
    #[inline]
    pub fn try_complete(&mut self, out: &mut [u8]) -> Option<Completion> {
        self.complete_before(out, Some(Moment::PAST))
    }

    #[inline]
    fn complete_before(&mut self, out: &mut [u8], deadline: Deadline) -> Option<Completion> {
        if self.pending() == 0 {
            return None;
        }
        let ticket = Ticket(self.first);
        let CallSlot { receipt, shape } = *self.slot(self.first)?;
        let mut exchange = self.connection.exchange()?;
        let response =
            exchange.valid_responses().and_then(|responses| responses.first_owed(shape, receipt, out, deadline));
        let result = match response {
            Ok(ret) => Errno::from_ret(ret).map_err(Error::Os),
            Err(Disconnect::TimedOut) => return None,
            Err(why) => Err(exchange.fail(why, receipt)),
        };
        exchange.responses().remove_owed(shape);
        drop(exchange);
        self.first = self.first.wrapping_add(1);
        Some(Completion { ticket, result })
    }
}

impl Drop for Pipeline<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(mut exchange) = self.connection.exchange() {
            exchange.close_pipeline();
        }
    }
}
