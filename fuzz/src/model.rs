//! What eventfds do, said a second time and as shortly as it can be.

use rsyscall::Errno;

/// An open description: shared by the numbers that stand for it.
struct Shared {
    count: u64,
    semaphore: bool,
    nonblocking: bool,
}

/// A table of numbers, each with its description and its `FD_CLOEXEC`.
pub(crate) struct Model {
    table: Vec<Option<(usize, bool)>>,
    shared: Vec<Shared>,
}

type Answer = Result<u64, Errno>;

impl Model {
    pub(crate) fn new(numbers: usize) -> Self {
        Self { table: vec![None; numbers], shared: Vec::new() }
    }

    fn look(&self, fd: usize) -> Result<(usize, bool), Errno> {
        self.table.get(fd).copied().flatten().ok_or(Errno::EBADF)
    }

    fn place(&mut self, entry: (usize, bool)) -> Answer {
        let free = self.table.iter().position(Option::is_none).ok_or(Errno::EMFILE)?;
        self.table[free] = Some(entry);
        Ok(free as u64)
    }

    pub(crate) fn eventfd(&mut self, count: u32, semaphore: bool, nonblocking: bool, cloexec: bool) -> Answer {
        self.shared.push(Shared { count: count.into(), semaphore, nonblocking });
        self.place((self.shared.len() - 1, cloexec))
    }

    pub(crate) fn dup(&mut self, fd: usize, cloexec: bool) -> Answer {
        let (shared, _) = self.look(fd)?;
        self.place((shared, cloexec))
    }

    pub(crate) fn close(&mut self, fd: usize) -> Answer {
        self.look(fd).map(|_| self.table[fd] = None).map(|()| 0)
    }

    /// `nowait` is what a call of its own says; a call that would sleep is `EDEADLK`.
    pub(crate) fn read(&mut self, fd: usize, nowait: bool) -> Answer {
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

    pub(crate) fn write(&mut self, fd: usize, value: u64) -> Answer {
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

    pub(crate) fn set_nonblocking(&mut self, fd: usize, on: bool) -> Answer {
        let (shared, _) = self.look(fd)?;
        self.shared[shared].nonblocking = on;
        Ok(0)
    }

    pub(crate) fn is_nonblocking(&self, fd: usize) -> Answer {
        self.look(fd).map(|(shared, _)| self.shared[shared].nonblocking.into())
    }

    pub(crate) fn set_cloexec(&mut self, fd: usize, on: bool) -> Answer {
        let (shared, _) = self.look(fd)?;
        self.table[fd] = Some((shared, on));
        Ok(0)
    }

    pub(crate) fn is_cloexec(&self, fd: usize) -> Answer {
        self.look(fd).map(|(_, cloexec)| cloexec.into())
    }

    pub(crate) fn count(&self, fd: usize) -> Option<u64> {
        self.look(fd).ok().map(|(shared, _)| self.shared[shared].count)
    }
}
