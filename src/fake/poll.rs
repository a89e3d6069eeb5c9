//! `ppoll`.

use super::Kernel;
use super::clock::duration;
use super::fcntl::pack;
use super::memory::Arguments;
use super::sleep::{Blocked, Wake};
use crate::Errno;
use crate::near::{FileDescriptor, PollFd};
use core::time::Duration;

/// `struct pollfd` in bytes: the file descriptor, the requested events, the returned events.
const ENTRY: usize = size_of::<PollFd>();

impl Kernel<'_> {
    pub(super) fn ppoll(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let deadline = match args.word(2) {
            0 => None,
            _ => Some(self.after(duration(args.read(2)?)?)),
        };
        args.signal_mask(3)?;
        let count = args.word(1);
        if count > self.table.limit() {
            return Err(Errno::EINVAL);
        }
        let len = count.saturating_mul(ENTRY);
        let result = self.poll(args, len, deadline);
        // The remaining time is written back where that is possible; a timeout of zero is not.
        if let (Some(deadline), true) = (deadline, args.read(2) != Ok([0; 16])) {
            let left = deadline.saturating_sub(self.now());
            let _ignored = args.write(2, &pack([left.as_secs(), u64::from(left.subsec_nanos())]));
        }
        result
    }

    fn poll(&self, args: &mut Arguments<'_, '_>, len: usize, deadline: Option<Duration>) -> Result<usize, Errno> {
        let entries: &mut [u8] = match len {
            0 => &mut [],
            _ => args.bytes_mut(0).and_then(|memory| memory.get_mut(..len)).ok_or(Errno::EFAULT)?,
        };
        loop {
            let ready = self.poll_once(entries);
            let expired = deadline.is_some_and(|deadline| deadline <= self.now());
            if ready > 0 || expired {
                return Ok(ready);
            }
            match self.sleep(Blocked::Poll { fd: first(entries), deadline }) {
                Wake::Retry => {}
                Wake::Interrupt => return Err(Errno::EINTR),
                Wake::Nothing => self.advance_to(deadline.ok_or(Errno::EDEADLK)?),
            }
        }
    }

    /// Writes the returned events of every entry, and returns the number of ready ones.
    fn poll_once(&self, entries: &mut [u8]) -> usize {
        let mut ready: usize = 0;
        for entry in entries.chunks_exact_mut(ENTRY) {
            let Some([n0, n1, n2, n3, e0, e1, r0, r1]) = entry.first_chunk_mut() else { continue };
            let fd = i32::from_ne_bytes([*n0, *n1, *n2, *n3]);
            let found = self.revents(fd, i16::from_ne_bytes([*e0, *e1]));
            [*r0, *r1] = found.to_ne_bytes();
            ready = ready.saturating_add(usize::from(found != 0));
        }
        ready
    }

    fn revents(&self, fd: i32, requested: i16) -> i16 {
        // A negative file descriptor is ignored.
        let Ok(index) = usize::try_from(fd) else { return 0 };
        match self.table.open(index) {
            // `POLLERR` and `POLLHUP` need not be added: no file here ever reports them.
            Ok(open) => self.ready(open.slot.description) & requested,
            Err(_) => PollFd::NVAL,
        }
    }
}

/// Returns the first file descriptor that is polled.
fn first(entries: &[u8]) -> Option<FileDescriptor> {
    let descriptors = entries.chunks_exact(ENTRY).filter_map(|entry| entry.first_chunk());
    descriptors.map(|fd| i32::from_ne_bytes(*fd)).find(|fd| *fd >= 0).map(FileDescriptor)
}
