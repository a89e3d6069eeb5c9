//! What the tests share.

pub mod guest;
pub mod packaged;
pub mod signal;
pub mod threads;
pub mod trace;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Reports that a case did not run here, and why: past the test harness, which keeps to itself what a passing test
/// prints. Where everything is meant to run (`RSYSCALL_NO_SKIP` is set) it is a failure.
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

/// Whether this program runs under qemu-user: some fifty times slower, with far slower threads, no seccomp filters and
/// no resource limits of its own, and unable to execute itself.
pub fn emulated() -> bool {
    fs::read("/proc/self/comm").is_ok_and(|name| name.starts_with(b"qemu-"))
}

/// Whether a child can share this process's descriptor table: not under qemu-user.
pub fn shares_files() -> bool {
    rsyscall::remote::fork_sharing_files().is_ok()
}

/// A folder outside the repository, so that only its own configuration is found in it; gone with this value.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty one.
    pub fn empty(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rsyscall-{name}-{}", std::process::id()));
        let _not_there = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        Self(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes a file in it, and the folders on the way.
    pub fn write(&self, name: &str, text: &str) {
        let file = self.0.join(name);
        fs::create_dir_all(file.parent().expect("in a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _nobody_to_tell = fs::remove_dir_all(&self.0);
    }
}
