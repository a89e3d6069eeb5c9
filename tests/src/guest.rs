//! Builds static programs without libc, and reads the result.

use crate::cargo;
use object::{Object, ObjectSection, ObjectSymbol};
use std::path::{Path, PathBuf};

/// The targets that a guest is built for.
pub const TARGETS: [&str; 3] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "riscv64gc-unknown-linux-gnu"];

/// How a guest is built: `opt-level` and `lto` of the release profile, or the package's own profile.
#[derive(Debug, Clone, Copy)]
pub struct Profile(pub Option<(&'static str, &'static str)>);

/// The name of `core`'s library for a target, or `None` if it is not installed.
pub fn core_of(target: &str) -> Option<String> {
    core_of_compiler(&PathBuf::from(std::env::var("RUSTC").unwrap_or("rustc".into())), target)
}

/// The same of another compiler.
pub fn core_of_compiler(rustc: &Path, target: &str) -> Option<String> {
    let libdir = std::process::Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output();
    let libdir = String::from_utf8(libdir.expect("rustc").stdout).expect("a path");
    std::fs::read_dir(libdir.trim()).into_iter().flatten().flatten().find_map(|file| {
        let name = file.file_name().into_string().ok()?;
        (name.starts_with("libcore-") && name.ends_with(".rlib")).then_some(name)
    })
}

/// Builds a binary of a guest package below this repository. `target_dir` is the caller's own.
pub fn build(package: &str, binary: &str, target: &str, profile: Profile, target_dir: &Path) -> Guest {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // Cargo does not notice that a target's libraries were replaced.
    let core: String = core_of(target).into_iter().flat_map(|name| name.chars().collect::<Vec<_>>()).collect();
    let target_dir = target_dir.join(core);
    let mut cargo = cargo();
    cargo.args(["build", "--release", "--target", target, "--bin", binary]).current_dir(root.join(package));
    if let Profile(Some((opt_level, lto))) = profile {
        cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", opt_level).env("CARGO_PROFILE_RELEASE_LTO", lto);
    }
    let output = cargo.arg("--target-dir").arg(&target_dir).output().expect("cargo");
    assert!(output.status.success(), "{package} {target} {profile:?}: {}", String::from_utf8_lossy(&output.stderr));
    let path = target_dir.join(target).join("release").join(binary);
    Guest { bytes: std::fs::read(&path).expect("what cargo has built"), path }
}

/// A program that was built elsewhere.
pub fn open(path: &Path) -> Guest {
    Guest { bytes: std::fs::read(path).expect("a program"), path: path.to_owned() }
}

/// A program that was built.
pub struct Guest {
    /// Where it is.
    pub path: PathBuf,
    bytes: Vec<u8>,
}

impl Guest {
    fn object(&self) -> object::File<'_> {
        object::File::parse(&*self.bytes).expect("an ELF file")
    }

    /// The size of its section `.text`, in bytes.
    pub fn text(&self) -> u64 {
        self.object().section_by_name(".text").expect("a section .text").size()
    }

    /// The names of its symbols that are not defined in it.
    pub fn undefined(&self) -> Vec<String> {
        let object = self.object();
        let symbols = object.symbols().filter(|symbol| symbol.is_undefined());
        symbols.filter_map(|symbol| symbol.name().ok()).filter(|name| !name.is_empty()).map(String::from).collect()
    }

    /// The names of its functions.
    pub fn functions(&self) -> Vec<String> {
        let object = self.object();
        let symbols = object.symbols().filter(|symbol| symbol.is_definition());
        symbols.filter_map(|symbol| symbol.name().ok()).map(String::from).collect()
    }

    /// Whether it requests an interpreter or a library when it is started.
    pub fn is_dynamic(&self) -> bool {
        let object = self.object();
        // A program that relocates itself has a dynamic section, but nothing for a dynamic linker.
        object.section_by_name(".interp").is_some() || object.dynamic_symbols().any(|symbol| symbol.is_undefined())
    }
}

/// The command that runs programs of a target: empty if this machine does, `None` if there is none.
pub fn runner(target: &str) -> Option<Option<String>> {
    let arch = target.split('-').next()?.replace("riscv64gc", "riscv64");
    if arch == std::env::consts::ARCH {
        return Some(None);
    }
    let emulator = format!("qemu-{arch}-static");
    let there = std::process::Command::new(&emulator).arg("--version").output().is_ok();
    there.then_some(Some(emulator))
}

/// Runs a program of a target, or reports why it could not.
pub fn run(case: &str, target: &str, program: &Path) -> Option<std::process::Output> {
    let Some(runner) = runner(target) else {
        crate::skip(&format!("{case} run for {target}"), "no emulator is installed; `ci/setup emulators` does");
        return None;
    };
    let mut command = std::process::Command::new(runner.as_deref().map_or(program, Path::new));
    if runner.is_some() {
        command.arg(program);
    }
    Some(command.output().expect("a program that starts"))
}
