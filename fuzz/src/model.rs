//! A second, minimal description of eventfds.

use rsyscall::Errno;

/// An open file description: shared by the file descriptors that refer to it.
struct Shared {
    count: u64,
    semaphore: bool,
    nonblocking: bool,
}

/// A table of file descriptors, each with its description and its `FD_CLOEXEC`.
pub(crate) struct Model {
    table: Vec<Option<(usize, bool)>>,
    shared: Vec<Shared>,
}

type Returned = Result<u64, Errno>;

impl Model {
    pub(crate) fn new(len: usize) -> Self {
        Self { table: vec![None; len], shared: Vec::new() }
    }

    fn look(&self, fd: usize) -> Result<(usize, bool), Errno> {
        self.table.get(fd).copied().flatten().ok_or(Errno::EBADF)
    }

    fn place(&mut self, entry: (usize, bool)) -> Returned {
        let free = self.table.iter().position(Option::is_none).ok_or(Errno::EMFILE)?;
        self.table[free] = Some(entry);
        Ok(free as u64)
    }

    pub(crate) fn eventfd(&mut self, count: u32, semaphore: bool, nonblocking: bool, cloexec: bool) -> Returned {
        self.shared.push(Shared { count: count.into(), semaphore, nonblocking });
        self.place((self.shared.len() - 1, cloexec))
    }

    pub(crate) fn dup(&mut self, fd: usize, cloexec: bool) -> Returned {
        let (shared, _) = self.look(fd)?;
        self.place((shared, cloexec))
    }

    pub(crate) fn close(&mut self, fd: usize) -> Returned {
        self.look(fd).map(|_| self.table[fd] = None).map(|()| 0)
    }

    /// `nowait` is a flag of the call; a call that would sleep fails with `EDEADLK`.
    pub(crate) fn read(&mut self, fd: usize, nowait: bool) -> Returned {
        let (shared, _) = self.look(fd)?;
        let eventfd = &mut self.shared[shared];
        match eventfd.count {
            0 if nowait || eventfd.nonblocking => Err(Errno::EAGAIN),
            0 => Err(Errno::EDEADLK),
            count => {
                let taken = if eventfd.semaphore { 1 } else { count };
                eventfd.count -= taken;
                Ok(taken)
            }
        }
    }

    pub(crate) fn write(&mut self, fd: usize, value: u64) -> Returned {
        let (shared, _) = self.look(fd)?;
        let eventfd = &mut self.shared[shared];
        match eventfd.count.checked_add(value) {
            _ if value == u64::MAX => Err(Errno::EINVAL),
            Some(sum) if sum < u64::MAX => {
                eventfd.count = sum;
                Ok(8)
            }
            _ if eventfd.nonblocking => Err(Errno::EAGAIN),
            _ => Err(Errno::EDEADLK),
        }
    }

    pub(crate) fn set_nonblocking(&mut self, fd: usize, on: bool) -> Returned {
        let (shared, _) = self.look(fd)?;
        self.shared[shared].nonblocking = on;
        Ok(0)
    }

    pub(crate) fn is_nonblocking(&self, fd: usize) -> Returned {
        self.look(fd).map(|(shared, _)| self.shared[shared].nonblocking.into())
    }

    pub(crate) fn set_cloexec(&mut self, fd: usize, on: bool) -> Returned {
        let (shared, _) = self.look(fd)?;
        self.table[fd] = Some((shared, on));
        Ok(0)
    }

    pub(crate) fn is_cloexec(&self, fd: usize) -> Returned {
        self.look(fd).map(|(_, cloexec)| cloexec.into())
    }

    pub(crate) fn count(&self, fd: usize) -> Option<u64> {
        self.look(fd).ok().map(|(shared, _)| self.shared[shared].count)
    }
}
