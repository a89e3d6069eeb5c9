//! `AsFd` and related traits, and conversions from and to the file descriptor types of std.
//!
//! Only for the current process: the types of std have no other, and the same integer is a different file descriptor in
//! another process.

use super::std::os::fd::{self, AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, RawFd};
use crate::EventFd;
use crate::fd::{Lent, OwnedFd};
use crate::near::FileDescriptor;
use crate::notify::{Notifier, State};
use crate::remote::Connection;
use crate::sys::epoll::Epoll;
use crate::sys::pidfd::PidFd;
use crate::sys::pollable::sealed::{Names, Own};
use crate::sys::pollable::{CurrentHandles, PolledFd};
use crate::sys::signalfd::SignalFd;
use crate::task::Current;
use core::borrow::Borrow;

macro_rules! borrowed {
    ($name:ty $(, $parameter:ident: $bound:path)?) => {
        impl $(<$parameter: $bound>)? AsFd for $name {
            #[inline]
            fn as_fd(&self) -> BorrowedFd<'_> {
                // SAFETY: owned, so open and not negative, for as long as the borrow lasts.
                unsafe { BorrowedFd::borrow_raw(Self::as_raw_fd(self)) }
            }
        }

        impl $(<$parameter: $bound>)? AsRawFd for $name {
            #[inline]
            fn as_raw_fd(&self) -> RawFd {
                Self::as_raw_fd(self)
            }
        }
    };
}

borrowed!(Notifier<S>, S: Borrow<State>);

borrowed!(crate::fd::BorrowedFd<'_>);

impl<F: AsFd> AsFd for Lent<'_, F> {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        F::as_fd(self)
    }
}

impl<'fd> From<BorrowedFd<'fd>> for crate::fd::BorrowedFd<'fd> {
    #[inline]
    fn from(fd: BorrowedFd<'fd>) -> Self {
        // SAFETY: the invariant of std's type: it is open for as long as the lifetime lasts.
        unsafe { Self::borrow_raw(Current, FileDescriptor(fd.as_raw_fd())) }
    }
}

impl<'fd> From<crate::fd::BorrowedFd<'fd>> for BorrowedFd<'fd> {
    #[inline]
    fn from(fd: crate::fd::BorrowedFd<'fd>) -> Self {
        // SAFETY: open for as long as the lifetime lasts, and not negative.
        unsafe { Self::borrow_raw(fd.as_raw_fd()) }
    }
}

/// Everything with a file descriptor can be polled.
impl<F: AsFd + ?Sized> Names<F, Current> for CurrentHandles {
    #[inline]
    fn name(fd: &F) -> PolledFd<'_> {
        PolledFd::current(FileDescriptor(fd.as_fd().as_raw_fd()))
    }
}

/// A connection can be polled, although it does not implement `AsFd`.
impl Names<Connection, Current> for CurrentHandles {
    #[inline]
    fn name(connection: &Connection) -> PolledFd<'_> {
        connection.number()
    }
}

macro_rules! kinds {
    ($($name:ident $kind:literal),*) => {$(
        descriptor!($name, concat!(
            "Takes ownership of the file descriptor, which is then closed by this crate's own system call. It is not \
             checked to be of kind `", $kind, "`: the calls of another kind fail."
        ));
    )*};
}

macro_rules! descriptor {
    ($name:ident, $doc:expr) => {
        borrowed!($name);

        impl IntoRawFd for $name {
            #[inline]
            fn into_raw_fd(self) -> RawFd {
                OwnedFd::into_raw_fd(self.into())
            }
        }

        impl FromRawFd for $name {
            #[inline]
            unsafe fn from_raw_fd(fd: RawFd) -> Self {
                // SAFETY: the same contract: it is open, and this becomes its only owner.
                Self::from(unsafe { OwnedFd::from_raw_fd(fd) })
            }
        }

        impl From<fd::OwnedFd> for $name {
            #[doc = $doc]
            #[inline]
            fn from(fd: fd::OwnedFd) -> Self {
                // SAFETY: the value of std owned an open file descriptor, and has just released it.
                Self::from(unsafe { OwnedFd::from_raw_fd(fd.into_raw_fd()) })
            }
        }

        impl From<$name> for fd::OwnedFd {
            /// Converts it into a file descriptor that std closes, through libc.
            #[inline]
            fn from(fd: $name) -> Self {
                // SAFETY: the value owned an open file descriptor, and has just released it.
                unsafe { Self::from_raw_fd(fd.into_raw_fd()) }
            }
        }
    };
}

descriptor!(OwnedFd, "Takes ownership of the file descriptor, which is then closed by this crate's own system call.");
kinds! { EventFd "eventfd", Epoll "epoll", SignalFd "signalfd", PidFd "pidfd" }
