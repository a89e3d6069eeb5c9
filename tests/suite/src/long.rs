//! L: many of the same.

use crate::check::Verdict;
use crate::{Case, World, calls};
use rsyscall::{EventfdFlags, EventfdTask};

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 4] {
    [
        Case { id: "L1.1", says: "many writes and one read: the sum", run: many_writes },
        Case { id: "L1.2", says: "many writes to a semaphore and as many reads of 1", run: many_posts },
        Case { id: "L1.3", says: "many are made and closed, and no number is lost", run: many_made },
        Case { id: "L2.1", says: "two processes in ping-pong through two semaphores", run: ping_pong },
    ]
}

fn many_writes<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    for value in 0..world.rounds {
        ok!(bell.write(u64::from(value)));
    }
    let rounds = u64::from(world.rounds);
    is!(ok!(bell.read()), rounds * (rounds - 1) / 2);
    refused!(bell.read(), EAGAIN);
    Ok(())
}

fn many_posts<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::SEMAPHORE | EventfdFlags::NONBLOCK));
    for _ in 0..world.rounds {
        ok!(bell.write(1));
    }
    for _ in 0..world.rounds {
        is!(ok!(bell.read()), 1);
    }
    refused!(bell.read(), EAGAIN);
    Ok(())
}

fn many_made<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    let first = ok!(task.eventfd(0, EventfdFlags::empty())).near();
    for _ in 0..world.rounds / 10 {
        let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
        if world.alone.is_ok() {
            is!(bell.near(), first);
        }
        ok!(ok!(bell.try_clone()).close());
    }
    Ok(())
}

fn ping_pong<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.here?;
    let rounds = world.rounds / 100;
    let ping = ok!(task.eventfd(0, EventfdFlags::SEMAPHORE));
    let pong = ok!(task.eventfd(0, EventfdFlags::SEMAPHORE));
    let answer = || (0..rounds).all(|_| ping.read().is_ok_and(|one| one == 1) && pong.write(1).is_ok());
    // SAFETY: the child makes system calls only; `here` is claimed only where the task is here.
    let child = ok!(unsafe { calls::fork(task, answer) });
    for _ in 0..rounds {
        ok!(ping.write(1));
        is!(ok!(pong.read()), 1);
    }
    let succeeded = ok!(child.succeeded());
    holds!(succeeded);
    is!((ok!(ping.try_read()), ok!(pong.try_read())), (None, None));
    Ok(())
}
