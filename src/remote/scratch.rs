//! Memory of the other process through which arguments travel.

use super::answers::Answers;
use super::disconnect::Disconnect;
use super::stream::Deadline;
use super::wire::Request;
use crate::Errno;
use crate::near::{self, FileDescriptor, MSG_DONTWAIT};
use crate::nr;
use crate::sysif::Arg;

/// How much is requested at first: a page of the smallest kind.
const FIRST: usize = 4096;

/// The scratch space of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scratch {
    address: usize,
    len: usize,
    /// Whether this client requested it, and so gives it back.
    mapped: bool,
    /// Whether the server is known to move memory on request.
    probed: bool,
}

/// Why there is none.
pub(super) enum ReserveError {
    /// The kernel refused a call that was to get it.
    Os(Errno),
    /// The connection has ended.
    Disconnected(Disconnect),
}

impl From<Disconnect> for ReserveError {
    #[inline]
    fn from(why: Disconnect) -> Self {
        Self::Disconnected(why)
    }
}

impl From<Errno> for ReserveError {
    #[inline]
    fn from(errno: Errno) -> Self {
        Self::Os(errno)
    }
}

impl Scratch {
    /// None yet, in a process of which nothing is known.
    pub(super) const NONE: Self = Self { address: 0, len: 0, mapped: false, probed: false };

    /// Memory that the server itself gave, in a process that is known to move memory on request.
    #[inline]
    pub(super) const fn given(address: usize, len: usize) -> Self {
        Self { address, len, mapped: false, probed: true }
    }

    #[inline]
    pub(super) const fn address(&self) -> usize {
        self.address
    }

    /// Whether `len` bytes can be moved without another call.
    #[inline]
    pub(super) const fn has(&self, len: usize) -> bool {
        len == 0 || (len <= self.len && self.probed)
    }

    /// Makes sure of `len` bytes, and that the server moves them on request.
    #[cold]
    #[inline]
    pub(super) fn reserve(
        &mut self,
        answers: &mut Answers,
        server: FileDescriptor,
        len: usize,
        deadline: Deadline,
    ) -> Result<(), ReserveError> {
        let mut call = |nr, args| match answers.request(Request { nr, args }, deadline) {
            (_, Ok(ret)) => Ok(Errno::from_ret(ret)),
            (_, Err(why)) => Err(why),
        };
        if len > self.len {
            let len = len.max(FIRST).checked_next_multiple_of(FIRST).ok_or(Errno::ENOMEM)?;
            let address = near::fresh_memory(len, |nr, args| Ok::<_, ReserveError>(call(nr, args)??))?;
            let old = core::mem::replace(self, Self { address, len, mapped: true, probed: self.probed });
            if let Some(request) = old.unmap() {
                // A refusal is ignored: a policy may lack `munmap`, and then the old space stays mapped.
                let _ignored = call(request.nr, request.args)?;
            }
        }
        if !self.probed {
            probe_transfer(call, Arg::from(server).word(), self.address)?;
            self.probed = true;
        }
        Ok(())
    }

    /// The request that gives it back, if this client requested it.
    #[inline]
    pub(super) fn unmap(&self) -> Option<Request> {
        self.mapped.then_some(Request { nr: nr::MUNMAP, args: [self.address, self.len, 0, 0, 0, 0] })
    }
}

/// Requests a transfer of nothing in either direction, before any byte depends on it: a server that refuses only the
/// transfer and not its bytes would take those bytes for requests.
#[inline]
fn probe_transfer(
    mut call: impl FnMut(usize, [usize; 6]) -> Result<Result<usize, Errno>, Disconnect>,
    server: usize,
    address: usize,
) -> Result<(), ReserveError> {
    call(nr::SENDTO, [server, address, 0, 0, 0, 0])??;
    // From a stream on which nothing waits: it would block, and is requested not to.
    match call(nr::RECVFROM, [server, address, 1, MSG_DONTWAIT as usize, 0, 0])? {
        Err(Errno::EAGAIN) => Ok(()),
        Err(errno) => Err(errno.into()),
        Ok(_) => Err(Disconnect::OutOfStep.into()),
    }
}
