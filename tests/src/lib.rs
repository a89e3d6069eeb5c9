//! What the tests share.

pub mod guest;
pub mod signal;
pub mod threads;

use std::io::Write;
use std::process::Command;

/// Reports that a case did not run here, and why: past the test harness, which keeps to itself what a passing test prints.
/// Where everything is meant to run (`RSYSCALL_NO_SKIP` is set) it is a failure.
pub fn skip(case: &str, reason: &str) {
    let _nobody_to_tell = writeln!(std::io::stderr(), "SKIPPED {case}: {reason}");
    assert!(std::env::var_os("RSYSCALL_NO_SKIP").is_none(), "nothing may be skipped here: {case}: {reason}");
}

/// Cargo as a user would call it, without what the test's own cargo has put into the environment.
pub fn cargo() -> Command {
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_") && name != "CARGO_HOME" || name == "RUSTFLAGS" || name == "RUSTDOCFLAGS" {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Reports that a case cannot run here, whatever is installed: a kernel or an emulator without what it takes.
pub fn cannot(case: &str, reason: &str) {
    let _nobody_to_tell = writeln!(std::io::stderr(), "SKIPPED {case}: {reason}");
}

/// Whether a child can share this process's descriptor table: not under qemu-user.
pub fn shares_files() -> bool {
    rsyscall::remote::fork_sharing_files().is_ok()
}
