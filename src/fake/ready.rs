//! Readiness, and the epolls that it wakes.

use super::Kernel;
use super::table::Kind;
use super::watch::Watch;
use crate::near::PollFd;
use core::cell::Cell;

impl Kernel<'_> {
    /// Returns the events that a poll of an open file description reports.
    pub(super) fn ready(&self, index: usize) -> i16 {
        match self.table.description(index).map(|description| description.kind) {
            Some(Kind::Eventfd(counter)) => counter.events(),
            Some(Kind::Epoll) if self.has_event(index) => PollFd::IN,
            Some(Kind::Signalfd(set)) if self.processes.has_signal(set) => PollFd::IN,
            Some(Kind::Pidfd(process)) if self.processes.has_ended(process) => PollFd::IN,
            Some(Kind::Epoll | Kind::Signalfd(_) | Kind::Pidfd(_)) | None => 0,
        }
    }

    /// Adds or modifies a watch; a target that is ready already is an edge.
    pub(super) fn arm(&self, cell: &Cell<Option<Watch>>, mut watch: Watch) {
        if self.found(&watch) != 0 {
            watch.ready = watch.ready.or_else(|| Some(self.edge()));
        }
        cell.set(Some(watch));
    }

    /// Returns the requested events of a watch that its target has now.
    pub(super) fn found(&self, watch: &Watch) -> u32 {
        bits(self.ready(watch.target)) & watch.events
    }

    /// Counts an edge, and returns how many there were before.
    pub(super) fn edge(&self) -> u64 {
        self.edges.replace(self.edges.get().wrapping_add(1))
    }

    /// Wakes every epoll that watches an open file description for this event.
    pub(super) fn wake(&self, index: usize, event: i16) {
        let event = bits(event);
        let watching = |cell: &Cell<Option<Watch>>| cell.get().filter(|watch| watch.target == index);
        let mut last = None;
        loop {
            let watches = self.table.watches.iter().filter_map(|cell| Some((cell, watching(cell)?)));
            let next = watches
                .filter(|(_, watch)| Some(watch.wake_order()) > last)
                .min_by_key(|(_, watch)| watch.wake_order());
            let Some((cell, mut watch)) = next else { break };
            last = Some(watch.wake_order());
            if watch.events & event != 0 {
                watch.ready = watch.ready.or_else(|| Some(self.edge()));
                cell.set(Some(watch));
            }
        }
    }

    /// Returns whether this epoll has an event to report.
    pub(super) fn has_event(&self, epoll: usize) -> bool {
        let mut watches = self.table.watches.iter().filter_map(Cell::get);
        watches.any(|watch| watch.epoll == epoll && watch.ready.is_some() && self.found(&watch) != 0)
    }
}

/// Converts poll events to epoll events: the same bits in a wider integer.
fn bits(events: i16) -> u32 {
    u32::from(u16::from_ne_bytes(events.to_ne_bytes()))
}
