//! Real signals with real handlers, for tests of what they interrupt.
#![allow(dead_code, reason = "not every test file uses all of it")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use std::{mem, ptr, thread};

static RUNS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_signal: libc::c_int) {
    RUNS.fetch_add(1, Ordering::SeqCst);
}

/// How often a handler has run in this process.
pub fn runs() -> usize {
    RUNS.load(Ordering::SeqCst)
}

/// Installs a handler that only counts, with `SA_RESTART` or without.
pub fn handle(signal: libc::c_int, flags: libc::c_int) {
    // SAFETY: all zero is a valid `sigaction`; the handler only adds to an atomic.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = count as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(signal, &action, ptr::null_mut()), 0);
    }
}

/// Adds a signal to the thread's mask, or removes it.
pub fn mask(how: libc::c_int, signal: libc::c_int) {
    // SAFETY: a set that is initialised before it is used.
    unsafe {
        let mut set = mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        assert_eq!(libc::pthread_sigmask(how, &set, ptr::null_mut()), 0);
    }
}

/// Sends a signal to the calling thread.
pub fn raise(signal: libc::c_int) {
    // SAFETY: the thread is this one.
    unsafe { assert_eq!(libc::pthread_kill(libc::pthread_self(), signal), 0) }
}

/// Runs `body` while another thread sends `signal` to this one repeatedly, so that a signal that comes too early is
/// followed by another.
pub fn under_fire<R>(signal: libc::c_int, body: impl FnOnce() -> R) -> R {
    // SAFETY: the thread is this one, which outlives the scope below.
    let target = unsafe { libc::pthread_self() } as usize;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                // SAFETY: the target waits for this thread to end.
                unsafe { libc::pthread_kill(target as libc::pthread_t, signal) };
                thread::sleep(Duration::from_micros(500));
            }
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        over.store(true, Ordering::SeqCst);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
