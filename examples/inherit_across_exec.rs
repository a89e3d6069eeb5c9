//! Passes an eventfd to an executed program. Nothing is inherited by accident: only a program that is executed while a
//! guard lives inherits the file descriptor.

use rsyscall::{EventFd, EventfdFlags};
use std::env;
use std::process::Command;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match env::args().nth(1) {
        None => parent(),
        Some(fd) => child(fd.parse()?),
    }
}

fn parent() -> Result<(), Box<dyn std::error::Error>> {
    let mut bell = EventFd::new(0, EventfdFlags::empty())?;
    let guard = bell.inheritable()?;
    let mut child = Command::new(env::current_exe()?).arg(guard.as_raw_fd().to_string()).spawn()?;
    guard.restore()?; // from here on no program inherits it
    println!("the child has added {}", bell.wait()?);
    assert!(child.wait()?.success());
    Ok(())
}

fn child(fd: i32) -> Result<(), Box<dyn std::error::Error>> {
    // SAFETY: the parent passed it open, and nothing else in this program uses it.
    let bell = unsafe { EventFd::from_raw_fd(fd) };
    bell.write(7)?;
    Ok(())
}
