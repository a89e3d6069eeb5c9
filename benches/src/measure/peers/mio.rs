//! mio: an eventfd in an epoll set, edge-triggered, which is never read.

use super::{Bell, Peer};
use mio::{Events, Poll, Token, Waker};

pub struct Mio(Waker);

impl Peer for Mio {
    const NAME: &'static str = "mio";
    type Error = std::io::Error;
}

impl Bell for Mio {
    type Waiter = (Poll, Events);

    fn make() -> Result<(Self, Self::Waiter), Self::Error> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), Token(0))?;
        Ok((Self(waker), (poll, Events::with_capacity(4))))
    }

    #[inline(always)]
    fn ring(&self) -> Result<(), Self::Error> {
        self.0.wake()
    }

    #[inline(always)]
    fn wait(&self, (poll, events): &mut Self::Waiter) -> Result<(), Self::Error> {
        poll.poll(events, None)
    }
}
