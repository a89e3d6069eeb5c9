//! The descriptor table, and the open file descriptions that it refers to.

use super::counter::Counter;
use super::watch::Watch;
use crate::Errno;
use crate::near::FileDescriptor;
use core::cell::Cell;

/// `include/uapi/asm-generic/fcntl.h`.
pub(super) const O_NONBLOCK: u32 = 0o4000;

/// An entry of the descriptor table: what a file descriptor does not share with its duplicates.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) description: usize,
    pub(super) cloexec: bool,
}

/// An open file description: what all duplicates share.
#[derive(Clone, Copy)]
pub(super) struct Description {
    /// File descriptors and calls in progress that keep it.
    users: usize,
    /// What `F_GETFL` returns, without the access mode.
    pub(super) status: u32,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Eventfd(Counter),
    Epoll,
    /// The signals that it accepts.
    Signalfd(u64),
    /// The pid.
    Pidfd(i32),
}

impl Description {
    pub(super) fn is_nonblocking(&self) -> bool {
        self.status & O_NONBLOCK != 0
    }
}

/// An open file descriptor, as found in the table.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) index: usize,
    pub(super) slot: Slot,
    pub(super) description: Description,
}

impl Open {
    pub(super) fn fd(self) -> FileDescriptor {
        file_descriptor(self.index)
    }
}

/// Converts an index of the table to a file descriptor.
pub(super) fn file_descriptor(index: usize) -> FileDescriptor {
    FileDescriptor(i32::try_from(index).unwrap_or(i32::MAX))
}

pub(super) struct Table<'a> {
    slots: &'a [Cell<Option<Slot>>],
    descriptions: &'a [Cell<Option<Description>>],
    pub(super) watches: &'a [Cell<Option<Watch>>],
    /// `RLIMIT_NOFILE`; at most the number of slots.
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

    /// Sets the limit. File descriptors above a lowered limit stay open, as in the kernel.
    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.set(limit.min(self.slots.len()));
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Returns the indices of the open file descriptors, lowest first.
    pub(super) fn open_indices(&self) -> impl Iterator<Item = usize> + 'a {
        self.slots.iter().enumerate().filter(|(_, slot)| slot.get().is_some()).map(|(index, _)| index)
    }

    /// Looks up a file descriptor: `EBADF` if it is not open.
    pub(super) fn open(&self, index: usize) -> Result<Open, Errno> {
        let slot = self.slots.get(index).and_then(Cell::get).ok_or(Errno::EBADF)?;
        let description = self.description(slot.description).ok_or(Errno::EBADF)?;
        Ok(Open { index, slot, description })
    }

    /// Returns how many open file descriptions there can be.
    pub(super) fn descriptions(&self) -> usize {
        self.descriptions.len()
    }

    pub(super) fn description(&self, index: usize) -> Option<Description> {
        self.descriptions.get(index).and_then(Cell::get)
    }

    /// Applies a function to an open file description, and returns its result.
    pub(super) fn change<R>(&self, index: usize, change: impl FnOnce(&mut Description) -> R) -> Option<R> {
        let cell = self.descriptions.get(index)?;
        let mut description = cell.get()?;
        let found = change(&mut description);
        cell.set(Some(description));
        Some(found)
    }

    /// Returns the lowest free index from `from` on: `EMFILE` if there is none below the limit.
    pub(super) fn free_index(&self, from: usize) -> Result<usize, Errno> {
        let below = self.slots.iter().take(self.limit());
        let mut free = below.enumerate().skip(from).filter(|(_, slot)| slot.get().is_none());
        free.next().map(|(index, _)| index).ok_or(Errno::EMFILE)
    }

    /// Creates an open file description at the lowest free index.
    pub(super) fn create(&self, kind: Kind, status: u32, cloexec: bool) -> Result<usize, Errno> {
        // In the order of the kernel: `EMFILE` before `ENFILE`.
        let index = self.free_index(0)?;
        let free = self.descriptions.iter().position(|description| description.get().is_none());
        let description = free.ok_or(Errno::ENFILE)?;
        if let Some(cell) = self.descriptions.get(description) {
            cell.set(Some(Description { users: 0, status, kind }));
        }
        self.install(index, Slot { description, cloexec });
        Ok(index)
    }

    /// Sets an entry of the table, closing the one that was there.
    pub(super) fn install(&self, index: usize, slot: Slot) {
        self.keep(slot.description);
        if let Some(cell) = self.slots.get(index) {
            if let Some(before) = cell.replace(Some(slot)) {
                self.release(before.description);
            }
        }
    }

    pub(super) fn set_cloexec(&self, open: Open, cloexec: bool) {
        if let Some(cell) = self.slots.get(open.index) {
            cell.set(Some(Slot { cloexec, ..open.slot }));
        }
    }

    pub(super) fn close(&self, index: usize) -> Result<(), Errno> {
        let slot = self.slots.get(index).and_then(Cell::take).ok_or(Errno::EBADF)?;
        self.release(slot.description);
        Ok(())
    }

    /// Adds a user to an open file description.
    pub(super) fn keep(&self, index: usize) {
        let _found = self.change(index, |description| description.users = description.users.saturating_add(1));
    }

    /// Removes a user; the last one frees the open file description.
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
