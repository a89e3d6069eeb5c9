//! Sets of counters to wait for: epoll, as each peer wraps it. mio and polling have no counters of their own here, and
//! use those of the C library.

use super::asm::{Asm, Word, new_fd};
use super::libc::{Libc, failed};
use super::nix::Nix;
use super::rsyscall::Rsyscall;
use super::rustix::Rustix;
use super::{Counter, Peer, Set};
use sc::nr;
use std::io::Error;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

/// How many events fit.
const ROOM: usize = 16;

macro_rules! set {
    ($set:ident, $counter:ident, $inner:ty, $name:expr, $error:ty) => {
        pub struct $set {
            counters: Vec<$counter>,
            inner: $inner,
        }

        impl Peer for $set {
            const NAME: &'static str = $name;
            type Error = $error;
        }
    };
}

/// The counters, each added with its index.
#[inline(always)]
fn fill<C: Counter, E: From<C::Error>>(count: usize, add: impl Fn(&C, usize) -> Result<(), E>) -> Result<Vec<C>, E> {
    let mut counters = Vec::with_capacity(count);
    for which in 0..count {
        let counter = C::make(0, 0)?;
        add(&counter, which)?;
        counters.push(counter);
    }
    Ok(counters)
}

set!(AsmSet, Asm, Asm, Asm::NAME, Word);

const EPOLL_CTL_ADD: usize = 1;
const EPOLLIN: u32 = 1;
const EPOLL_CLOEXEC: usize = 0o2000000;

impl Set for AsmSet {
    fn make(count: usize) -> Result<Self, Word> {
        // SAFETY: a word and no memory.
        let epoll = Asm::adopt(new_fd(unsafe { call!(nr::EPOLL_CREATE1, EPOLL_CLOEXEC) })?);
        let counters = fill(count, |counter: &Asm, which| {
            let event = libc::epoll_event { events: EPOLLIN, u64: which as u64 };
            // SAFETY: two open descriptors and an event.
            let ret = unsafe { call!(nr::EPOLL_CTL, epoll.fd(), EPOLL_CTL_ADD, counter.fd(), &raw const event) };
            if ret == 0 { Ok(()) } else { Err(Word(ret)) }
        })?;
        Ok(Self { counters, inner: epoll })
    }

    #[inline(always)]
    fn write(&self, which: usize) -> Result<(), Word> {
        self.counters[which].write(1)
    }

    #[inline(always)]
    fn wait(&mut self) -> Result<usize, Word> {
        const EINTR: usize = 4_usize.wrapping_neg();
        let mut events = [const { MaybeUninit::<libc::epoll_event>::uninit() }; ROOM];
        let room = events.as_mut_ptr();
        let count = loop {
            // SAFETY: an open descriptor and room for that many events.
            match unsafe { call!(nr::EPOLL_PWAIT, self.inner.fd(), room, ROOM, usize::MAX, 0_usize, 8_usize) } {
                count @ 0..=ROOM => break count,
                EINTR => {}
                ret => return Err(Word(ret)),
            }
        };
        assert!(count > 0);
        // SAFETY: as many were written.
        let which = unsafe { events[0].assume_init() }.u64 as usize;
        self.counters[which].read()?;
        Ok(which)
    }
}

set!(RsyscallSet, Rsyscall, rsyscall::sys::epoll::Epoll, Rsyscall::NAME, rsyscall::Errno);

impl Set for RsyscallSet {
    fn make(count: usize) -> Result<Self, rsyscall::Errno> {
        use rsyscall::sys::epoll::{Epoll, EpollEvents};
        let inner = Epoll::new()?;
        let counters = fill(count, |counter: &Rsyscall, which| inner.add(&counter.0, EpollEvents::IN, which as u64))?;
        Ok(Self { counters, inner })
    }

    #[inline(always)]
    fn write(&self, which: usize) -> Result<(), rsyscall::Errno> {
        self.counters[which].write(1)
    }

    #[inline(always)]
    fn wait(&mut self) -> Result<usize, rsyscall::Errno> {
        let mut memory = [const { MaybeUninit::uninit() }; ROOM];
        let which = self.inner.wait(&mut memory)?[0].data() as usize;
        self.counters[which].read()?;
        Ok(which)
    }
}

set!(RustixSet, Rustix, rustix::fd::OwnedFd, Rustix::NAME, rustix::io::Errno);

impl Set for RustixSet {
    fn make(count: usize) -> Result<Self, rustix::io::Errno> {
        use rustix::event::epoll::{CreateFlags, EventData, EventFlags, add, create};
        let inner = create(CreateFlags::CLOEXEC)?;
        let counters = fill(count, |counter: &Rustix, which| {
            add(&inner, &counter.0, EventData::new_u64(which as u64), EventFlags::IN)
        })?;
        Ok(Self { counters, inner })
    }

