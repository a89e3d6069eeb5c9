//! Real signals: two of them, whose handlers only count.

use crate::threads::Tid;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// The effect on a call that the handler has interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// It fails with `EINTR`. SIGUSR1.
    Interrupts,
    /// It is restarted, if it can be. SIGUSR2 with `SA_RESTART`.
    Restarts,
}

static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

impl Signal {
    fn number(self) -> libc::c_int {
        match self {
            Self::Interrupts => libc::SIGUSR1,
            Self::Restarts => libc::SIGUSR2,
        }
    }

    /// Installs both handlers. Tests that use them run one at a time, for as long as they keep the returned guard: the
    /// handlers' count is the process's.
    pub fn install() -> MutexGuard<'static, ()> {
        static ONCE: Once = Once::new();
        static TURN: Mutex<()> = Mutex::new(());
        ONCE.call_once(|| {
            for (signal, flags) in [(Self::Interrupts, 0), (Self::Restarts, libc::SA_RESTART)] {
                // SAFETY: all zeros is an action: the default one, an empty mask.
                let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
                action.sa_sigaction = count as extern "C" fn(libc::c_int) as usize;
                action.sa_flags = flags;
                // SAFETY: the handler only touches an atomic.
                let installed = unsafe { libc::sigaction(signal.number(), &action, std::ptr::null_mut()) };
                assert_eq!(installed, 0);
            }
        });
        TURN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends it to a thread; returns whether that thread still exists.
    pub fn send(self, thread: Tid) -> bool {
        // SAFETY: words only, and each of these handlers may run at any time.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread.raw(), self.number()) == 0 }
    }

    /// Sends it to a thread that will not end before, and returns once a handler has run.
    pub fn deliver(self, thread: Tid) {
        let before = HANDLED.load(Ordering::SeqCst);
        assert!(self.send(thread));
        while HANDLED.load(Ordering::SeqCst) == before {
            std::thread::yield_now();
        }
    }
}
