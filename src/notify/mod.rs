//! Waking a waiter cheaply.
//!
//! An eventfd write is a system call, even if the reader is awake, or was already told. A [`Notifier`] puts one word of
//! memory in front of the eventfd, and makes a call only for a waiter that sleeps: one that sleeps on the word itself
//! is woken there, and the eventfd is written for one that waits for file descriptors.
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::NOTIFIER`](crate::nr::used_by::NOTIFIER).

mod fixed;
mod notifier;
mod spin;
mod state;
mod word;

pub use fixed::StaticNotifier;
pub use notifier::Notifier;
pub use spin::Spin;
pub use state::State;
