//! The README's block, pasted into an empty folder as a newcomer does it.

use rsyscall_tests::guest::{TARGETS, core_of, run};
use rsyscall_tests::{Folder, cargo, skip};
use std::fs;
use std::path::Path;

#[test]
fn the_readmes_block_becomes_a_running_static_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = Folder::empty("readme");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let files = files(&readme);
    let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["Cargo.toml", ".cargo/config.toml", "src/main.rs"]);
    for (name, text) in files {
        folder.write(name, text);
    }

    for target in TARGETS {
        if core_of(target).is_none() {
            skip(
                &format!("the README's block for {target}"),
                "the target's core is not installed; `ci/setup targets` does",
            );
            continue;
        }
        for profile in ["dev", "release"] {
            let mut cargo = cargo();
            // The version that the block names is this one here.
            cargo.arg("--config").arg(format!("patch.crates-io.rsyscall.path={:?}", root.canonicalize().unwrap()));
            cargo.args(["build", "--profile", profile, "--target", target]).current_dir(folder.path());
            let output = cargo.output().unwrap();
            assert!(output.status.success(), "{target}: {}", String::from_utf8_lossy(&output.stderr));
            let directory = if profile == "dev" { "debug" } else { profile };
            let program = folder.path().join("target").join(target).join(directory).join("hello");
            assert!(is_static(&program), "{target}");
            if let Some(output) = run("the README's block", target, &program) {
                assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"5\n"[..]), "{target} {profile}");
            }
        }
    }
}

/// The code blocks that have a file's name, in bold, on the line before.
fn files(readme: &str) -> Vec<(&str, &str)> {
    let mut files = Vec::new();
    for part in readme.split("\n**").skip(1) {
        let Some((name, rest)) = part.split_once("**\n```") else { continue };
        let code = rest.split_once('\n').expect("a block").1;
        files.push((name, code.split_once("```").expect("the block's end").0));
    }
    files
}

fn is_static(program: &Path) -> bool {
    use object::{Object, ObjectSection};
    let bytes = fs::read(program).unwrap();
    let object = object::File::parse(&*bytes).unwrap();
    object.sections().all(|section| !matches!(section.name(), Ok(".interp" | ".dynamic")))
}
