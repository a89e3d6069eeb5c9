//! For a [`Task`](crate::Task) of a custom interface: identities of the file descriptor table, the address space and
//! the pid namespace of a process.
//!
//! A far value can only be compared: two tasks with equal tables may use each other's file descriptors. The kernel does
//! not expose these identities. The code that creates a process knows which of them the process shares.
//!
//! ```
//! use rsyscall::far::FdTable;
//!
//! let (parent, child) = (FdTable::CURRENT, FdTable::new());
//! assert_ne!(parent, child); // as after `fork`, which copies the table
//! ```

/// The identities of the current process; new identities are above.
const CURRENT: u64 = 0;

/// Returns an integer above all that it has returned. At 10⁹ calls a second, 64 bits last for six centuries.
#[cfg(target_has_atomic = "64")]
fn next() -> u64 {
    use core::sync::atomic::{AtomicU64, Ordering};
    static LAST: AtomicU64 = AtomicU64::new(CURRENT);
    // Relaxed: it suffices that each value is returned once.
    LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}

/// The same, under a spin lock: 32 bits could wrap around, and two identities would be equal.
#[cfg(not(target_has_atomic = "64"))]
fn next() -> u64 {
    use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    static LOCKED: AtomicBool = AtomicBool::new(false);
    static LAST: [AtomicU32; 2] = [AtomicU32::new(0), AtomicU32::new(0)];
    while LOCKED.swap(true, Ordering::Acquire) {
        core::hint::spin_loop();
    }
    let [low, high] = &LAST;
    let last = u64::from(low.load(Ordering::Relaxed)) | u64::from(high.load(Ordering::Relaxed)) << 32;
    let next = last.wrapping_add(1);
    let [a, b, c, d, e, f, g, h] = next.to_le_bytes();
    low.store(u32::from_le_bytes([a, b, c, d]), Ordering::Relaxed);
    high.store(u32::from_le_bytes([e, f, g, h]), Ordering::Relaxed);
    LOCKED.store(false, Ordering::Release);
    next
}

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
            /// The identity of the current process.
            pub const CURRENT: Self = Self(CURRENT);

            /// Creates an identity that differs from all others.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "two defaults would not be equal")]
            pub fn new() -> Self {
                Self(next())
            }
        }
    };
}

identity! {
    /// The identity of a file descriptor table.
    #[doc(alias = "FDTable", alias = "CLONE_FILES")]
    FdTable
}
identity! {
    /// The identity of an address space.
    #[doc(alias = "CLONE_VM")]
    AddressSpace
}
identity! {
    /// The identity of a pid namespace.
    #[doc(alias = "CLONE_NEWPID")]
    PidNamespace
}
