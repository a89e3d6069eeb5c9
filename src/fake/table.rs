//! The descriptor table and the open descriptions that its numbers stand for.

use super::counter::Counter;
use super::watch::Watch;
use crate::Errno;
use crate::near::FileDescriptor;
use core::cell::Cell;

/// `include/uapi/asm-generic/fcntl.h`.
pub(super) const O_NONBLOCK: u32 = 0o4000;

/// What a number has to itself.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) description: usize,
    pub(super) cloexec: bool,
}

/// What all duplicates share.
#[derive(Clone, Copy)]
pub(super) struct Description {
    /// Numbers and calls under way that keep it.
    users: usize,
    /// What `F_GETFL` answers besides the access mode.
    pub(super) status: u32,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Eventfd(Counter),
    Epoll,
    /// The signals that are read.
    Signalfd(u64),
    /// The pid.
    Pidfd(i32),
}

impl Description {
    pub(super) fn is_nonblocking(&self) -> bool {
        self.status & O_NONBLOCK != 0
    }
}

/// An open number, found.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) number: usize,
    pub(super) slot: Slot,
    pub(super) description: Description,
}

impl Open {
    pub(super) fn number(self) -> FileDescriptor {
        number(self.number)
    }
}

/// An index of the table, as callers know it.
pub(super) fn number(index: usize) -> FileDescriptor {
    FileDescriptor(i32::try_from(index).unwrap_or(i32::MAX))
}

pub(super) struct Table<'a> {
    slots: &'a [Cell<Option<Slot>>],
    descriptions: &'a [Cell<Option<Description>>],
    pub(super) watches: &'a [Cell<Option<Watch>>],
    /// `RLIMIT_NOFILE`; never more than there are slots.
    limit: Cell<usize>,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        slots: &'a [Cell<Option<Slot>>],
        descriptions: &'a [Cell<Option<Description>>],
        watches: &'a [Cell<Option<Watch>>],
    ) -> Self {
        slots.iter().for_each(|slot| slot.set(None));
        descriptions.iter().for_each(|description| description.set(None));
        watches.iter().for_each(|watch| watch.set(None));
        Self { slots, descriptions, watches, limit: Cell::new(slots.len()) }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit.get()
    }

    /// Numbers above a lowered limit stay open, as they do in the kernel.
    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.set(limit.min(self.slots.len()));
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// The numbers that are open, from the lowest.
    pub(super) fn numbers(&self) -> impl Iterator<Item = usize> + 'a {
        self.slots.iter().enumerate().filter(|(_, slot)| slot.get().is_some()).map(|(number, _)| number)
    }

    /// Looks a number up: `EBADF` if it is not open.
    pub(super) fn open(&self, number: usize) -> Result<Open, Errno> {
        let slot = self.slots.get(number).and_then(Cell::get).ok_or(Errno::EBADF)?;
        let description = self.description(slot.description).ok_or(Errno::EBADF)?;
        Ok(Open { number, slot, description })
    }

    /// How many descriptions there can be.
    pub(super) fn descriptions(&self) -> usize {
        self.descriptions.len()
    }

    pub(super) fn description(&self, index: usize) -> Option<Description> {
        self.descriptions.get(index).and_then(Cell::get)
    }

    /// Changes what a description holds, and says what the change found.
    pub(super) fn change<R>(&self, index: usize, change: impl FnOnce(&mut Description) -> R) -> Option<R> {
        let cell = self.descriptions.get(index)?;
        let mut description = cell.get()?;
        let found = change(&mut description);
        cell.set(Some(description));
        Some(found)
    }

    /// The lowest free number from `from` on: `EMFILE` if there is none below the limit.
    pub(super) fn free_number(&self, from: usize) -> Result<usize, Errno> {
        let below = self.slots.iter().take(self.limit());
        let mut free = below.enumerate().skip(from).filter(|(_, slot)| slot.get().is_none());
        free.next().map(|(number, _)| number).ok_or(Errno::EMFILE)
    }

    /// A new description under the lowest free number.
    pub(super) fn create(&self, kind: Kind, status: u32, cloexec: bool) -> Result<usize, Errno> {
        // The order of the kernel: a full table is found before a full system.
        let number = self.free_number(0)?;
        let free = self.descriptions.iter().position(|description| description.get().is_none());
        let description = free.ok_or(Errno::ENFILE)?;
        if let Some(cell) = self.descriptions.get(description) {
            cell.set(Some(Description { users: 0, status, kind }));
        }
        self.install(number, Slot { description, cloexec });
        Ok(number)
    }

    /// Makes a number stand for a description, closing what it stood for.
    pub(super) fn install(&self, number: usize, slot: Slot) {
        self.keep(slot.description);
        if let Some(cell) = self.slots.get(number) {
            if let Some(before) = cell.replace(Some(slot)) {
                self.release(before.description);
            }
        }
    }

    pub(super) fn set_cloexec(&self, open: Open, cloexec: bool) {
        if let Some(cell) = self.slots.get(open.number) {
            cell.set(Some(Slot { cloexec, ..open.slot }));
        }
    }

    pub(super) fn close(&self, number: usize) -> Result<(), Errno> {
        let slot = self.slots.get(number).and_then(Cell::take).ok_or(Errno::EBADF)?;
        self.release(slot.description);
        Ok(())
    }

    /// One more user.
    pub(super) fn keep(&self, index: usize) {
        let _found = self.change(index, |description| description.users = description.users.saturating_add(1));
    }

    /// One user less; the last one takes the description away.
    pub(super) fn release(&self, index: usize) {
        let left = self.change(index, |description| {
            description.users = description.users.saturating_sub(1);
            description.users
        });
        if left == Some(0) {
            if let Some(cell) = self.descriptions.get(index) {
                cell.set(None);
            }
            for watch in self.watches {
                watch.set(watch.get().filter(|watch| watch.epoll != index && watch.target != index));
            }
        }
    }
}
