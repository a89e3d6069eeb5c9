//! The other process of tests/scm_rights.rs. Its standard input is a socket on which it receives a descriptor. It
//! sends back a descriptor of its own and adds 5 to the received one; then it waits for its own to be written.

use rsyscall::{EventFd, EventfdFlags};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use std::io::{IoSlice, IoSliceMut, stdin};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::time::Duration;

fn main() {
    let theirs = receive();
    let ours = EventFd::new(0, EventfdFlags::empty()).expect("an eventfd");
    send(&ours);
    theirs.write(5).expect("theirs");
    // With a timeout, so that it ends if the other process has failed.
    assert_eq!(ours.wait_timeout(Duration::from_secs(60)), Ok(Some(6)));
}

fn receive() -> EventFd {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let message = recvmsg(stdin(), &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC);
    assert_eq!(message.expect("a message").bytes, 1);
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    EventFd::from(descriptors.flatten().next().expect("a descriptor"))
}

fn send(descriptor: &EventFd) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor.as_fd()];
    assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
    sendmsg(stdin(), &[IoSlice::new(&[0])], &mut control, SendFlags::empty()).expect("sent");
}
