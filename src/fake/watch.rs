//! What an epoll watches.

/// `include/uapi/linux/eventpoll.h`.
pub(super) const EPOLLEXCLUSIVE: u32 = 1 << 28;

/// One descriptor in one epoll's interest list.
#[derive(Clone, Copy)]
pub(super) struct Watch {
    /// The epoll's description.
    pub(super) epoll: usize,
    /// What is watched: the description, under this number.
    pub(super) target: usize,
    pub(super) number: usize,
    pub(super) events: u32,
    pub(super) data: [u8; 8],
    /// When it was added, in edges.
    pub(super) added: u64,
    /// The edge by which it came into the ready list, if it is there.
    pub(super) ready: Option<u64>,
}

impl Watch {
    /// Its place in the order of waking: the last one added first, as the kernel's queue grows at its head, and then
    /// the exclusive ones, which come to its end.
    pub(super) fn wake_order(&self) -> (bool, u64) {
        let exclusive = self.events & EPOLLEXCLUSIVE != 0;
        (exclusive, if exclusive { self.added } else { !self.added })
    }
}
