//! Identities of what a process shares with others: its descriptor table, its address space, its pid namespace.
//!
//! Far values are only compared: two tasks with equal tables may use each other's file descriptors. The kernel never
//! shows these identities; they are known from how the processes were created.

/// The identities of the process that this code runs in; new ones are above.
const CURRENT: u64 = 0;

/// Returns a number above all that it has returned. At a thousand million a second 64 bits last for six centuries.
#[cfg(target_has_atomic = "64")]
fn next() -> u64 {
    use core::sync::atomic::{AtomicU64, Ordering};
    static LAST: AtomicU64 = AtomicU64::new(CURRENT);
    // Relaxed: only that every value is returned once matters.
    LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}

/// The same, in turns: 32 bits could all be used up, and two identities would then be one.
#[cfg(not(target_has_atomic = "64"))]
fn next() -> u64 {
    use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    static TAKEN: AtomicBool = AtomicBool::new(false);
    static LAST: [AtomicU32; 2] = [AtomicU32::new(0), AtomicU32::new(0)];
    while TAKEN.swap(true, Ordering::Acquire) {
        core::hint::spin_loop();
    }
    let [low, high] = &LAST;
    let last = u64::from(low.load(Ordering::Relaxed)) | u64::from(high.load(Ordering::Relaxed)) << 32;
    let next = last.wrapping_add(1);
    let [a, b, c, d, e, f, g, h] = next.to_le_bytes();
    low.store(u32::from_le_bytes([a, b, c, d]), Ordering::Relaxed);
    high.store(u32::from_le_bytes([e, f, g, h]), Ordering::Relaxed);
    TAKEN.store(false, Ordering::Release);
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
            /// That of the process in which this code runs.
            pub const CURRENT: Self = Self(CURRENT);

            /// Returns an identity that differs from all others.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "two defaults that differ would be a surprise")]
            pub fn new() -> Self {
                Self(next())
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
