//! What the tests share: a look at the descriptors that are open.

use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

static ALONE: Mutex<()> = Mutex::new(());

/// The descriptors of this process at some moment, and the promise that no other test changes them.
pub struct Census {
    before: Vec<(RawFd, String)>,
    _alone: MutexGuard<'static, ()>,
}

impl Census {
    /// Waits for its turn, and looks.
    pub fn take() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Self { before: open(), _alone: alone }
    }

    /// Looks again: what was opened meanwhile is there to stay.
    pub fn retake(&mut self) {
        self.before = open();
    }

    /// Asserts that exactly these numbers were opened since, and nothing closed.
    #[track_caller]
    pub fn assert_opened(&self, numbers: &[RawFd]) {
        let now = open();
        let (old, mut new): (Vec<_>, Vec<_>) = now.into_iter().partition(|entry| self.before.contains(entry));
        assert_eq!(old, self.before, "something else was closed");
        new.sort();
        let mut numbers = numbers.to_vec();
        numbers.sort();
        assert_eq!(new.iter().map(|(number, _)| *number).collect::<Vec<_>>(), numbers, "{new:?}");
    }
}

/// The open numbers and what they are, but for the one that looks.
fn open() -> Vec<(RawFd, String)> {
    let directory = std::fs::read_dir("/proc/self/fd").expect("/proc");
    let mut open: Vec<(RawFd, String)> = directory
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            let what = std::fs::read_link(entry.path()).ok()?.to_str()?.to_owned();
            Some((number, what))
        })
        .filter(|(_, what)| *what != format!("/proc/{}/fd", std::process::id()))
        .collect();
    open.sort();
    open
}
