//! `epoll_create1`, `epoll_ctl`, `epoll_pwait`.

use super::Kernel;
use super::memory::{Arguments, access_ok};
use super::sleep::{Blocked, Wake};
use super::table::{Kind, Open, file_descriptor};
use super::watch::{EPOLLEXCLUSIVE, Watch};
use crate::Errno;
use crate::near;
use core::cell::Cell;
use core::time::Duration;

// `include/uapi/linux/eventpoll.h`.
const EPOLL_CTL_ADD: u32 = 1;
const EPOLL_CTL_DEL: u32 = 2;
const EPOLL_CTL_MOD: u32 = 3;
const EPOLLET: u32 = 1 << 31;
const EPOLLONESHOT: u32 = 1 << 30;
const EPOLLWAKEUP: u32 = 1 << 29;
/// `EPOLLEXCLUSIVE_OK_BITS` in `fs/eventpoll.c`: what an exclusive watch may request.
const EXCLUSIVE_WITH: u32 = 0x1 | 0x4 | 0x8 | 0x10 | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
const O_CLOEXEC: u32 = 0o2000000;

/// `struct epoll_event`: the events, four bytes of padding where it is not packed, and the data.
const EVENT: usize = near::EVENT_SIZE;

/// `EP_MAX_EVENTS`: how many events one wait can request.
const MAX_EVENTS: usize = i32::MAX as usize / EVENT;

impl Kernel<'_> {
    pub(super) fn epoll_create1(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        match args.int(0) {
            flags @ (0 | O_CLOEXEC) => self.table.create(Kind::Epoll, 0, flags == O_CLOEXEC),
            _ => Err(Errno::EINVAL),
        }
    }

    pub(super) fn epoll_ctl(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let operation = args.int(1);
        let event = if operation == EPOLL_CTL_DEL { [0; EVENT] } else { args.read(3)? };
        let events = event.first_chunk().map_or(0, |events| u32::from_ne_bytes(*events));
        let data = event.last_chunk().copied().unwrap_or_default();
        let epoll = self.table.open(args.fd(0))?;
        let target = self.table.open(args.fd(2))?;
        let description = epoll_description(epoll)?;
        if target.slot.description == description {
            return Err(Errno::EINVAL);
        }
        // Linux lets an epoll watch an epoll up to a nesting depth; here the depth is zero.
        if matches!(target.description.kind, Kind::Epoll) {
            return Err(Errno::ELOOP);
        }
        if events & EPOLLEXCLUSIVE != 0 && (operation == EPOLL_CTL_MOD || events & !EXCLUSIVE_WITH != 0) {
            return Err(Errno::EINVAL);
        }
        let new = Watch {
            epoll: description,
            target: target.slot.description,
            index: target.index,
            // `EPOLLERR` and `EPOLLHUP` need not be added: no file here ever reports them.
            events,
            data,
            added: self.edge(),
            ready: None,
        };
        let same = |watch: &Watch| (watch.epoll, watch.target, watch.index) == (description, new.target, new.index);
        let known = self.table.watches.iter().find(|cell| cell.get().is_some_and(|watch| same(&watch)));
        match (operation, known) {
            (EPOLL_CTL_ADD, Some(_)) => return Err(Errno::EEXIST),
            (EPOLL_CTL_ADD, None) => {
                let free = self.table.watches.iter().find(|cell| cell.get().is_none());
                self.arm(free.ok_or(Errno::ENOSPC)?, new);
            }
            (EPOLL_CTL_MOD, Some(cell)) => {
                let Watch { added, ready, events, .. } = cell.get().unwrap_or(new);
                if events & EPOLLEXCLUSIVE != 0 {
                    return Err(Errno::EINVAL);
                }
                self.arm(cell, Watch { added, ready, ..new });
            }
            (EPOLL_CTL_DEL, Some(cell)) => cell.set(None),
            (EPOLL_CTL_MOD | EPOLL_CTL_DEL, None) => return Err(Errno::ENOENT),
            _ => return Err(Errno::EINVAL),
        }
        Ok(0)
    }

    pub(super) fn epoll_pwait(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        args.signal_mask(4)?;
        let max = usize::try_from(args.signed(2)).unwrap_or(0);
        if max == 0 || max > MAX_EVENTS {
            return Err(Errno::EINVAL);
        }
        access_ok(args.word(1), max.saturating_mul(EVENT))?;
        let epoll = self.table.open(args.fd(0))?;
        let description = epoll_description(epoll)?;
        // In milliseconds; negative means no timeout.
        let timeout = u64::try_from(args.signed(3)).ok().map(Duration::from_millis);
        let deadline = timeout.map(|timeout| self.after(timeout));
        self.table.keep(description);
        let result = loop {
            match self.collect(description, max, args) {
                Ok(0) if deadline.is_some_and(|deadline| deadline <= self.now()) => break Ok(0),
                Ok(0) => {}
                result => break result,
            }
            let fd = self.table.watches.iter().filter_map(Cell::get).find(|watch| watch.epoll == description);
            match self.sleep(Blocked::Poll { fd: fd.map(|watch| file_descriptor(watch.index)), deadline }) {
                Wake::Retry => {}
                Wake::Interrupt => break Err(Errno::EINTR),
                Wake::Nothing => match deadline {
                    Some(deadline) => self.advance_to(deadline),
                    None => break Err(Errno::EDEADLK),
                },
            }
        };
        self.table.release(description);
        result
    }

    /// Takes events from the ready list, oldest first. Level-triggered ones are appended again.
    fn collect(&self, epoll: usize, max: usize, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let end = self.edges.get();
        let mut count: usize = 0;
        while count < max {
            let ready = |cell: &Cell<Option<Watch>>| cell.get().filter(|watch| watch.epoll == epoll)?.ready;
            let listed = self.table.watches.iter().filter_map(|cell| Some((ready(cell)?, cell)));
            let oldest = listed.filter(|(edge, _)| *edge < end).min_by_key(|(edge, _)| *edge);
            let Some((cell, mut watch)) = oldest.and_then(|(_, cell)| Some((cell, cell.get()?))) else { break };
            let found = self.found(&watch);
            watch.ready = None;
            if found != 0 {
                let mut event = [0; EVENT];
                let (events, data) = event.split_at_mut(EVENT.saturating_sub(watch.data.len()));
                events.iter_mut().zip(found.to_ne_bytes()).for_each(|(to, from)| *to = from);
                data.copy_from_slice(&watch.data);
                if let Err(errno) = args.write_at(1, count.saturating_mul(EVENT), &event) {
                    // Still ready; what was written before is returned.
                    return if count > 0 { Ok(count) } else { Err(errno) };
                }
                count = count.saturating_add(1);
                if watch.events & EPOLLONESHOT != 0 {
                    // It is disabled until `EPOLL_CTL_MOD`, which sets all events again.
                    watch.events = 0;
                } else if watch.events & EPOLLET == 0 {
                    watch.ready = Some(self.edge());
                }
            }
            cell.set(Some(watch));
        }
        Ok(count)
    }
}

fn epoll_description(open: Open) -> Result<usize, Errno> {
    match open.description.kind {
        Kind::Epoll => Ok(open.slot.description),
        Kind::Eventfd(_) | Kind::Signalfd(_) | Kind::Pidfd(_) => Err(Errno::EINVAL),
    }
}
