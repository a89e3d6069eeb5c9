//! What std programs expect: its traits for descriptors, streams and errors. Feature `std`.
//!
//! Uses all of the crate; nothing uses it. There is nothing to name here, only implementations.

extern crate std;

mod descriptor;
mod error;
mod stream;
