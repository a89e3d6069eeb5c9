//! For threads or processes that wake each other often: notifications that make a system call only if the waiter
//! sleeps.
//!
//! A write to an eventfd is a system call even if the reader is awake or was notified already. A [`Notifier`] has a
//! word of shared memory in front of the eventfd. A waiter sleeps on the word (a futex), or polls the eventfd along
//! with other file descriptors.
//!
//! ```
//! use rsyscall::Notifier;
//! use std::sync::Mutex;
//!
//! let (queue, notifier) = (Mutex::new(Vec::new()), Notifier::new()?);
//! std::thread::scope(|scope| {
//!     scope.spawn(|| {
//!         queue.lock().unwrap().push(1);
//!         notifier.notify()
//!     });
//!     notifier.wait()?; // returns after the push
//!     assert_eq!(queue.lock().unwrap().pop(), Some(1));
//!     Ok::<(), rsyscall::Errno>(())
//! })?;
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::NOTIFIER`](crate::nr::used_by::NOTIFIER).

mod fixed;
mod notifier;
pub(crate) mod spin;
mod state;
mod word;

pub use fixed::StaticNotifier;
pub use notifier::Notifier;
pub use spin::Spin;
pub use state::State;
