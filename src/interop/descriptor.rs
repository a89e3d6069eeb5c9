//! `AsFd` and its kin, to and from the descriptors of std.
//!
//! Only for the current process: std knows no other, and a number of another process would name something else here.

use super::std::os::fd::{self, AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, RawFd};
use crate::EventFd;
use crate::fd::OwnedFd;
use crate::notify::{Notifier, State};
use crate::sys::epoll::Epoll;
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

// To be waited for in someone else's reactor; whose they are does not change.
borrowed!(Epoll);
borrowed!(Notifier<S>, S: Borrow<State>);

macro_rules! descriptor {
    ($name:ident, $says:literal) => {
        borrowed!($name);

        impl IntoRawFd for $name {
            #[inline]
            fn into_raw_fd(self) -> RawFd {
                Self::into_raw_fd(self)
            }
        }

        impl FromRawFd for $name {
            #[inline]
            unsafe fn from_raw_fd(fd: RawFd) -> Self {
                // SAFETY: handed on as it came; std asks for an open number whose only owner this becomes, as we do.
                unsafe { Self::from_raw_fd(fd) }
            }
        }

        impl From<fd::OwnedFd> for $name {
            #[doc = $says]
            #[inline]
            fn from(fd: fd::OwnedFd) -> Self {
                // SAFETY: std's value owned an open number, and has just given it away.
                unsafe { Self::from_raw_fd(fd.into_raw_fd()) }
            }
        }

        impl From<$name> for fd::OwnedFd {
            /// The same number, now closed by std, and so through libc.
            #[inline]
            fn from(fd: $name) -> Self {
                // SAFETY: our value owned an open number, and has just given it away.
                unsafe { Self::from_raw_fd(fd.into_raw_fd()) }
            }
        }
    };
}

descriptor!(OwnedFd, "The same number, from now on closed by this crate's own system call.");
descriptor!(
    EventFd,
    "The same number, from now on closed by this crate's own system call. It says that the descriptor is an eventfd; if it \
     is not, its calls answer errors."
);
