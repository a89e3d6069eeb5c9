//! Another process, for a part that needs one.

use std::sync::atomic::{AtomicI32, Ordering};

/// Its pid, or this process's own pid, whichever the part needs.
pub static PROCESS: AtomicI32 = AtomicI32::new(0);

/// Forks a child that runs this and exits with status 3. It also ends with its parent.
pub fn child(work: impl FnOnce()) {
    // SAFETY: no argument and no effect.
    let parent = unsafe { libc::getpid() };
    // SAFETY: the child makes system calls only.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        // SAFETY: two words.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        // SAFETY: no argument and no effect.
        if unsafe { libc::getppid() } == parent {
            work();
        }
        // SAFETY: the test harness's destructors must not run.
        unsafe { libc::_exit(3) };
    }
    PROCESS.store(child, Ordering::Relaxed);
}

pub fn process() -> rsyscall::near::Process {
    rsyscall::near::Process(PROCESS.load(Ordering::Relaxed))
}

/// Two connected stream sockets.
pub fn streams() -> [i32; 2] {
    let mut pair = [0; 2];
    // SAFETY: the call writes two `int`s.
    assert_eq!(unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr()) }, 0);
    pair
}