    #[inline(always)]
    fn write(&self, which: usize) -> Result<(), rustix::io::Errno> {
        self.counters[which].write(1)
    }

    #[inline(always)]
    fn wait(&mut self) -> Result<usize, rustix::io::Errno> {
        let mut memory = [const { MaybeUninit::uninit() }; ROOM];
        let (events, _) = rustix::event::epoll::wait(&self.inner, &mut memory, None)?;
        let which = events[0].data.u64() as usize;
        self.counters[which].read()?;
        Ok(which)
    }
}

set!(LibcSet, Libc, Libc, Libc::NAME, Error);

impl Set for LibcSet {
    fn make(count: usize) -> Result<Self, Error> {
        // SAFETY: a word and no memory.
        let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if epoll < 0 {
            return Err(failed());
        }
        let counters = fill(count, |counter: &Libc, which| {
            let mut event = libc::epoll_event { events: EPOLLIN, u64: which as u64 };
            // SAFETY: two open descriptors and an event.
            let ret = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, counter.0, &raw mut event) };
            if ret == 0 { Ok(()) } else { Err(failed()) }
        })?;
        Ok(Self { counters, inner: Libc(epoll) })
    }

    #[inline(always)]
    fn write(&self, which: usize) -> Result<(), Error> {
        self.counters[which].write(1)
    }

    #[inline(always)]
    fn wait(&mut self) -> Result<usize, Error> {
        let mut events = [const { MaybeUninit::<libc::epoll_event>::uninit() }; ROOM];
        // SAFETY: an open descriptor and room for that many events.
        if unsafe { libc::epoll_wait(self.inner.0, events.as_mut_ptr().cast(), ROOM as i32, -1) } < 1 {
            return Err(failed());
        }
        // SAFETY: at least one was written.
        let which = unsafe { events[0].assume_init() }.u64 as usize;
        self.counters[which].read()?;
        Ok(which)
    }
}

set!(NixSet, Nix, nix::sys::epoll::Epoll, Nix::NAME, nix::errno::Errno);

impl Set for NixSet {
    fn make(count: usize) -> Result<Self, nix::errno::Errno> {
        use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
        let inner = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let counters = fill(count, |counter: &Nix, which| {
            inner.add(counter.0.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, which as u64))
        })?;
        Ok(Self { counters, inner })
    }

    #[inline(always)]
    fn write(&self, which: usize) -> Result<(), nix::errno::Errno> {
        self.counters[which].write(1)
    }

    #[inline(always)]
    fn wait(&mut self) -> Result<usize, nix::errno::Errno> {
        use nix::sys::epoll::{EpollEvent, EpollTimeout};
        let mut events = [EpollEvent::empty(); ROOM];
        self.inner.wait(&mut events, EpollTimeout::NONE)?;
        let which = events[0].data() as usize;
        self.counters[which].read()?;
        Ok(which)
    }
}

set!(MioSet, Libc, (mio::Poll, mio::Events), super::mio::Mio::NAME, Error);

impl Set for MioSet {
    fn make(count: usize) -> Result<Self, Error> {
        use mio::{Events, Interest, Poll, Token, unix::SourceFd};
        let poll = Poll::new()?;
        let counters = fill(count, |counter: &Libc, which| {
            poll.registry().register(&mut SourceFd(&counter.0), Token(which), Interest::READABLE)
        })?;
        Ok(Self { counters, inner: (poll, Events::with_capacity(ROOM)) })
    }

    #[inline(always)]
    fn write(&self, which: usize) -> Result<(), Error> {
        self.counters[which].write(1)
    }

    #[inline(always)]
    fn wait(&mut self) -> Result<usize, Error> {
        let (poll, events) = &mut self.inner;
        poll.poll(events, None)?;
        let which = events.iter().next().expect("one is ready").token().0;
        self.counters[which].read()?;
        Ok(which)
    }
}

set!(PollingSet, Libc, (polling::Poller, polling::Events), super::polling::Polling::NAME, Error);

impl Set for PollingSet {
    fn make(count: usize) -> Result<Self, Error> {
        use polling::{Event, Events, PollMode, Poller};
        let poller = Poller::new()?;
        let counters = fill(count, |counter: &Libc, which| {
            // SAFETY: both are dropped together, and the poller is not used in between.
            unsafe { poller.add_with_mode(counter.0, Event::readable(which), PollMode::Level) }
        })?;
        Ok(Self { counters, inner: (poller, Events::new()) })
    }

    #[inline(always)]
    fn write(&self, which: usize) -> Result<(), Error> {
        self.counters[which].write(1)
    }

    #[inline(always)]
    fn wait(&mut self) -> Result<usize, Error> {
        let (poller, events) = &mut self.inner;
        events.clear();
        poller.wait(events, None)?;
        let which = events.iter().next().expect("one is ready").key;
        self.counters[which].read()?;
        Ok(which)
    }
}
