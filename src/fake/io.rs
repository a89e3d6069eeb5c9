//! `eventfd2`, `read`, `write` and their variants.

use super::Kernel;
use super::counter::Counter;
use super::memory::{Arguments, access_ok};
use super::sleep::Blocked;
use super::table::{Kind, O_NONBLOCK, Open};
use crate::Errno;
use crate::near::EventfdFlags;

/// The size of a count in bytes.
const COUNT: usize = size_of::<u64>();

// `include/uapi/linux/fs.h`.
const RWF_HIPRI: u32 = 0x01;
const RWF_DSYNC: u32 = 0x02;
const RWF_SYNC: u32 = 0x04;
const RWF_NOWAIT: u32 = 0x08;
const RWF_APPEND: u32 = 0x10;
/// `include/uapi/linux/uio.h`.
const UIO_MAXIOV: usize = 1024;
/// The offset that means "at the file position".
const HERE: usize = usize::MAX;

impl Kernel<'_> {
    pub(super) fn eventfd2(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let count = u64::from(args.int(0));
        let flags = EventfdFlags::from_bits(args.int(1)).ok_or(Errno::EINVAL)?;
        let counter = Counter { count, semaphore: flags.contains(EventfdFlags::SEMAPHORE) };
        let status = if flags.contains(EventfdFlags::NONBLOCK) { O_NONBLOCK } else { 0 };
        self.table.create(Kind::Eventfd(counter), status, flags.contains(EventfdFlags::CLOEXEC))
    }

    pub(super) fn read(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let open = self.table.open(args.fd(0))?;
        let len = args.word(2);
        access_ok(args.word(1), len)?;
        if matches!(open.description.kind, Kind::Signalfd(_)) {
            return self.read_signals(open, args);
        }
        let count = self.take(open, len, !open.description.is_nonblocking())?;
        // After the count is taken, as in the kernel: with a bad address the count is lost.
        args.write(1, &count.to_ne_bytes())?;
        Ok(COUNT)
    }

    pub(super) fn write(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let open = self.table.open(args.fd(0))?;
        let len = args.word(2);
        access_ok(args.word(1), len)?;
        let longer_allowed = !self.is_at_least(6, 9);
        if len != COUNT && !(longer_allowed && len > COUNT) {
            return Err(Errno::EINVAL);
        }
        let value = u64::from_ne_bytes(args.read(1)?);
        if value == u64::MAX {
            return Err(Errno::EINVAL);
        }
        let may_sleep = !open.description.is_nonblocking();
        self.attempt(open, may_sleep, Blocked::Write(open.fd(), value), |counter| counter.add(value))?;
        Ok(COUNT)
    }

    /// Implements `readv`, and `preadv2` at the file position, which has flags.
    pub(super) fn readv(&self, args: &mut Arguments<'_, '_>, flags: u32) -> Result<usize, Errno> {
        let open = self.table.open(args.fd(0))?;
        let pieces = args.word(2);
        if pieces > UIO_MAXIOV {
            return Err(Errno::EINVAL);
        }
        // With no `iovec` the address is not accessed.
        let len = if pieces == 0 { 0 } else { args.vector_len(1, pieces)? };
        if len == 0 {
            return Ok(0);
        }
        let known =
            if self.is_at_least(5, 8) { RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND } else { RWF_HIPRI };
        if flags & !known != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let may_sleep = !open.description.is_nonblocking() && flags & RWF_NOWAIT == 0;
        if !self.is_at_least(5, 8) {
            return self.read_pieces(open, args, may_sleep);
        }
        let count = self.take(open, len, may_sleep)?;
        args.write_vector(1, &count.to_ne_bytes());
        Ok(COUNT)
    }

    /// Reads the `iovec`s one by one, each by a `read`, until one is not filled: before 5.8 an eventfd has no
    /// `read_iter`.
    fn read_pieces(&self, open: Open, args: &mut Arguments<'_, '_>, may_sleep: bool) -> Result<usize, Errno> {
        let mut moved: usize = 0;
        for piece in 0..args.word(2) {
            let Some(memory) = args.piece(1, piece) else { break };
            match self.take(open, memory.len(), may_sleep) {
                Ok(count) => {
                    for (to, from) in memory.iter_mut().zip(count.to_ne_bytes()) {
                        to.write(from);
                    }
                    moved = moved.saturating_add(COUNT);
                    if memory.len() != COUNT {
                        break;
                    }
                }
                // After a partial transfer the number of bytes is returned instead of the error.
                Err(_) if moved > 0 => break,
                Err(errno) => return Err(errno),
            }
        }
        Ok(moved)
    }

    pub(super) fn preadv2(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        // The fifth word is the upper half of the position on 32-bit kernels only.
        match args.word(3) {
            HERE => {
                let flags = args.int(5);
                self.readv(args, flags)
            }
            position => self.at_position(args, position),
        }
    }

    /// Fails: an eventfd has no `write_iter`, so the kernel writes the `iovec`s one by one, which allows no flag but
    /// `RWF_HIPRI`. The memory of the `iovec`s is not named by any [`Arg`](crate::sysif::Arg), so it counts as not
    /// mapped.
    pub(super) fn pwritev2(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let position = args.word(3);
        if position != HERE {
            return self.at_position(args, position);
        }
        self.table.open(args.fd(0))?;
        Err(if args.int(5) & !RWF_HIPRI != 0 { Errno::EOPNOTSUPP } else { Errno::EFAULT })
    }

    /// Implements `pread64` and `pwrite64`: an eventfd is not seekable.
    pub(super) fn positioned(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let position = args.word(3);
        self.at_position(args, position)
    }

    fn at_position(&self, args: &mut Arguments<'_, '_>, position: usize) -> Result<usize, Errno> {
        if isize::try_from(position).is_err() {
            return Err(Errno::EINVAL);
        }
        self.table.open(args.fd(0))?;
        Err(Errno::ESPIPE)
    }

    /// Fails with `ESPIPE`, or since 6.0 returns 0: an eventfd is not seekable.
    pub(super) fn lseek(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        /// `SEEK_HOLE`, the last value.
        const SEEK_MAX: u32 = 4;
        self.table.open(args.fd(0))?;
        match args.int(2) {
            0..=SEEK_MAX if self.is_at_least(6, 0) => Ok(0),
            0..=SEEK_MAX => Err(Errno::ESPIPE),
            _ => Err(Errno::EINVAL),
        }
    }

    fn take(&self, open: Open, len: usize, may_sleep: bool) -> Result<u64, Errno> {
        if len < COUNT {
            return Err(Errno::EINVAL);
        }
        self.attempt(open, may_sleep, Blocked::Read(open.fd()), Counter::take)
    }
}
