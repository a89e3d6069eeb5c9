//! Entries of an epoll's interest list.

/// `include/uapi/linux/eventpoll.h`.
pub(super) const EPOLLEXCLUSIVE: u32 = 1 << 28;

/// One file descriptor in one epoll's interest list.
#[derive(Clone, Copy)]
pub(super) struct Watch {
    /// The epoll's open file description.
    pub(super) epoll: usize,
    /// The open file description that is watched, and the file descriptor's index.
    pub(super) target: usize,
    pub(super) index: usize,
    pub(super) events: u32,
    pub(super) data: [u8; 8],
    /// The edge count at which it was added.
    pub(super) added: u64,
    /// The edge that put it into the ready list, if it is there.
    pub(super) ready: Option<u64>,
}

impl Watch {
    /// Returns a key for the order of wakeups: the last one added first, as the kernel adds at the head of its wait
    /// queue, then the exclusive ones, which it adds at the tail.
    pub(super) fn wake_order(&self) -> (bool, u64) {
        let exclusive = self.events & EPOLLEXCLUSIVE != 0;
        (exclusive, if exclusive { self.added } else { !self.added })
    }
}
