//! What is published: the files of the package, and the public interface.

mod layers;

use object::{Object, ObjectSymbol, SymbolKind};
use rsyscall_tests::{Folder, cargo, skip};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn said(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_package_contains_what_a_user_needs_and_nothing_else() {
    let list = said(cargo().args(["package", "--list", "--allow-dirty"]).current_dir(root()).output().unwrap());
    let made_by_cargo = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml.orig"];
    let files: Vec<_> = list.lines().filter(|file| !made_by_cargo.contains(file)).collect();
    for wanted in [
        "Cargo.toml",
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "examples/README.md",
    ] {
        assert!(files.contains(&wanted), "{wanted} is missing: {files:?}");
    }
    for file in &files {
        let wanted = match file.split_once('/') {
            None => ["Cargo.toml", "README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE-APACHE", "LICENSE-MIT"]
                .contains(file),
            Some(("src", rest)) => rest.ends_with(".rs") || rest.ends_with(".md"),
            Some(("arch", rest)) => rest.ends_with(".rs"),
            Some(("examples", rest)) => rest == "README.md" || (rest.ends_with(".rs") && !rest.contains('/')),
            Some(_) => false,
        };
        assert!(wanted, "{file} does not belong in the package");
    }
    // Every file that a module consists of.
    let mut sources = Vec::new();
    for folder in ["src", "arch"] {
        collect(&root(), Path::new(folder), &mut sources);
    }
    for source in sources {
        assert!(files.contains(&source.as_str()), "{source} is missing");
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let path = folder.join(entry.unwrap().file_name());
        if root.join(&path).is_dir() {
            collect(root, &path, files);
        } else {
            files.push(path.to_str().unwrap().to_owned());
        }
    }
}

#[test]
fn the_package_compiles_by_itself() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package");
    said(
        cargo()
            .args(["package", "--quiet", "--allow-dirty", "--all-features", "--target-dir"])
            .arg(target)
            .current_dir(root())
            .output()
            .unwrap(),
    );
}

/// Everything is inlined or generic: a user's compiler spends its time on what the user calls, and the library itself
/// compiles fast.
#[test]
fn the_library_compiles_nothing_but_printing_ahead_of_the_user() {
    const AT_MOST: u64 = 4096;
    let target = Folder::empty("beforehand");
    said(
        cargo()
            .args(["rustc", "--quiet", "--release", "--lib", "--target-dir"])
            .arg(target.path())
            .args(["--", "--emit=obj", "-Ccodegen-units=1"])
            .current_dir(root())
            .output()
            .unwrap(),
    );
    let compiled = fs::read_dir(target.path().join("release/deps")).unwrap().map(|entry| entry.unwrap().path());
    let objects: Vec<_> = compiled.filter(|path| path.extension().is_some_and(|extension| extension == "o")).collect();
    let [object] = &objects[..] else { panic!("one object: {objects:?}") };
    let bytes = fs::read(object).unwrap();
    let object = object::File::parse(&*bytes).unwrap();
    let functions = object.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition());
    let functions: Vec<_> = functions.map(|symbol| (symbol.size(), symbol.name().unwrap())).collect();
    let bytes: u64 = functions.iter().map(|(size, _)| size).sum();
    assert!(functions.iter().any(|(_, name)| name.contains("fmt")), "printing is compiled ahead: {functions:?}");
    assert!(bytes <= AT_MOST, "{bytes} bytes: {functions:#?}");
}

