//! polling: an epoll set with an eventfd that its `Poller` writes to when it is notified.

use super::{Bell, Peer};
use polling::{Events, Poller};

pub struct Polling(Poller);

impl Peer for Polling {
    const NAME: &'static str = "polling";
    type Error = std::io::Error;
}

impl Bell for Polling {
    type Waiter = Events;

    fn make() -> Result<(Self, Events), Self::Error> {
        Ok((Self(Poller::new()?), Events::new()))
    }

    #[inline(always)]
    fn ring(&self) -> Result<(), Self::Error> {
        self.0.notify()
    }

    #[inline(always)]
    fn wait(&self, events: &mut Events) -> Result<(), Self::Error> {
        events.clear();
        self.0.wait(events, None).map(drop)
    }
}
