//! Many calls on their way at once.

use super::answers::Receipt;
use super::connection::Connection;
use super::disconnect::Disconnect;
use super::inbox::OWED_LIMIT;
use super::layout::{ARGS, Layout, Piece, Shape};
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
    /// A number, passed as it is.
    Word(usize),
    /// Memory that the call reads; sent at once.
    In(&'a [u8]),
    /// Memory that the call reads, at once sent, and writes: what it wrote comes when the call completes.
    InOut(&'a [u8]),
    /// Memory of this length that the call writes: what it wrote comes when the call completes.
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

/// Which call of a pipeline: the first has number 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A call that was answered, or will never be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// Which.
    pub ticket: Ticket,
    /// Its answer.
    pub result: Result<usize, Error>,
}

/// Why a call was not submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubmitError {
    /// As many calls are on their way as there is room for: complete one first. With nothing on its way: the call
    /// itself writes more than any pipeline has room for.
    Full,
    /// The descriptor is not one of this connection's own: another task could close it before the call is made. Those
    /// of a shared table go through [`Pipeline::submit`].
    Foreign,
    /// The call, or the one that was to get scratch space for it, failed: it is never [`Error::Hangup`] without being
    /// made.
    Call(Error),
}

impl fmt::Display for SubmitError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the pipeline is full"),
            Self::Foreign => f.write_str("the descriptor is not the connection's own"),
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

/// Equal if the kernel refused the call with this error.
impl PartialEq<Errno> for SubmitError {
    fn eq(&self, errno: &Errno) -> bool {
        matches!(self, Self::Call(error) if error == errno)
    }
}

/// Room for one submitted call.
#[derive(Debug, Clone, Copy)]
pub struct CallSlot {
    receipt: Receipt,
    shape: Shape,
}

impl CallSlot {
    /// Nothing yet.
    pub const EMPTY: Self = Self { receipt: Receipt::NONE, shape: Shape { in_len: 0, out_len: 0 } };
}

/// Calls through a [`Connection`] that are submitted without waiting, and complete in the order of their submission.
///
/// It never waits unless asked to, so one thread can keep many processes busy: poll [`Connection::as_raw_fd`], then
/// [`try_complete`](Self::try_complete). A call that sleeps in the other process keeps back only those behind it;
/// [`Child::interrupt`](super::Child::interrupt) ends it with `EINTR`.
///
/// Meanwhile the connection can be used as always: a call made with it comes after what was submitted, and waits for
/// it.
///
/// Dropped, it leaves what is on its way to be made, and its answers to be thrown away.
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
    /// A pipeline with room for as many calls as there are slots. `None` while there is another.
    ///
    /// The connection reads ahead 1792 bytes at most: so many bytes can the answers on their way have together, 8 for a
    /// call without memory, 16 for a write of an eventfd, 24 for a read.
    #[inline]
    pub fn pipeline<'c, 's>(&'c self, slots: &'s mut [CallSlot]) -> Option<Pipeline<'c, 's>> {
        self.exchange()?.open_pipeline().then_some(Pipeline { connection: self, slots, first: 0, next: 0 })
    }
}

impl Pipeline<'_, '_> {
    /// How many calls are on their way.
    #[inline]
    pub fn pending(&self) -> usize {
        usize::try_from(self.next.wrapping_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// Sends a call, and does not wait for its answer.
    ///
    /// It waits for room in the stream, if the other process does not read. The first call with memory, and one with
    /// more than any before, also gets scratch space: [`Connection::reserve_scratch`] does that beforehand.
    ///
    /// System calls: `sendto`; to get scratch space also `recvfrom`; to wait for room also `ppoll`, and with a timeout
    /// `clock_gettime`. There, the call, and for its memory `recvfrom` and `sendto`.
    ///
    /// # Errors
    ///
    /// The call was not submitted, and not executed. [`Full`](SubmitError::Full); [`Error::NotSent`]; the refusal of
    /// scratch space. After [`Error::Hangup`] the call may have been executed.
    ///
    /// # Safety
    ///
    /// As for [`SyscallInterface::syscall`](crate::sysif::SyscallInterface::syscall), at whatever later moment it is
    /// made.
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
        if pending >= self.slots.len() || exchange.answers().owed().saturating_add(shape.len()) > OWED_LIMIT {
            return Err(SubmitError::Full);
        }
        exchange.check().map_err(SubmitError::Call)?;
        if pending != 0 && !exchange.has_scratch(layout.len()) {
            // To get scratch space is to wait for all that was submitted before.
            return Err(SubmitError::Full);
        }
        let deadline = exchange.begin(self.connection.timeout());
        let receipt = exchange.post(nr, pieces, &layout, deadline).map_err(SubmitError::Call)?;
        exchange.answers().owe(shape);
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

    /// Submits [`EventFd::write`]: it completes with 8.
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
        self.check_own(eventfd)?;
        let value = value.to_ne_bytes();
        // SAFETY: owned, and closed only through this connection: not before this call, for calls are made in order.
        unsafe { self.submit(nr::WRITE, [eventfd.near().into(), Operand::In(&value), Operand::Word(8)]) }
    }

    /// Submits [`EventFd::read`]: it completes with 8, and the count in the eight bytes given to
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
        self.check_own(eventfd)?;
        // SAFETY: owned, and closed only through this connection: not before this call, for calls are made in order.
        unsafe { self.submit(nr::READ, [eventfd.near().into(), Operand::Out(8), Operand::Word(8)]) }
    }

    #[inline]
    fn check_own<T>(&self, eventfd: &EventFd<T>) -> Result<(), SubmitError>
    where
        T: FileDescriptorTask<Interface = Connection>,
    {
        let task = eventfd.task();
        let own = core::ptr::eq(task.sysif(), self.connection) && task.fd_table() != FdTable::CURRENT;
        if own { Ok(()) } else { Err(SubmitError::Foreign) }
    }

    /// Waits for the next call to complete; `None` if none is on its way. What the call wrote is written at the
    /// beginning of `out`, as much as fits: the memory of its operands one after the other, each at the next multiple
    /// of eight.
    ///
    /// The calls that will never complete complete with [`Error::Hangup`].
    ///
    /// System calls: `recvfrom`, unless the answer was read ahead.
    #[inline]
    pub fn complete(&mut self, out: &mut [u8]) -> Option<Completion> {
        self.complete_before(out, None)
    }

    /// As [`complete`](Self::complete), for a limited time. `None` if nothing completed: it is still on its way, and
    /// can be completed later.
    ///
    /// System calls: `recvfrom`, `ppoll`, `clock_gettime`, unless the answer was read ahead.
    #[inline]
    pub fn complete_timeout(&mut self, out: &mut [u8], timeout: Duration) -> Option<Completion> {
        self.complete_before(out, Some(deadline_after(timeout)))
    }

    /// As [`complete`](Self::complete), without waiting. `None` if nothing completed.
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
        let result = match exchange.first_owed(shape, receipt, out, deadline) {
            Ok(ret) => Errno::from_ret(ret).map_err(Error::Os),
            Err(Disconnect::TimedOut) => return None,
            Err(why) => Err(exchange.fail(why, receipt)),
        };
        exchange.answers().give(shape);
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
