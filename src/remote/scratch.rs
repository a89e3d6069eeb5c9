//! Memory in the other process for the arguments of calls.

use super::disconnect::Disconnect;
use super::responses::Responses;
use super::stream::Deadline;
use super::wire::Request;
use crate::Errno;
use crate::near::{self, FileDescriptor, MSG_DONTWAIT};
use crate::nr;
use crate::sysif::Arg;

/// The first size: the smallest page.
const FIRST: usize = 4096;

/// The scratch space of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scratch {
    address: usize,
    len: usize,
    /// Whether this client mapped it, and so unmaps it.
    mapped: bool,
    /// Whether the server is known to transfer memory on request.
    probed: bool,
}

/// Why there is no scratch space.
pub(super) enum ReserveError {
    /// A call to allocate it failed.
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
    /// No scratch space yet, in a process about which nothing is known.
    pub(super) const NONE: Self = Self { address: 0, len: 0, mapped: false, probed: false };

    /// Creates scratch space in memory of the server, which is known to transfer memory on request.
    #[inline]
    pub(super) const fn given(address: usize, len: usize) -> Self {
        Self { address, len, mapped: false, probed: true }
    }

    #[inline]
    pub(super) const fn address(&self) -> usize {
        self.address
    }

    /// Returns whether `len` bytes can be transferred without another call.
    #[inline]
    pub(super) const fn has(&self, len: usize) -> bool {
        len == 0 || (len <= self.len && self.probed)
    }

    /// Ensures that there are `len` bytes, and that the server transfers memory on request.
    #[cold]
    #[inline]
    pub(super) fn reserve(
        &mut self,
        responses: &mut Responses,
        server: FileDescriptor,
        len: usize,
        deadline: Deadline,
    ) -> Result<(), ReserveError> {
        let mut call = |nr, args| match responses.request(Request { nr, args }, deadline) {
            (_, Ok(ret)) => Ok(Errno::from_ret(ret)),
            (_, Err(why)) => Err(why),
        };
        if len > self.len {
            let len = len.max(FIRST).checked_next_multiple_of(FIRST).ok_or(Errno::ENOMEM)?;
            let address = near::fresh_memory(len, |nr, args| Ok::<_, ReserveError>(call(nr, args)??))?;
            let old = core::mem::replace(self, Self { address, len, mapped: true, probed: self.probed });
            if let Some(request) = old.unmap() {
                // An error is ignored: a policy may not allow `munmap`, and then the old space stays mapped.
                let _ignored = call(request.nr, request.args)?;
            }
        }
        if !self.probed {
            probe_transfer(call, Arg::from(server).word(), self.address)?;
            self.probed = true;
        }
        Ok(())
    }

    /// Returns the request that unmaps it, if this client mapped it.
    #[inline]
    pub(super) fn unmap(&self) -> Option<Request> {
        self.mapped.then_some(Request { nr: nr::MUNMAP, args: [self.address, self.len, 0, 0, 0, 0] })
    }
}

/// Requests an empty transfer in each direction, before any data is sent: a server that refused the transfer would take
/// its bytes for requests.
#[inline]
fn probe_transfer(
    mut call: impl FnMut(usize, [usize; 6]) -> Result<Result<usize, Errno>, Disconnect>,
    server: usize,
    address: usize,
) -> Result<(), ReserveError> {
    call(nr::SENDTO, [server, address, 0, 0, 0, 0])??;
    // No data is waiting in the stream, so with `MSG_DONTWAIT` it fails with `EAGAIN`.
    match call(nr::RECVFROM, [server, address, 1, MSG_DONTWAIT as usize, 0, 0])? {
        Err(Errno::EAGAIN) => Ok(()),
        Err(errno) => Err(errno.into()),
        Ok(_) => Err(Disconnect::OutOfStep.into()),
    }
}
