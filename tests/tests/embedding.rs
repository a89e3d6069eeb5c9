//! The ways in which a program without std uses the crate: each builds a copy of `examples/guest`, and runs it.

use rsyscall_tests::guest::{TARGETS, core_of, run};
use rsyscall_tests::{Folder, cargo, skip};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A copy of the guest in a folder of its own, the text of each file edited.
fn copy(name: &str, change: impl Fn(&str) -> String) -> Folder {
    let folder = Folder::empty(name);
    let path = |from: &str| format!("path = {:?}", root().join(from));
    for file in ["Cargo.toml", "Cargo.lock", "build.rs", "src/main.rs", "src/platform.rs"] {
        let text = fs::read_to_string(root().join("examples/guest").join(file)).unwrap();
        let text =
            change(&text).replace("path = \"../..\"", &path("")).replace("path = \"../../build\"", &path("build"));
        folder.write(file, &text);
    }
    folder
}

/// Builds it, and asserts that it passes wherever it can be run.
fn passes(case: &str, folder: &Folder, target: &str, profile: &str, settings: &[(&str, &str)]) {
    let mut cargo = cargo();
    cargo.args(["build", "--profile", profile, "--target", target]).current_dir(folder.path());
    cargo.arg("--target-dir").arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("embedding-{case}")));
    let output = cargo.envs(settings.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{case} {target}: {}", String::from_utf8_lossy(&output.stderr));
    let directory = if profile == "dev" { "debug" } else { profile };
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("embedding-{case}")).join(target).join(directory);
    if let Some(output) = run(case, target, &program.join("guest")) {
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.ends_with("RESULT: passed\n") && output.status.success(), "{case} {target}: {said}");
    }
}

fn everywhere(case: &str, folder: &Folder, profile: &str, settings: &[(&str, &str)]) {
    for target in TARGETS {
        if core_of(target).is_some() {
            passes(case, folder, target, profile, settings);
        } else {
            skip(&format!("{case} for {target}"), "the target's core is not installed; `ci/setup targets` installs it");
        }
    }
}

#[test]
fn a_debug_build_links_and_runs() {
    everywhere("debug", &copy("debug", str::to_owned), "dev", &[]);
}

#[test]
fn a_release_build_without_link_time_optimisation_links_and_runs() {
    let settings = [("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")];
    everywhere("no-lto", &copy("no-lto", str::to_owned), "release", &settings);
}

#[test]
fn a_release_build_with_link_time_optimisation_links_and_runs() {
    let settings = [("CARGO_PROFILE_RELEASE_LTO", "fat"), ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3")];
    everywhere("fat-lto", &copy("fat-lto", str::to_owned), "release", &settings);
}

#[test]
fn a_user_may_rename_the_crate() {
    let renamed = copy("renamed", |text| {
        let dependency = "another = { package = \"rsyscall\", path";
        text.replace("rsyscall = { path", dependency).replace("rsyscall::", "another::")
    });
    assert!(fs::read_to_string(renamed.path().join("src/main.rs")).unwrap().contains("use another::"));
    everywhere("renamed", &renamed, "dev", &[]);
}

#[test]
fn the_linux_none_target_builds_its_own_core() {
    // One target, and the same for every architecture, which only decides how core is compiled.
    let target = "x86_64-unknown-linux-none";
    let Some(sources) = library_sources() else {
        return skip(
            target,
            "the sources of Rust's library are missing; `rustup component add rust-src` installs them",
        );
    };
    // The target's own description sets the rest. core has a build script, which is linked for this machine.
    let folder = copy("linux-none", str::to_owned);
    folder.write(".cargo/config.toml", &format!("[target.{target}]\nrustflags = [\"-Crelocation-model=static\"]\n"));
    let settings = [
        // A stable compiler requires it before it builds its own library.
        ("RUSTC_BOOTSTRAP", "1"),
        ("CARGO_UNSTABLE_BUILD_STD", "core,compiler_builtins"),
        // Where the sources are; cargo's own tests use this variable.
        ("__CARGO_TESTS_ONLY_SRC_ROOT", sources.to_str().unwrap()),
    ];
    passes("linux-none", &folder, target, "release", &settings);
}

/// The folder `library` of Rust's sources: the toolchain's, or the one that `ci/setup targets` keeps.
fn library_sources() -> Option<PathBuf> {
    let output = |arguments: &[&str]| {
        let rustc = std::env::var("RUSTC").unwrap_or("rustc".into());
        String::from_utf8(Command::new(rustc).args(arguments).output().unwrap().stdout).unwrap()
    };
    let version = output(&["-vV"]);
    let release = version.lines().find_map(|line| line.strip_prefix("release: "))?;
    let home = std::env::var("HOME").unwrap_or_default();
    let cache = std::env::var("RSYSCALL_CACHE").unwrap_or(
        std::env::var("XDG_CACHE_HOME").map_or(format!("{home}/.cache/rsyscall"), |cache| format!("{cache}/rsyscall")),
    );
    let sysroot = PathBuf::from(output(&["--print", "sysroot"]).trim());
    [sysroot.join("lib/rustlib/src/rust/library"), Path::new(&cache).join("rust-src").join(release).join("library")]
        .into_iter()
        .find(|library| library.join("Cargo.lock").exists() && library.join("core/Cargo.toml").exists())
}
