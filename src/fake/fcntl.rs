//! Duplicates, flags and limits: `close`, `dup`, `fcntl`, `ioctl`, `prlimit64`.

use super::Kernel;
use super::memory::Arguments;
use super::table::{O_NONBLOCK, Open, Slot};
use crate::Errno;
use crate::arch::this::{FIOCLEX, FIONBIO, FIONCLEX, O_DIRECT};
use crate::near::fcntl::{F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_SETFD, FD_CLOEXEC};

// `include/uapi/asm-generic/fcntl.h` and `include/uapi/linux/fcntl.h`.
const F_DUPFD: u32 = 0;
const F_SETFL: u32 = 4;
const O_RDWR: u32 = 0o2;
const O_APPEND: u32 = 0o2000;
const O_NOATIME: u32 = 0o1000000;
const O_CLOEXEC: u32 = 0o2000000;
/// `include/uapi/asm-generic/resource.h`.
const RLIMIT_NOFILE: u32 = 7;
/// The number of resources that have a limit.
const RLIM_NLIMITS: u32 = 16;

impl Kernel<'_> {
    pub(super) fn close(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        self.table.close(args.fd(0)).map(|()| 0)
    }

    pub(super) fn dup(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let open = self.table.open(args.fd(0))?;
        self.duplicate(open, 0, false)
    }

    pub(super) fn dup2(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let (from, to) = (args.fd(0), args.fd(1));
        if from == to { self.table.open(from).map(|open| open.index) } else { self.replace(from, to, false) }
    }

    pub(super) fn dup3(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let (from, to, flags) = (args.fd(0), args.fd(1), args.int(2));
        if flags & !O_CLOEXEC != 0 || from == to {
            return Err(Errno::EINVAL);
        }
        self.replace(from, to, flags == O_CLOEXEC)
    }

    fn replace(&self, from: usize, to: usize, cloexec: bool) -> Result<usize, Errno> {
        if to >= self.table.limit() {
            return Err(Errno::EBADF);
        }
        let open = self.table.open(from)?;
        self.table.install(to, Slot { cloexec, ..open.slot });
        Ok(to)
    }

    fn duplicate(&self, open: Open, from: usize, cloexec: bool) -> Result<usize, Errno> {
        let index = self.table.free_index(from)?;
        self.table.install(index, Slot { cloexec, ..open.slot });
        Ok(index)
    }

    pub(super) fn fcntl(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let open = self.table.open(args.fd(0))?;
        let value = args.int(2);
        match args.int(1) {
            command @ (F_DUPFD | F_DUPFD_CLOEXEC) => {
                let from = value as usize;
                if from >= self.table.limit() {
                    return Err(Errno::EINVAL);
                }
                self.duplicate(open, from, command == F_DUPFD_CLOEXEC)
            }
            F_GETFD => Ok(usize::from(open.slot.cloexec)),
            F_SETFD => {
                self.table.set_cloexec(open, value & FD_CLOEXEC != 0);
                Ok(0)
            }
            F_GETFL => Ok((O_RDWR | open.description.status) as usize),
            F_SETFL => {
                if value & O_DIRECT != 0 {
                    return Err(Errno::EINVAL);
                }
                self.set_status(open, value & (O_APPEND | O_NONBLOCK | O_NOATIME));
                Ok(0)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    pub(super) fn ioctl(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let open = self.table.open(args.fd(0))?;
        match args.int(1) {
            FIOCLEX => self.table.set_cloexec(open, true),
            FIONCLEX => self.table.set_cloexec(open, false),
            FIONBIO => {
                let others = open.description.status & !O_NONBLOCK;
                let on = i32::from_ne_bytes(args.read(2)?) != 0;
                self.set_status(open, if on { others | O_NONBLOCK } else { others });
            }
            _ => return Err(Errno::ENOTTY),
        }
        Ok(0)
    }

    fn set_status(&self, open: Open, status: u32) {
        let _found = self.table.change(open.slot.description, |description| description.status = status);
    }

    /// Implements `RLIMIT_NOFILE` of the kernel's one process; the hard limit is the size of the storage.
    pub(super) fn prlimit64(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let resource = args.int(1);
        if resource >= RLIM_NLIMITS {
            return Err(Errno::EINVAL);
        }
        if args.int(0) > 1 {
            return Err(Errno::ESRCH);
        }
        if resource != RLIMIT_NOFILE {
            return Err(Errno::ENOSYS);
        }
        let (soft, hard) = (self.table.limit() as u64, self.table.capacity() as u64);
        if args.word(2) != 0 {
            let [new_soft, new_hard] = unpack(&args.read(2)?);
            if new_soft > new_hard {
                return Err(Errno::EINVAL);
            }
            // A lower hard limit is accepted and ignored: the storage keeps its size.
            if new_hard > hard {
                return Err(Errno::EPERM);
            }
            self.table.set_limit(usize::try_from(new_soft).unwrap_or(usize::MAX));
        }
        if args.word(3) != 0 {
            args.write(3, &pack([soft, hard]))?;
        }
        Ok(0)
    }
}

/// Encodes two words in native byte order.
pub(super) fn pack(words: [u64; 2]) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(words.iter().flat_map(|word| word.to_ne_bytes())) {
        *to = from;
    }
    bytes
}

/// Decodes two words.
pub(super) fn unpack(bytes: &[u8; 16]) -> [u64; 2] {
    let word = |half: Option<&[u8; 8]>| half.map_or(0, |bytes| u64::from_ne_bytes(*bytes));
    [word(bytes.first_chunk()), word(bytes.last_chunk())]
}
