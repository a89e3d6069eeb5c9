//! An eventfd in another process: created, written and read there; and one that both processes have.

use rsyscall::remote::{self, ExitStatus};
use rsyscall::{EventFd, EventfdFlags, EventfdTask};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // One that both have: the child inherits it, and nothing else.
    let shared = EventFd::new(0, EventfdFlags::empty())?;
    let mut forked = remote::fork([shared.as_owned_fd()])?;
    println!("this is process {}, the child {}", std::process::id(), forked.child.process().0);

    // One of the child's own. Each line is a call that the child makes.
    let bell = forked.task.eventfd(0, EventfdFlags::empty())?;
    bell.write(2)?;
    bell.write(3)?;
    println!("written twice in the child and read there: {}", bell.read()?);
    println!("empty: {:?}", bell.try_read()?);
    bell.close()?;

    // The token becomes a handle of the child's inherited file descriptor. The child writes the eventfd, and this
    // process reads it; then the reverse.
    let [token] = forked.inherited;
    let there = EventFd::from(token.attach(&forked.task).map_err(|error| error.into_error())?);
    there.write(40)?;
    println!("written in the child, read here: {}", shared.read()?);
    shared.write(2)?;
    println!("written here, read in the child: {}", there.read()?);
    drop(there);

    forked.task.exit(0)?;
    assert_eq!(forked.child.wait()?, ExitStatus::Exited(0));
    Ok(())
}
