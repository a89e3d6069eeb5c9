//! The fuzz targets, as plain functions: each takes any bytes, and panics on a fault.
//!
//! libFuzzer calls them from `fuzz_targets/`, and `tests/corpus.rs` calls them with the committed corpus, which needs
//! only a compiler. `ci/fuzz` does both. A new target is a function here, listed in [`TARGETS`], a file in
//! `fuzz_targets/`, a `[[bin]]`, and a few files in `corpus/<name>/`.

mod bytes;
mod calls;
mod client;
mod errno;
mod model;
mod names;
mod operations;
mod serve;

pub use calls::calls;
pub use client::client;
pub use errno::errno;
pub use names::names;
pub use operations::operations;
pub use serve::serve;

/// Takes any bytes, and panics on a fault.
pub type Target = fn(&[u8]);

/// Every target, by name.
pub const TARGETS: [(&str, Target); 6] = [
    ("errno", errno),
    ("calls", calls),
    ("operations", operations),
    ("client", client),
    ("serve", serve),
    ("names", names),
];