#[test]
fn the_public_interface_is_the_one_in_api_txt() {
    const CASE: &str = "the public interface";
    if cfg!(not(target_arch = "x86_64")) {
        return skip(CASE, "api.txt is that of x86_64");
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("api");
    let mut rustdoc = cargo();
    rustdoc.args(["rustdoc", "--quiet", "--lib", "--all-features", "--target-dir"]).arg(&target);
    rustdoc.args(["--", "-Zunstable-options", "--output-format", "json"]);
    // rustdoc's JSON is unstable; a stable compiler writes it with this variable.
    said(rustdoc.env("RUSTC_BOOTSTRAP", "1").current_dir(root()).output().unwrap());

    let mut api = cargo();
    api.args(["run", "--quiet", "--locked", "--target-dir"]).arg(&target).arg("--");
    let output = api.arg(target.join("doc/rsyscall.json")).current_dir(root().join("tests/api")).output().unwrap();
    if output.status.code() == Some(3) {
        // Not by `skip`: setup does not install a compiler for it.
        writeln!(std::io::stderr(), "SKIPPED {CASE}: this compiler's rustdoc writes another format of JSON").unwrap();
        return;
    }
    let now = said(output);
    let file = root().join("tests/api/api.txt");
    if std::env::var_os("RSYSCALL_WRITE_API").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let listed = fs::read_to_string(file).unwrap();
    let change = now.lines().filter(|line| !listed.lines().any(|old| old == *line)).map(|line| format!("+{line}"));
    let gone = listed.lines().filter(|line| !now.lines().any(|new| new == *line)).map(|line| format!("-{line}"));
    let change: Vec<_> = change.chain(gone).collect();
    assert!(
        listed == now,
        "{}\nIf this is intended: RSYSCALL_WRITE_API=1 cargo test --package rsyscall-tests --test packaging",
        change.join("\n")
    );
}

/// `?`, `==` and a report of an error work for a user, whatever its type.
#[test]
fn every_error_type_implements_error_and_compares_with_an_errno() {
    let api = fs::read_to_string(root().join("tests/api/api.txt")).unwrap();
    let api: Vec<_> = api.lines().filter(|line| !line.contains("std::")).collect();
    let mut types: Vec<_> = api.iter().filter_map(|line| error_of(line)).collect();
    types.sort_unstable();
    types.dedup();
    assert!(types.len() > 10, "{types:?}");
    for error in types {
        // Generic and associated types have the bound of `SyscallError`.
        if error.ends_with("::Error") && !error.starts_with("rsyscall::") || error == "Self::Error" {
            continue;
        }
        let name = error.split_once('<').map_or(error, |(name, _)| name);
        let alias = api.iter().find_map(|line| line.strip_prefix("pub type ")?.strip_prefix(name)?.split_once(" = "));
        let alias = alias.map(|(_, target)| target.split_once('<').map_or(target, |(name, _)| name));
        let implements = |wanted: &str| {
            let wanted = format!(" {wanted} for {}", alias.unwrap_or(name));
            api.iter().any(|line| {
                let after = line.strip_prefix("impl").and_then(|line| line.split_once(&wanted)).map(|(_, after)| after);
                after.is_some_and(|after| after.is_empty() || after.starts_with(['<', ' ']))
            })
        };
        assert!(implements("core::error::Error"), "{error} is no core::error::Error");
        let compares = implements("core::cmp::PartialEq<rsyscall::errno::Errno>") || name == "rsyscall::errno::Errno";
        assert!(compares, "{error} is not compared with an Errno");
    }
}

/// The second parameter of the `Result` that a line of the public interface returns.
fn error_of(line: &str) -> Option<&str> {
    let (function, parameters) = line.split_once(" -> core::result::Result<")?;
    let (path, _) = function.split_once('(')?;
    let (owner, _) = path.rsplit_once(' ')?.1.rsplit_once("::")?;
    let mut depth = 0;
    let mut error = None;
    for (at, character) in parameters.char_indices() {
        match character {
            '<' | '(' | '[' => depth += 1,
            '>' if depth == 0 => {
                let error = parameters[error?..at].trim();
                return Some(if error == "Self" { owner } else { error });
            }
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => error = Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Miri runs a user's tests on the fake kernel. It cannot execute the system call instruction, so this process has no
/// system calls there.
#[test]
fn under_miri_every_call_of_this_process_fails_with_enosys_and_a_fake_kernel_works() {
    let folder = Folder::empty("miri");
    let manifest = "[package]\nname = \"user\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n";
    let dependency = format!("rsyscall = {{ path = {:?}, features = [\"fake\"] }}\n", root());
    folder.write("Cargo.toml", &format!("{manifest}{dependency}"));
    folder.write(
        "src/main.rs",
        "use rsyscall::{Errno, EventFd, EventfdFlags, EventfdTask, fake::{Kernel, Storage}};\n\
         fn main() {\n\
             assert_eq!(EventFd::new(0, EventfdFlags::empty()).map(drop), Err(Errno::ENOSYS));\n\
             let mut storage = <Storage>::new();\n\
             let task = Kernel::new(&mut storage).into_task();\n\
             assert_eq!(task.eventfd(3, EventfdFlags::empty()).unwrap().read(), Ok(3));\n\
         }\n",
    );
    said(cargo().args(["run", "--quiet"]).env("RUSTFLAGS", "--cfg miri").current_dir(folder.path()).output().unwrap());
}

#[test]
fn the_readme_of_the_tests_lists_each_folder_and_each_test_program() {
    let readme = fs::read_to_string(root().join("tests/README.md")).unwrap();
    let entries = |folder: &str| fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let folders = entries("tests").filter(|path| path.is_dir());
    let programs = entries("tests/tests").filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    for path in folders.chain(programs) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in tests/README.md");
    }
    let listed = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    for name in listed {
        let there = root().join("tests").join(name).is_dir() || root().join(format!("tests/tests/{name}.rs")).is_file();
        assert!(there, "{name} is in tests/README.md, and does not exist");
    }
}
