//! Functions whose machine code is read by `tests/tests/codegen.rs`.
#![no_std]

mod clobbers;
pub mod hand;
mod vectors;

use rsyscall::{EventFd, EventfdTask};

/// One checked write and one checked read, with the error stored: the instructions of hand-written code with the same
/// checks, and no more.
#[unsafe(no_mangle)]
pub fn typed_write_read(eventfd: &EventFd, value: u64, error: &mut i32) -> u64 {
    match eventfd.write(value).and_then(|()| eventfd.read()) {
        Ok(count) => count,
        Err(errno) => {
            *error = errno.raw();
            0
        }
    }
}

/// The same through code that is generic over the task.
#[unsafe(no_mangle)]
pub fn generic_write_read(eventfd: &EventFd, value: u64, error: &mut i32) -> u64 {
    fn generic<T: EventfdTask>(eventfd: &EventFd<T>, value: u64) -> Result<u64, T::Error> {
        eventfd.write(value)?;
        eventfd.read()
    }
    generic(eventfd, value).unwrap_or_else(|errno| {
        *error = errno.raw();
        0
    })
}
