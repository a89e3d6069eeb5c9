//! Identities of what a process shares with others: its descriptor table, its address space, its pid namespace.
//!
//! Far values are only compared: two tasks with equal tables may use each other's file descriptors. The kernel never
//! shows these identities; they are known from how the processes were created.

use core::sync::atomic::{AtomicU64, Ordering};

/// The identities of the process that this code runs in; new ones are above.
const CURRENT: u64 = 0;
static LAST: AtomicU64 = AtomicU64::new(CURRENT);

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// ```
        #[doc = concat!("use rsyscall::far::", stringify!($name), ";")]
        ///
        #[doc = concat!("assert_ne!(", stringify!($name), "::new(), ", stringify!($name), "::new());")]
        #[doc = concat!("assert_ne!(", stringify!($name), "::new(), ", stringify!($name), "::CURRENT);")]
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(u64);

        impl $name {
            /// That of the process in which this code runs.
            pub const CURRENT: Self = Self(CURRENT);

            /// Returns an identity that differs from all others.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "two defaults that differ would be a surprise")]
            pub fn new() -> Self {
                // Relaxed: only that every value is handed out once matters. At a thousand million a second 64 bits
                // last for six centuries.
                Self(LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1))
            }
        }
    };
}

identity! {
    /// A file descriptor table.
    #[doc(alias = "FDTable", alias = "CLONE_FILES")]
    FdTable
}
identity! {
    /// An address space.
    #[doc(alias = "CLONE_VM")]
    AddressSpace
}
identity! {
    /// A pid namespace.
    #[doc(alias = "CLONE_NEWPID")]
    PidNamespace
}
