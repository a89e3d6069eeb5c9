//! Two threads that wake each other.

use super::timed;
use crate::peers::Bell;
use std::hint::black_box;
use std::sync::Barrier;
use std::thread::scope;
use std::time::Duration;

/// There and back on one processor.
#[inline(never)]
pub fn together<B: Bell>(n: u64) -> Result<Duration, B::Error> {
    there_and_back::<B>(n, 0)
}

/// There and back, each thread on its own processor.
#[inline(never)]
pub fn apart<B: Bell>(n: u64) -> Result<Duration, B::Error> {
    there_and_back::<B>(n, 1)
}

/// Two wakeups.
#[inline(always)]
fn there_and_back<B: Bell>(n: u64, other: usize) -> Result<Duration, B::Error> {
    let (ping, mut ping_waiter) = B::make()?;
    let (pong, mut pong_waiter) = B::make()?;
    let ready = Barrier::new(2);
    let before = affinity();
    let time = scope(|scope| {
        scope.spawn(|| {
            keep_on(other);
            ready.wait();
            let echoed = timed(n, || {
                ping.wait(&mut ping_waiter)?;
                pong.ring()
            });
            echoed.expect(B::NAME);
        });
        keep_on(0);
        ready.wait();
        timed(n, || {
            ping.ring()?;
            pong.wait(&mut pong_waiter)
        })
    });
    set_affinity(&before);
    time
}

/// Wakes a thread that was woken already and has not run yet.
#[inline(never)]
pub fn redundant<B: Bell>(n: u64) -> Result<Duration, B::Error> {
    let (bell, mut waiter) = B::make()?;
    let bell = black_box(bell);
    bell.ring()?;
    let time = timed(n, || bell.ring())?;
    bell.wait(&mut waiter)?;
    Ok(time)
}

fn affinity() -> libc::cpu_set_t {
    // SAFETY: a set of bits.
    let mut set = unsafe { std::mem::zeroed() };
    // SAFETY: a set of the given size.
    let ret = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    assert_eq!(ret, 0);
    set
}

fn set_affinity(set: &libc::cpu_set_t) {
    // SAFETY: a set of the given size.
    let ret = unsafe { libc::sched_setaffinity(0, size_of_val(set), set) };
    assert_eq!(ret, 0, "{}", std::io::Error::last_os_error());
}

/// Moves the calling thread to the nth processor that this process may use.
fn keep_on(nth: usize) {
    let all = affinity();
    // SAFETY: within the set's size.
    let mut allowed = (0..libc::CPU_SETSIZE as usize).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &all) });
    let cpu = allowed.nth(nth).expect("two processors");
    // SAFETY: a set of bits.
    let mut one = unsafe { std::mem::zeroed() };
    // SAFETY: within the set's size.
    unsafe { libc::CPU_SET(cpu, &mut one) };
    set_affinity(&one);
}
