//! What the hardware and the kernel need, without a server.

use crate::batches::{pin_to, serve};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{hint, ptr, thread};

/// A word and a cache line for it alone.
#[repr(align(128))]
struct Line(AtomicU32);

static LINE: Line = Line(AtomicU32::new(0));

/// The shortest system call that is not answered from memory of the process.
pub fn getppid() {
    serve(|| {
        // SAFETY: no argument.
        hint::black_box(unsafe { libc::getppid() });
    });
}

/// From this processor to the other and back, through one cache line: both spin.
pub fn line(processor: usize) {
    thread::spawn(move || {
        pin_to(0, processor);
        loop {
            while LINE.0.load(Ordering::Acquire) == 0 {
                hint::spin_loop();
            }
            LINE.0.store(0, Ordering::Release);
        }
    });
    serve(|| {
        LINE.0.store(1, Ordering::Release);
        while LINE.0.load(Ordering::Acquire) != 0 {
            hint::spin_loop();
        }
    });
}

fn futex(operation: i32, value: u32) {
    // SAFETY: the word lives for ever; a null timeout waits without limit.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            LINE.0.as_ptr(),
            operation | libc::FUTEX_PRIVATE_FLAG,
            value,
            ptr::null::<libc::timespec>(),
        )
    };
}

/// Changes the word, wakes the other thread, and sleeps until it has changed it back.
fn exchange(from: u32, to: u32) {
    LINE.0.store(to, Ordering::Release);
    futex(libc::FUTEX_WAKE, 1);
    sleep_while(to);
    debug_assert_eq!(LINE.0.load(Ordering::Relaxed), from);
}

fn sleep_while(value: u32) {
    while LINE.0.load(Ordering::Acquire) == value {
        futex(libc::FUTEX_WAIT, value);
    }
}

/// From thread to thread and back, both asleep on a futex.
pub fn futexes(processor: usize) {
    thread::spawn(move || {
        pin_to(0, processor);
        sleep_while(0);
        loop {
            exchange(1, 0);
        }
    });
    serve(|| exchange(0, 1));
}
