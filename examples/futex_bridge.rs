//! Turns a futex, which cannot be polled, into an eventfd, which can.
//!
//! No thread can wait for a futex and for descriptors at once. A child that shares the futex's memory waits for it
//! instead: two calls are submitted to it, the wait and a write to an eventfd that it inherited. The child makes the
//! second call when the first has returned, and this process can poll meanwhile.

use core::sync::atomic::{AtomicU32, Ordering};
use rsyscall::near::{self, PollFd};
use rsyscall::remote::{self, CallSlot, Operand};
use rsyscall::sysif::{Arg, Local, SyscallInterface};
use rsyscall::{EventFd, EventfdFlags};
use std::time::Duration;

const FUTEX_WAIT: usize = 0;
const FUTEX_WAKE: usize = 1;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let word = shared_word()?;
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    let forked = remote::fork([bell.as_owned_fd()])?;
    let [token] = forked.inherited;
    let there = EventFd::from(token.attach(&forked.task).map_err(|error| error.into_error())?);

    // "While the word is 0, sleep; then write the eventfd."
    let mut slots = [CallSlot::EMPTY; 2];
    let mut bridge = forked.task.sysif().pipeline(&mut slots).ok_or("one pipeline at a time")?;
    let address = core::ptr::from_ref(word).expose_provenance();
    let wait = [Operand::Word(address), Operand::Word(FUTEX_WAIT), Operand::Word(0), Operand::Word(0)];
    // SAFETY: the child has the word at the same address, for as long as either lives.
    unsafe { bridge.submit(rsyscall::nr::FUTEX, wait) }?;
    bridge.write(&there, 1)?;

    // Meanwhile this process polls, as it would for its other descriptors.
    let poll = |time: Duration| {
        let mut entry = [PollFd { fd: bell.near(), events: PollFd::IN, revents: 0 }];
        near::ppoll(&Local, &mut entry, Some(time.into()), None)
    };
    println!("before the futex is woken, ready: {}", poll(Duration::from_millis(50))?);

    word.store(1, Ordering::Release);
    let wake = [Arg::Word(address), Arg::Word(FUTEX_WAKE), Arg::Word(1)];
    // SAFETY: the word is this process's and is never unmapped.
    unsafe { Local.syscall(rsyscall::nr::FUTEX, wake) }?;
    println!("after, ready: {}", poll(Duration::from_secs(10))?);
    println!("the eventfd holds {}", bell.read()?);

    // The results of the two calls: 0, or EAGAIN if the word changed before the child compared it; and 8 bytes.
    while let Some(completion) = bridge.complete(&mut []) {
        println!("{:?}: {:?}", completion.ticket, completion.result);
    }
    Ok(())
}

/// A word in memory that a forked child shares instead of getting a copy.
fn shared_word() -> Result<&'static AtomicU32, rsyscall::Errno> {
    const PROT_READ_WRITE: usize = 1 | 2;
    const MAP_SHARED_ANONYMOUS: usize = 1 | 0x20;
    let arguments = [
        Arg::Word(0),
        Arg::Word(4096),
        Arg::Word(PROT_READ_WRITE),
        Arg::Word(MAP_SHARED_ANONYMOUS),
        Arg::from(-1),
        Arg::Word(0),
    ];
    // SAFETY: new memory, at an address that the kernel chooses.
    let address = unsafe { Local.syscall(rsyscall::nr::MMAP, arguments) }?;
    // SAFETY: a zeroed page that is never unmapped.
    Ok(unsafe { &*core::ptr::with_exposed_provenance::<AtomicU32>(address) })
}
