//! An eventfd sent to another process over a socket, and another one sent back: both work in both directions.

use interop::Census;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use rsyscall::{EventFd, EventfdFlags};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn two_processes_that_send_each_other_an_eventfd_wake_each_other() {
    let census = Census::take();
    let (socket, child_end) = UnixStream::pair().unwrap();
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_peer")).stdin(Stdio::from(OwnedFd::from(child_end))).spawn().unwrap();

    let ours = EventFd::new(0, EventfdFlags::empty()).unwrap();
    let descriptors = [ours.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&descriptors)];
    sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(&[0])], &rights, MsgFlags::empty(), None).unwrap();
    let theirs = receive(&socket);

    assert_eq!(ours.wait_timeout(Duration::from_secs(60)), Ok(Some(5)));
    theirs.write(6).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(theirs.is_cloexec().unwrap());

    drop((child, socket, ours, theirs));
    census.assert_opened(&[]);
}

fn receive(socket: &UnixStream) -> EventFd {
    let mut control = nix::cmsg_space!([i32; 1]);
    let mut byte = [0];
    let mut buffers = [IoSliceMut::new(&mut byte)];
    let message =
        recvmsg::<()>(socket.as_raw_fd(), &mut buffers, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC).unwrap();
    let fds = message.cmsgs().unwrap().filter_map(|message| match message {
        ControlMessageOwned::ScmRights(fds) => Some(fds),
        _ => None,
    });
    let fd = fds.flatten().next().expect("the peer ended without sending a descriptor");
    // SAFETY: the kernel just created it for this process, and it has no other owner.
    EventFd::from(unsafe { OwnedFd::from_raw_fd(fd) })
}
