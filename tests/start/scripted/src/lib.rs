//! What the build script has said.
#![no_std]

/// "4".
pub const BUILT: &str = env!("BUILT");
