//! System call numbers of this architecture, by their names in the kernel's headers.

pub use sc::nr::*;
