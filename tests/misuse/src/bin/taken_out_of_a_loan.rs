//! What is lent is not given away: its owner closes it.

use rsyscall::{Current, EventFd, EventfdFlags};

fn main() {
    let (bell, other) =
        (EventFd::new(0, EventfdFlags::empty()).unwrap(), EventFd::new(0, EventfdFlags::empty()).unwrap());
    #[cfg_attr(fixed, allow(unused_mut))]
    let mut lent = bell.for_task(Current).unwrap();
    #[cfg(not(fixed))]
    let taken = core::mem::replace(&mut *lent, other); //~ error[E0596]
    #[cfg(fixed)]
    let taken = other;
    drop(taken);
    lent.write(1).unwrap();
}
