//! `pairs typed|hand N`: N pairs of a write and a read. `pairs remote N`: N calls of words in a forked child. Run under
//! callgrind with N and 2N; the difference is the cost of N pairs.

use rsyscall::{EventFd, EventfdFlags};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(how), Some(pairs)) = (arguments.next(), arguments.next()) else { panic!("pairs typed|hand|remote N") };
    let pairs: u64 = pairs.parse().unwrap();
    let eventfd = EventFd::new(0, EventfdFlags::empty()).unwrap();
    let sum = match how.as_str() {
        "typed" => typed(&eventfd, pairs),
        "hand" => hand(eventfd.as_raw_fd(), pairs),
        "remote" => remote(pairs),
        _ => panic!("no such way: {how}"),
    };
    assert_eq!(sum, pairs);
}

#[inline(never)]
fn typed(eventfd: &EventFd, pairs: u64) -> u64 {
    let mut sum = 0;
    for _ in 0..pairs {
        eventfd.write(1).unwrap();
        sum += eventfd.read().unwrap();
    }
    sum
}

#[inline(never)]
fn hand(fd: i32, pairs: u64) -> u64 {
    let mut sum = 0;
    for _ in 0..pairs {
        sum += codegen::hand::write_read(fd, 1).unwrap();
    }
    sum
}

#[inline(never)]
fn remote(calls: u64) -> u64 {
    let forked = rsyscall::remote::fork([]).unwrap();
    (0..calls).map(|_| u64::from(rsyscall::near::getpid(forked.task.sysif()) == Ok(forked.task.process()))).sum()
}
