//! Detects whether a thread sleeps in a certain call, without relying on the clock.

use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

/// A thread of this process, by its tid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tid(i32);

/// The calls that a thread can be found asleep in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `read` of this descriptor.
    Read(i32),
    /// `write` to this descriptor.
    Write(i32),
    /// `ppoll` of anything.
    Ppoll,
}

impl Call {
    /// By the kernel's numbers: first those of x86_64, then those that aarch64 and riscv64 share. Under an emulator
    /// the host's call is visible, so either may appear.
    fn is(self, number: usize, first: usize) -> bool {
        match self {
            Self::Read(fd) => [0, 63].contains(&number) && first == fd as usize,
            Self::Write(fd) => [1, 64].contains(&number) && first == fd as usize,
            Self::Ppoll => [271, 73].contains(&number),
        }
    }
}

impl Tid {
    /// The calling thread.
    pub fn own() -> Self {
        // SAFETY: no argument; a query.
        Self(unsafe { libc::syscall(libc::SYS_gettid) } as i32)
    }

    /// The tid.
    pub fn raw(self) -> i32 {
        self.0
    }

    /// Whether the thread sleeps in this call. The kernel shows a call only for a thread that is on no processor and
    /// not runnable.
    pub fn sleeps_in(self, call: Call) -> bool {
        let Ok(text) = std::fs::read_to_string(format!("/proc/self/task/{}/syscall", self.0)) else { return false };
        let mut words = text.split_whitespace();
        let number = words.next().and_then(|word| word.parse().ok());
        let first = words.next().and_then(|word| usize::from_str_radix(word.trim_start_matches("0x"), 16).ok());
        matches!((number, first), (Some(number), Some(first)) if call.is(number, first))
    }

    /// Returns once the thread sleeps in this call. The caller must know that it will: the call panics if the thread
    /// has ended.
    pub fn until_asleep_in(self, call: Call) {
        while !self.sleeps_in(call) {
            let alive = std::path::Path::new(&format!("/proc/self/task/{}", self.0)).exists();
            assert!(alive, "the thread has ended instead of sleeping in {call:?}");
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

/// Whether the kernel shows the calls that threads sleep in.
pub fn can_be_seen() -> Result<(), String> {
    let path = format!("/proc/self/task/{}/syscall", Tid::own().0);
    std::fs::read_to_string(&path).map(drop).map_err(|error| format!("/proc/self/task/<thread>/syscall: {error}"))
}

/// Ends the process after two minutes: otherwise a hanging thread would keep the test from ever failing.
pub struct Limit(Option<Sender<()>>);

impl Limit {
    /// For this test.
    pub fn of(test: &'static str) -> Self {
        let (sender, ended) = channel();
        std::thread::spawn(move || {
            if ended.recv_timeout(Duration::from_secs(120)) == Err(RecvTimeoutError::Timeout) {
                let _unreported = writeln!(std::io::stderr(), "FAILED {test}: timed out after 120 s");
                std::process::abort();
            }
        });
        Self(Some(sender))
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

/// A thread of a scope, with its tid.
pub struct Running<'scope, V> {
    /// Its tid.
    pub tid: Tid,
    handle: ScopedJoinHandle<'scope, V>,
}

impl<V> Running<'_, V> {
    /// Waits for it, and returns its result.
    pub fn join(self) -> V {
        self.handle.join().expect("the thread did not panic")
    }

    /// Whether it has returned.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

/// Starts a thread in a scope.
pub fn start<'scope, V: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> V + Send + 'scope,
) -> Running<'scope, V> {
    let (sender, tid) = channel();
    let handle = scope.spawn(move || {
        sender.send(Tid::own()).expect("the starter waits");
        work()
    });
    Running { tid: tid.recv().expect("the thread sends its tid"), handle }
}
