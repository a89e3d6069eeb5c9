//! An eventfd passed to a memory cgroup (version 1, `cgroup.event_control`): written when the group's memory usage
//! crosses a threshold, and when the group is removed.
//!
//! The kernel keeps a reference to the counter: the eventfd stays this program's, which closes it. Groups of version 2
//! accept none: there `memory.events` is watched by inotify, `cgroup.events` and the `pressure` files by poll.

use rsyscall::{EventFd, EventfdFlags};
use std::os::fd::AsRawFd;
use std::time::Duration;
use std::{fs, io};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let group = format!("/sys/fs/cgroup/memory/rsyscall-{}", std::process::id());
    if let Err(error) = fs::create_dir(&group) {
        println!("no memory cgroup of version 1 here: {error}");
        return Ok(());
    }
    let result = watch(&group);
    fs::remove_dir(&group)?;
    let bell = result?;
    println!("the group was removed: {:?}", bell.wait_timeout(Duration::from_secs(10))?);
    Ok(())
}

fn watch(group: &str) -> io::Result<EventFd> {
    let errno = |error: rsyscall::Errno| io::Error::from_raw_os_error(error.raw());
    let bell = EventFd::new(0, EventfdFlags::empty()).map_err(errno)?;
    let usage = fs::File::open(format!("{group}/memory.usage_in_bytes"))?;
    // The eventfd, the file, the threshold.
    let text = format!("{} {} {}", bell.as_raw_fd(), usage.as_raw_fd(), 1 << 20);
    fs::write(format!("{group}/cgroup.event_control"), text)?;

    // A child in the group that uses more.
    let script = format!("echo $$ > {group}/cgroup.procs && exec head -c 4000000 /dev/zero | tail -c 4000000 | wc -c");
    let output = std::process::Command::new("sh").args(["-c", &script]).output()?;
    let used = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    println!("{used} bytes used: {:?}", bell.wait_timeout(Duration::from_secs(10)).map_err(errno)?.is_some());
    Ok(bell)
}
