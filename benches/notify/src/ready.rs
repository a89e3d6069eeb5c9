//! Ten thousand eventfds, ten of them ready: instructions of a wait, beside the bare call.

use crate::statistics::bound;
use rsyscall::arch::syscall6;
use rsyscall::sys::epoll::{Epoll, EpollEvent, EpollEvents};
use rsyscall::{EventFd, EventfdFlags};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::process::Command;

const EVENTFDS: usize = 10_000;
const READY: usize = 10;
const TURNS: u64 = 2_000;
const EPOLL_PWAIT: usize = if cfg!(target_arch = "x86_64") { 281 } else { 22 };

/// Waits `turns` times in one way.
pub fn turn(way: &str, turns: u64) {
    // SAFETY: a structure that the first call fills and the second reads.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
    }
    let epoll = Epoll::new().unwrap();
    let eventfds: Vec<EventFd> = (0..EVENTFDS)
        .map(|i| {
            EventFd::new(u32::from(i % (EVENTFDS / READY) == 0), EventfdFlags::empty()).expect("10 000 descriptors")
        })
        .collect();
    for (eventfd, i) in eventfds.iter().zip(0..) {
        epoll.add(eventfd, EpollEvents::IN, i).unwrap();
    }
    // Chosen once, so that the choice is not counted.
    match way {
        "ours" => turns_of(turns, |memory| epoll.wait(memory).unwrap()),
        "raw" => turns_of(turns, |memory| {
            // The work of `wait`, by hand: it repeats after a signal handler, and returns other errors.
            const EINTR: usize = -4_isize as usize;
            loop {
                let room = memory.as_mut_ptr().expose_provenance();
                let length = memory.len();
                // SAFETY: room for that many events, no timeout, no mask.
                let count =
                    unsafe { syscall6(EPOLL_PWAIT, epoll.as_raw_fd() as usize, room, length, usize::MAX, 0, 8) };
                if count <= length {
                    // SAFETY: as many were written.
                    break unsafe { std::slice::from_raw_parts(memory.as_ptr().cast::<EpollEvent>(), count) };
                }
                assert_eq!(count, EINTR);
            }
        }),
        _ => panic!("ours or raw"),
    }
}

fn turns_of(turns: u64, wait: impl Fn(&mut [MaybeUninit<EpollEvent>; 64]) -> &[EpollEvent]) {
    let mut memory = [const { MaybeUninit::uninit() }; 64];
    for _ in 0..turns {
        let events = wait(&mut memory);
        assert_eq!(events.len(), READY);
        black_box(events.iter().map(|event| event.data()).sum::<u64>());
    }
}

fn instructions(way: &str, turns: u64) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(["ready", way, &turns.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.contains("Collected :"));
    if line.is_none() {
        println!("{text}");
    }
    line?.rsplit(' ').next()?.parse().ok()
}

pub fn run() -> bool {
    let each =
        |way| Some((instructions(way, 2 * TURNS)?.checked_sub(instructions(way, TURNS)?)?) as f64 / TURNS as f64);
    let (Some(ours), Some(raw)) = (each("ours"), each("raw")) else {
        println!("ready: SKIPPED: needs valgrind and {EVENTFDS} descriptors");
        return true;
    };
    println!("a wait for {EVENTFDS} eventfds, {READY} ready, instructions in user space, reading the events included");
    println!("  {:24} {ours:8.2}\n  {:24} {raw:8.2}", "Epoll::wait", "epoll_pwait by hand");
    bound("of the bare call", ours / raw, ours / raw <= 1.05)
}
