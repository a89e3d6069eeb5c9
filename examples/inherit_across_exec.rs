//! Hands an eventfd to a program that is executed. Nothing is inherited by accident: it takes a guard, and only what is
//! started while the guard lives gets the descriptor.

use rsyscall::{EventFd, EventfdFlags};
use std::env;
use std::process::Command;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match env::args().nth(1) {
        None => parent(),
        Some(number) => child(number.parse()?),
    }
}

fn parent() -> Result<(), Box<dyn std::error::Error>> {
    let mut bell = EventFd::new(0, EventfdFlags::empty())?;
    let guard = bell.inheritable()?;
    let mut child = Command::new(env::current_exe()?).arg(guard.as_raw_fd().to_string()).spawn()?;
    guard.restore()?; // from here on nobody inherits it any more
    println!("the child has added {}", bell.wait()?);
    assert!(child.wait()?.success());
    Ok(())
}

fn child(number: i32) -> Result<(), Box<dyn std::error::Error>> {
    // SAFETY: the parent says that it is open, and nothing else in this program knows it.
    let bell = unsafe { EventFd::from_raw_fd(number) };
    bell.write(7)?;
    Ok(())
}
