//! How the program is linked: without a libc.

fn main() {
    rsyscall_build::link();
}
