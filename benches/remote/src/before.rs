//! The same calls through an earlier version of the crate: before.toml.

mod batches;
mod socket;

fn main() {
    socket::run(&std::env::args().skip(1).collect::<Vec<_>>());
}
