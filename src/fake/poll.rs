//! `ppoll`, and the clock that only tests move.

use super::Kernel;
use super::fcntl::{pack, unpack};
use super::memory::Arguments;
use super::sleep::{Blocked, Wake};
use super::table::Kind;
use crate::Errno;
use crate::near::{FileDescriptor, PollFd};
use core::time::Duration;

/// `struct pollfd` in bytes: number, what is asked, what was found.
const ENTRY: usize = size_of::<PollFd>();
/// The last moment that a `timespec` can say.
const END_OF_TIME: Duration = Duration::new(i64::MAX.unsigned_abs(), 999_999_999);

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
        // What is left of the time is written back where that is possible; a time of zero never is.
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
            let ready = self.look(entries);
            let over = deadline.is_some_and(|deadline| deadline <= self.now());
            if ready > 0 || over {
                return Ok(ready);
            }
            match self.sleep(Blocked::Poll { fd: first(entries), deadline }) {
                Wake::Retry => {}
                Wake::Interrupt => return Err(Errno::EINTR),
                Wake::Nothing => self.set_clock(deadline.ok_or(Errno::EDEADLK)?),
            }
        }
    }

    /// Writes into every entry what is found, and counts the ready ones.
    fn look(&self, entries: &mut [u8]) -> usize {
        let mut ready: usize = 0;
        for entry in entries.chunks_exact_mut(ENTRY) {
            let Some([n0, n1, n2, n3, e0, e1, r0, r1]) = entry.first_chunk_mut() else { continue };
            let fd = i32::from_ne_bytes([*n0, *n1, *n2, *n3]);
            let found = self.events(fd, i16::from_ne_bytes([*e0, *e1]));
            [*r0, *r1] = found.to_ne_bytes();
            ready = ready.saturating_add(usize::from(found != 0));
        }
        ready
    }

    fn events(&self, fd: i32, asked: i16) -> i16 {
        // A negative number is passed over.
        let Ok(number) = usize::try_from(fd) else { return 0 };
        match self.table.open(number) {
            // An error or a hang-up, which nobody needs to ask for, nothing here ever has.
            Ok(open) => self.ready(open.slot.description) & asked,
            Err(_) => PollFd::NVAL,
        }
    }

    /// What a poll of a description finds.
    pub(super) fn ready(&self, index: usize) -> i16 {
        match self.table.description(index).map(|description| description.kind) {
            Some(Kind::Eventfd(counter)) => counter.events(),
            Some(Kind::Epoll) if self.has_event(index) => PollFd::IN,
            Some(Kind::Epoll) | None => 0,
        }
    }

    /// The moment that is this far from now.
    pub(super) fn after(&self, time: Duration) -> Duration {
        self.now().saturating_add(time).min(END_OF_TIME)
    }

    pub(super) fn set_clock(&self, to: Duration) {
        self.clock.set(to.min(END_OF_TIME));
    }

    /// Every clock that counts from the start is the same one here; those of the calendar and of processors are
    /// missing.
    pub(super) fn clock_gettime(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        /// `CLOCK_MONOTONIC`, `CLOCK_MONOTONIC_RAW`, `CLOCK_MONOTONIC_COARSE`, `CLOCK_BOOTTIME`.
        const MONOTONIC: [u32; 4] = [1, 4, 6, 7];
        if !MONOTONIC.contains(&args.int(0)) {
            return Err(Errno::EINVAL);
        }
        let now = self.now();
        args.write(1, &pack([now.as_secs(), u64::from(now.subsec_nanos())]))?;
        Ok(0)
    }
}

/// The time that a `timespec` says.
fn duration(timespec: [u8; 16]) -> Result<Duration, Errno> {
    let [seconds, nanoseconds] = unpack(&timespec);
    let nanoseconds = u32::try_from(nanoseconds).ok().filter(|nanoseconds| *nanoseconds < 1_000_000_000);
    match (i64::try_from(seconds), nanoseconds) {
        (Ok(_), Some(nanoseconds)) => Ok(Duration::new(seconds, nanoseconds)),
        _ => Err(Errno::EINVAL),
    }
}

/// The first number that is asked about.
fn first(entries: &[u8]) -> Option<FileDescriptor> {
    let numbers = entries.chunks_exact(ENTRY).filter_map(|entry| entry.first_chunk());
    numbers.map(|number| i32::from_ne_bytes(*number)).find(|number| *number >= 0).map(FileDescriptor)
}
