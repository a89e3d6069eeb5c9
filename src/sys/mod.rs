//! Typed system interfaces for programs: eventfds, and what a program uses along with them. A module has the name of
//! its C header, where there is one.
//!
//! ```
//! use core::mem::MaybeUninit;
//! use rsyscall::sys::epoll::{Epoll, EpollEvents};
//! use rsyscall::{EventFd, EventfdFlags};
//!
//! let bell = EventFd::new(1, EventfdFlags::empty())?;
//! let epoll = Epoll::new()?;
//! epoll.add(&bell, EpollEvents::IN, 7)?;
//! let mut memory = [MaybeUninit::uninit(); 8];
//! assert_eq!(epoll.wait(&mut memory)?[0].data(), 7);
//! # Ok::<(), rsyscall::Errno>(())
//! ```

pub mod epoll;
pub mod eventfd;
mod kind;
pub mod listen_fds;
pub mod pidfd;
pub mod poll;
pub mod pollable;
pub(crate) mod ready;
pub mod signal;
pub mod signalfd;
pub mod socket;
pub mod stdio;
pub mod wait;
