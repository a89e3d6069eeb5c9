//! The suite in other processes: a forked child, one that shares the descriptor table, and a server that starts without
//! scratch space.

use crate::os::clone_child;
use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::fd::OwnedFd;
use rsyscall::near::{self, Process};
use rsyscall::remote::{self, Connection, Policy};
use rsyscall::sys::pollable::PollTask;
use rsyscall::sysif::Local;
use rsyscall::{Current, Errno, Task};
use rsyscall_suite::{Environment, Line, Text, run};

/// Runs the suite in each, and returns whether all cases passed.
pub(crate) fn passed(name: &str, print: &mut dyn FnMut(&Line<'_>)) -> bool {
    let own = remote::fork([]).is_ok_and(|forked| one(&forked.task, name, "remote", print));
    // qemu-user cannot fork a child that shares the table.
    let emulated = Environment::is_emulated(Current);
    let sharing =
        emulated || remote::fork_sharing_files().is_ok_and(|forked| one(&forked.task, name, "sharing", print));
    let served = serve().is_ok_and(|task| one(&task, name, "served", print));
    own && sharing && served
}

fn one<T: PollTask>(task: T, name: &str, how: &str, print: &mut dyn FnMut(&Line<'_>)) -> bool {
    let name = Text::of(format_args!("{name}-{how}"));
    let mut environment = Environment::of(task, name.as_str());
    environment.rounds = 100;
    environment.here = Err("a child is not this process");
    let tally = run(task, &environment, &mut |id, sentence, outcome| {
        print(&Line { environment: &environment, id, sentence, outcome })
    });
    tally.failed == 0 && tally.passed > 0
}

/// A server whose client knows nothing but its descriptor, and must request scratch space.
fn serve() -> Result<Task<Connection>, Errno> {
    let [client, server] = near::socketpair_stream(&Local)?;
    // SAFETY: just created; the child has copies of its own.
    let [client, server] = [client, server].map(|fd| unsafe { OwnedFd::from_raw_fd(fd.0) });
    let fd = server.near();
    // SAFETY: the child serves calls and ends; no other thread exists.
    let child = unsafe { clone_child() }?;
    if child == 0 {
        drop(client);
        // SAFETY: the client is the parent, whose calls are sound.
        let ended = unsafe { remote::serve(&server, Policy::Everything) };
        Current.exit(i32::from(ended.is_err()))
    }
    drop(server);
    // SAFETY: a server of this machine at the other end, with a table and an address space of its own.
    let connection = unsafe { Connection::from_stream(client, fd) };
    let process = Process(i32::try_from(child).unwrap_or_default());
    // SAFETY: the server is that process, with the tables declared above.
    Ok(unsafe { Task::new(connection, process, FdTable::new(), AddressSpace::new(), PidNamespace::CURRENT) })
}
