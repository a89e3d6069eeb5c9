//! Writes add up; a read takes the whole count.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let counter = EventFd::new(1, EventfdFlags::empty())?;
    counter.write(2)?;
    counter.write(3)?;
    println!("taken: {}", counter.read()?);
    println!("nothing left: {:?}", counter.try_read()?);
    Ok(())
}
