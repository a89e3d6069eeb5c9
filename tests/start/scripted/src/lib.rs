//! The output of the build script.
#![no_std]

/// "4".
pub const BUILT: &str = env!("BUILT");
