//! The smallest program.
#![cfg_attr(not(test), no_std, no_main)]
#![forbid(unsafe_code)]

use rsyscall::{EventFd, EventfdFlags};

rsyscall::start!(work);

fn work() -> i32 {
    EventFd::new(5, EventfdFlags::empty()).and_then(|bell| bell.read()).map_or(1, |count| count as i32)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_works() {
        assert_eq!(super::work(), 5);
    }
}
