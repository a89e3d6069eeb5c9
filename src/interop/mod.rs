//! What std programs expect: its traits for descriptors, streams and errors. Feature `std`.

extern crate std;

mod descriptor;
mod error;
mod stream;
