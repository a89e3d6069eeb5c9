//! Shared by the tests: a list of the open descriptors.

use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

static ALONE: Mutex<()> = Mutex::new(());

/// The descriptors of this process at some moment, and the lock that keeps other tests from changing them.
pub struct Census {
    before: Vec<(RawFd, String)>,
    _alone: MutexGuard<'static, ()>,
}

impl Census {
    /// Takes the lock, and lists the descriptors.
    pub fn take() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Self { before: open(), _alone: alone }
    }

    /// Lists them again: what was opened meanwhile stays open.
    pub fn retake(&mut self) {
        self.before = open();
    }

    /// Asserts that exactly these file descriptors were opened since, and none closed.
    #[track_caller]
    pub fn assert_opened(&self, fds: &[RawFd]) {
        let now = open();
        let (old, mut new): (Vec<_>, Vec<_>) = now.into_iter().partition(|entry| self.before.contains(entry));
        assert_eq!(old, self.before, "something else was closed");
        new.sort();
        let mut fds = fds.to_vec();
        fds.sort();
        assert_eq!(new.iter().map(|(fd, _)| *fd).collect::<Vec<_>>(), fds, "{new:?}");
    }
}

/// The open file descriptors and their kinds, except the one that reads the list.
fn open() -> Vec<(RawFd, String)> {
    let directory = std::fs::read_dir("/proc/self/fd").expect("/proc");
    let mut open: Vec<(RawFd, String)> = directory
        .flatten()
        .filter_map(|entry| {
            let fd = entry.file_name().to_str()?.parse().ok()?;
            let what = std::fs::read_link(entry.path()).ok()?.to_str()?.to_owned();
            Some((fd, what))
        })
        .filter(|(_, what)| *what != format!("/proc/{}/fd", std::process::id()))
        .collect();
    open.sort();
    open
}
