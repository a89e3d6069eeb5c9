//! Shared by the tests.

pub mod guest;
pub mod packaged;
pub mod signal;
pub mod threads;
pub mod trace;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Reports that a case did not run here, and why: past the test harness, which hides the output of a passing test. If
/// everything must run (`RSYSCALL_NO_SKIP` is set) it panics.
pub fn skip(case: &str, reason: &str) {
    let _unreported = writeln!(std::io::stderr(), "SKIPPED {case}: {reason}");
    assert!(std::env::var_os("RSYSCALL_NO_SKIP").is_none(), "nothing may be skipped here: {case}: {reason}");
}

/// Cargo as a user would call it, without the variables that the test's own cargo has set.
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

/// The compiler that `ci/setup msrv` keeps.
pub fn oldest_rust() -> Option<PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let cache = std::env::var("RSYSCALL_CACHE").unwrap_or(
        std::env::var("XDG_CACHE_HOME").map_or(format!("{home}/.cache/rsyscall"), |cache| format!("{cache}/rsyscall")),
    );
    Some(Path::new(&cache).join("msrv/bin/rustc")).filter(|rustc| rustc.exists())
}

/// Reports that a case cannot run here, whatever is installed: the kernel or the emulator lacks what it needs.
pub fn cannot(case: &str, reason: &str) {
    let _unreported = writeln!(std::io::stderr(), "SKIPPED {case}: {reason}");
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

/// A folder outside the repository, so that only its own configuration is found in it; removed when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// Creates an empty folder.
    pub fn empty(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rsyscall-{name}-{}", std::process::id()));
        let _not_there = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        Self(folder)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Creates a file in it, and the folders of its path.
    pub fn write(&self, name: &str, text: &str) {
        let file = self.0.join(name);
        fs::create_dir_all(file.parent().expect("in a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _unreported = fs::remove_dir_all(&self.0);
    }
}
