//! The crates as they are published, in an otherwise empty Cargo home: what a user's Cargo finds on crates.io.

use crate::{Folder, cargo};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Cargo home in which `rsyscall` and `rsyscall-build` are the packaged ones of this repository.
pub struct Packaged {
    home: Folder,
}

impl Packaged {
    /// Packages both. `name` is the caller's own.
    pub fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository");
        let home = Folder::empty(&format!("home-{name}"));
        let sources = home.path().join("sources");
        fs::create_dir(&sources).expect("a folder");

        let target = home.path().join("target");
        let mut package = cargo();
        package.args([
            "package",
            "--quiet",
            "--no-verify",
            "--allow-dirty",
            "--package",
            "rsyscall",
            "--package",
            "rsyscall-build",
        ]);
        done(package.arg("--target-dir").arg(&target).current_dir(&root));
        for file in fs::read_dir(target.join("package")).expect("what cargo has packaged") {
            let file = file.expect("a file").path();
            if file.extension().is_some_and(|extension| extension == "crate") {
                done(Command::new("tar").arg("xzf").arg(file).current_dir(&sources));
            }
        }
        // The dependencies, as this Cargo has them already.
        let listed = done(cargo().args(["metadata", "--format-version", "1"]).current_dir(&root));
        for name in ["bitflags", "sc", "static_assertions"] {
            let manifest = manifest(&listed, name);
            done(Command::new("cp").arg("-r").arg(manifest.parent().expect("a folder")).arg(&sources));
        }
        for source in fs::read_dir(&sources).expect("the sources") {
            // No file is listed, so none is compared.
            fs::write(source.expect("a folder").path().join(".cargo-checksum.json"), "{\"files\":{}}").expect("a file");
        }
        let config = format!(
            "[source.crates-io]\nreplace-with = \"packaged\"\n[source.packaged]\ndirectory = {sources:?}\n\
             [net]\noffline = true\n"
        );
        home.write("config.toml", &config);
        Self { home }
    }

    /// Cargo as its user calls it.
    pub fn cargo(&self) -> Command {
        let mut cargo = cargo();
        cargo.env("CARGO_HOME", self.home.path());
        cargo
    }

    /// The folder of a packaged crate.
    pub fn source(&self, name: &str) -> PathBuf {
        let folders = fs::read_dir(self.home.path().join("sources")).expect("the sources");
        let mut paths = folders.map(|folder| folder.expect("a folder").path());
        let is = |path: &Path| path.file_name().is_some_and(|file| is_version_of(&file.to_string_lossy(), name));
        paths.find(|path| is(path)).expect("a packaged crate")
    }
}

/// Whether `folder` is `name-1.2.3`.
fn is_version_of(folder: &str, name: &str) -> bool {
    folder
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('-'))
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn done(command: &mut Command) -> String {
    let output = command.output().expect("a program that starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The path of a package's manifest in what `cargo metadata` prints.
fn manifest(metadata: &str, name: &str) -> PathBuf {
    let paths =
        metadata.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next()).map(PathBuf::from);
    let is = |path: &PathBuf| {
        let folder = path.parent().and_then(Path::file_name);
        folder.is_some_and(|folder| is_version_of(&folder.to_string_lossy(), name))
    };
    paths.into_iter().find(is).unwrap_or_else(|| panic!("{name} among the dependencies"))
}
