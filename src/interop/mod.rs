//! Traits of std for file descriptors, streams and errors, with feature `std`.

extern crate std;

mod descriptor;
mod error;
mod stream;
