//! Turns signals into an eventfd.
//!
//! A child blocks the signal, has a signalfd for it, and is sent two calls: read a signal, then write the eventfd. So a
//! signal to the child writes the eventfd of this process, without a handler. A write to an eventfd does not block in
//! practice and loses no wakeup; a write to a full pipe would.

use rsyscall::near::FileDescriptor;
use rsyscall::remote::{self, CallSlot, Operand, Pipeline, SubmitError};
use rsyscall::sysif::{Arg, SyscallInterface};
use rsyscall::task::FileDescriptorTask;
use rsyscall::{EventFd, EventfdFlags};
use std::time::Duration;

const SIGUSR1: u32 = 10;
const SIG_BLOCK: u32 = 0;
const SFD_CLOEXEC: u32 = 0o2000000;
/// `struct signalfd_siginfo`.
const SIGINFO: usize = 128;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    let forked = remote::fork([bell.as_owned_fd()])?;
    let [token] = forked.inherited;
    let there = EventFd::from(token.attach(&forked.task).map_err(|error| error.into_error())?);

    // In the child: the signal stays pending instead of killing, and is read from a descriptor.
    let child = forked.task.sysif();
    let set = (1_u64 << (SIGUSR1 - 1)).to_ne_bytes();
    // SAFETY: the child runs nothing that relies on the signal.
    unsafe {
        child.syscall(rsyscall::nr::RT_SIGPROCMASK, [SIG_BLOCK.into(), Arg::In(&set), Arg::Word(0), Arg::Word(8)])
    }?;
    // SAFETY: creates a file descriptor from a set that it reads.
    let signals = unsafe {
        child.syscall(rsyscall::nr::SIGNALFD4, [Arg::from(-1), Arg::In(&set), Arg::Word(8), SFD_CLOEXEC.into()])
    }?;
    let signals = FileDescriptor(i32::try_from(signals)?);

    // "Read a signal, write the eventfd", once for each expected signal; submitted again when it has happened.
    let mut slots = [CallSlot::EMPTY; 2];
    let mut bridge = child.pipeline(&mut slots).ok_or("one pipeline at a time")?;
    for round in 1..=3 {
        expect_signal(&mut bridge, signals, &there)?;
        // Any process with the permission could send it.
        forked.child.signal(SIGUSR1)?;
        let rung = bell.wait_timeout(Duration::from_secs(10))?;
        let mut info = [0; SIGINFO];
        let read = bridge.complete(&mut info).ok_or("a read was submitted")?;
        let signal = u32::from_ne_bytes([info[0], info[1], info[2], info[3]]);
        println!("signal {round}: the eventfd holds {rung:?}, the signalfd {signal} in {:?} bytes", read.result);
        assert_eq!((rung, signal), (Some(1), SIGUSR1));
        bridge.complete(&mut []).ok_or("a write was submitted")?.result?;
    }
    Ok(())
}

fn expect_signal<T>(
    bridge: &mut Pipeline<'_, '_>,
    signals: FileDescriptor,
    bell: &EventFd<T>,
) -> Result<(), SubmitError>
where
    T: FileDescriptorTask<Interface = remote::Connection>,
{
    // SAFETY: a read of a descriptor of the child that is never closed.
    unsafe { bridge.submit(rsyscall::nr::READ, [signals.into(), Operand::Out(SIGINFO), Operand::Word(SIGINFO)]) }?;
    bridge.write(bell, 1)?;
    Ok(())
}
