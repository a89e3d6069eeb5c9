//! L: long runs.

use crate::check::Verdict;
use crate::{Case, Environment, calls};
use rsyscall::{EventfdFlags, EventfdTask};

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 4] {
    [
        Case { id: "L1.1", sentence: "a read after many writes returns their sum", run: many_writes },
        Case { id: "L1.2", sentence: "a semaphore returns 1 as often as 1 was written", run: many_posts },
        Case { id: "L1.3", sentence: "many are created and closed, and no file descriptor leaks", run: many_made },
        Case { id: "L2.1", sentence: "two processes take turns through two semaphores", run: ping_pong },
    ]
}

fn many_writes<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    for value in 0..environment.rounds {
        ok!(bell.write(u64::from(value)));
    }
    let rounds = u64::from(environment.rounds);
    is!(ok!(bell.read()), rounds * (rounds - 1) / 2);
    refused!(bell.read(), EAGAIN);
    Ok(())
}

fn many_posts<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::SEMAPHORE | EventfdFlags::NONBLOCK));
    for _ in 0..environment.rounds {
        ok!(bell.write(1));
    }
    for _ in 0..environment.rounds {
        is!(ok!(bell.read()), 1);
    }
    refused!(bell.read(), EAGAIN);
    Ok(())
}

fn many_made<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    let first = ok!(task.eventfd(0, EventfdFlags::empty())).near();
    for _ in 0..environment.rounds / 10 {
        let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
        if environment.alone.is_ok() {
            is!(bell.near(), first);
        }
        ok!(ok!(bell.try_clone()).close());
    }
    Ok(())
}

fn ping_pong<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.here?;
    let rounds = environment.rounds / 100;
    let ping = ok!(task.eventfd(0, EventfdFlags::SEMAPHORE));
    let pong = ok!(task.eventfd(0, EventfdFlags::SEMAPHORE));
    let echo = || (0..rounds).all(|_| ping.read().is_ok_and(|one| one == 1) && pong.write(1).is_ok());
    // SAFETY: the child makes system calls only; `here` is claimed only where the task is this process.
    let child = ok!(unsafe { calls::fork(task, echo) });
    for _ in 0..rounds {
        ok!(ping.write(1));
        is!(ok!(pong.read()), 1);
    }
    let succeeded = ok!(child.succeeded());
    holds!(succeeded);
    is!((ok!(ping.try_read()), ok!(pong.try_read())), (None, None));
    Ok(())
}
