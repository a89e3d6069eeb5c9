//! For the build script of a program that uses `rsyscall::start!`: it links the program without libc.
//!
//! ```no_run
//! // In `main` of build.rs:
//! rsyscall_build::link();
//! ```
//!
//! The result is a static, position-independent program without a C library and without a dynamic linker. Build
//! scripts, procedural macros, dependencies and tests of the package are linked as usual.
//!
//! | | |
//! |---|---|
//! | [`link`] | all programs of the package |
//! | [`link_bin`] | one program: for a package that also has programs with std |
//! | [`link_fixed`], [`link_bin_fixed`] | the same at a fixed address: smaller, without layout randomisation |
//!
//! # Other architectures
//!
//! The host's compiler drives the linker that comes with Rust, so a target needs `rustup target add` and nothing else.
//! A configured linker (`target.….linker`, `-Clinker`) is used unchanged. Toolchains of distributions often have no
//! linker of their own: then an installed `ld.lld` is used, and without one the build script fails with a message.
//!
//! # Link arguments
//!
//! `-nostartfiles`, `--no-dynamic-linker`, and `--entry` with the name of the entry that `start!` defines. The name has
//! a version, so a program does not link without `start!`, or with one of an incompatible version.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The entries that `rsyscall::start!` defines: `src/start/assembly.rs` of package `rsyscall`.
const ENTRY: &str = "__rsyscall_start_v1";
const FIXED_ENTRY: &str = "__rsyscall_start_fixed_v1";

/// Links all programs of the package without a C library, to run at any address.
pub fn link() {
    print("-bins=", &Entry::RELOCATED);
}

/// Links one program of the package without a C library, to run at any address.
pub fn link_bin(name: &str) {
    print(&format!("-bin={name}="), &Entry::RELOCATED);
}

/// Links all programs of the package without a C library, at a fixed address: they are smaller, without address space
/// layout randomisation, and without RELRO protection.
pub fn link_fixed() {
    print("-bins=", &Entry::FIXED);
}

/// Links one program of the package as [`link_fixed`] does.
pub fn link_bin_fixed(name: &str) {
    print(&format!("-bin={name}="), &Entry::FIXED);
}

struct Entry {
    symbol: &'static str,
    fixed: bool,
}

impl Entry {
    const RELOCATED: Self = Self { symbol: ENTRY, fixed: false };
    const FIXED: Self = Self { symbol: FIXED_ENTRY, fixed: true };
}

fn print(which: &str, entry: &Entry) {
    // No `rerun-if-…`: that would disable the default, to run the build script again when any file changes. Cargo runs
    // it again by itself when the linker or RUSTFLAGS change.
    if variable("CARGO_CFG_TARGET_OS") != "linux" {
        // The program itself fails to compile with a message.
        return;
    }
    match arguments(&Toolchain::from_environment(), entry) {
        Ok(arguments) => arguments.iter().for_each(|argument| println!("cargo::rustc-link-arg{which}{argument}")),
        Err(message) => println!("cargo::error={message}"),
    }
}

/// The compiler and the linker, from the environment of a build script.
struct Toolchain {
    host: String,
    target: String,
    /// The linker, if one is configured.
    linker: Option<String>,
    /// The linker's flavor, if one is configured.
    flavor: Option<String>,
    /// The directory of rustc's own linkers, if it has them.
    own: Option<PathBuf>,
    /// Whether `ld.lld` is installed.
    lld: bool,
}

impl Toolchain {
    fn from_environment() -> Self {
        let flags = variable("CARGO_ENCODED_RUSTFLAGS");
        let flag = |name: &str| {
            let values = flags.split('\x1f').map(|flag| flag.strip_prefix("-C").unwrap_or(flag).trim_start());
            values.filter_map(|flag| flag.strip_prefix(name)?.strip_prefix('=')).next_back().map(str::to_owned)
        };
        let mut toolchain = Self {
            host: variable("HOST"),
            target: variable("TARGET"),
            linker: flag("linker").or_else(|| env::var("RUSTC_LINKER").ok()),
            flavor: flag("linker-flavor"),
            own: None,
            lld: false,
        };
        if toolchain.needs_another_linker() {
            let own = sysroot().join("lib/rustlib").join(&toolchain.host).join("bin/gcc-ld");
            toolchain.own = own.join("ld.lld").exists().then_some(own);
            toolchain.lld = env::split_paths(&variable("PATH")).any(|folder| folder.join("ld.lld").is_file());
        }
        toolchain
    }

    /// Returns whether the default linker of the host's compiler does not support the target.
    fn needs_another_linker(&self) -> bool {
        let same = architecture(&self.host) == architecture(&self.target) && self.host.contains("-linux-");
        self.linker.is_none() && !same
    }

    /// Returns whether rustc calls the linker directly, not through a compiler.
    fn calls_the_linker(&self) -> bool {
        match (&self.flavor, &self.linker) {
            (Some(flavor), _) => !flavor.split('-').any(|part| part == "cc" || part == "gcc"),
            (None, Some(linker)) => {
                let name = Path::new(linker).file_name().unwrap_or_default().to_string_lossy().into_owned();
                let name = name.strip_suffix(".exe").unwrap_or(&name);
                ["ld", "lld", "rust-lld", "mold", "wild"].contains(&name)
                    || name.starts_with("ld.")
                    || name.ends_with("-ld")
            }
            // The default linker of targets without a C library is a linker, not a compiler.
            (None, None) => self.target.ends_with("-none"),
        }
    }
}

/// Returns the link arguments of a program.
fn arguments(toolchain: &Toolchain, entry: &Entry) -> Result<Vec<String>, String> {
    let mut arguments = Vec::new();
    let direct = toolchain.calls_the_linker();
    let linker = |argument: &str| if direct { argument.to_owned() } else { format!("-Wl,{argument}") };
    if !direct {
        arguments.push("-nostartfiles".to_owned());
        if toolchain.needs_another_linker() {
            let target = architecture(&toolchain.target);
            let emulation = emulation(target).ok_or_else(|| {
                format!(
                    "rsyscall-build does not know the architecture {target}: configure a linker for {}",
                    toolchain.target
                )
            })?;
            match &toolchain.own {
                Some(own) => arguments.push(format!("-B{}", own.display())),
                None if toolchain.lld => {}
                None => return Err(no_linker(toolchain)),
            }
            arguments.push("-fuse-ld=lld".to_owned());
            // With a comma, as cargo would pass a second word as another argument of rustc.
            arguments.push(format!("-Wl,-m,{emulation}"));
        }
    }
    arguments.push(linker("--no-dynamic-linker"));
    if entry.fixed {
        // They override rustc's own arguments: the last one counts.
        arguments.push("-no-pie".to_owned());
        arguments.push(if direct { "-znorelro" } else { "-Wl,-z,norelro" }.to_owned());
    }
    // Without this, a program without `start!` would link and crash: an undefined entry is only a warning.
    arguments.push(linker(&format!("--defsym=__rsyscall_linked={}", entry.symbol)));
    // By a specific name, as `_start` may be that of musl's startup file, which rustc always links.
    arguments.push(linker(&format!("--entry={}", entry.symbol)));
    Ok(arguments)
}

fn no_linker(toolchain: &Toolchain) -> String {
    let (target, key) = (&toolchain.target, toolchain.target.to_uppercase().replace('-', "_"));
    format!(
        "rsyscall-build: no linker for {target}: this Rust toolchain comes without its own (rust-lld), and ld.lld is not \
         installed. Install lld, or a toolchain from rustup, or set CARGO_TARGET_{key}_LINKER to a compiler for {target}."
    )
}

fn architecture(target: &str) -> &str {
    match target.split('-').next().unwrap_or_default() {
        "i386" | "i586" => "i686",
        name if name.starts_with("riscv64") => "riscv64",
        name if name.starts_with("arm") || name.starts_with("thumb") => "arm",
        name => name,
    }
}

/// Returns the linker's emulation for an architecture.
fn emulation(architecture: &str) -> Option<&'static str> {
    Some(match architecture {
        "x86_64" => "elf_x86_64",
        "aarch64" => "aarch64linux",
        "riscv64" => "elf64lriscv",
        "i686" => "elf_i386",
        "loongarch64" => "elf64loongarch",
        "s390x" => "elf64_s390",
        "powerpc64le" => "elf64lppc",
        "arm" => "armelf_linux_eabi",
        _ => return None,
    })
}

fn sysroot() -> PathBuf {
    let rustc = env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output();
    output.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end())).unwrap_or_default()
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolchain(target: &str) -> Toolchain {
        Toolchain {
            host: "x86_64-unknown-linux-gnu".into(),
            target: target.into(),
            linker: None,
            flavor: None,
            own: Some("/own".into()),
            lld: false,
        }
    }

    fn joined(toolchain: &Toolchain, entry: &Entry) -> String {
        arguments(toolchain, entry).unwrap().join(" ")
    }

    #[test]
    fn the_host_needs_no_other_linker() {
        let without = Toolchain { own: None, ..toolchain("x86_64-unknown-linux-gnu") };
        assert_eq!(
            joined(&without, &Entry::RELOCATED),
            "-nostartfiles -Wl,--no-dynamic-linker -Wl,--defsym=__rsyscall_linked=__rsyscall_start_v1 \
             -Wl,--entry=__rsyscall_start_v1"
        );
    }

    #[test]
    fn another_architecture_is_linked_by_rusts_own_linker_or_by_an_installed_one() {
        let own = toolchain("aarch64-unknown-linux-gnu");
        assert!(joined(&own, &Entry::RELOCATED).starts_with("-nostartfiles -B/own -fuse-ld=lld -Wl,-m,aarch64linux "));
        let installed = Toolchain { own: None, lld: true, ..toolchain("riscv64gc-unknown-linux-musl") };
        assert!(joined(&installed, &Entry::RELOCATED).starts_with("-nostartfiles -fuse-ld=lld -Wl,-m,elf64lriscv "));
    }

    #[test]
    fn a_toolchain_without_a_linker_is_an_error_that_says_what_to_do() {
        let without = Toolchain { own: None, ..toolchain("aarch64-unknown-linux-gnu") };
        let error = arguments(&without, &Entry::RELOCATED).unwrap_err();
        for part in ["no linker for aarch64-unknown-linux-gnu", "lld", "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER"]
        {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains('\n'), "cargo takes one line: {error}");
    }

    #[test]
    fn a_linker_that_is_configured_is_used_as_it_is() {
        let compiler =
            Toolchain { linker: Some("aarch64-linux-gnu-gcc".into()), ..toolchain("aarch64-unknown-linux-gnu") };
        assert!(!joined(&compiler, &Entry::RELOCATED).contains("lld"));
        for (linker, flavor) in
            [("rust-lld", None), ("/usr/bin/ld.bfd", None), ("a", Some("gnu-lld")), ("aarch64-linux-gnu-ld", None)]
        {
            let flavor = flavor.map(str::to_owned);
            let direct = Toolchain { linker: Some(linker.into()), flavor, ..toolchain("aarch64-unknown-linux-gnu") };
            assert!(
                joined(&direct, &Entry::FIXED).starts_with("--no-dynamic-linker -no-pie -znorelro --defsym"),
                "{linker}"
            );
        }
        for (linker, flavor) in [("rust-lld", "gnu-cc"), ("rust-lld", "gcc"), ("ld.lld", "gnu-lld-cc")] {
            let driven = Toolchain {
                linker: Some(linker.into()),
                flavor: Some(flavor.into()),
                ..toolchain("x86_64-unknown-linux-gnu")
            };
            assert!(joined(&driven, &Entry::RELOCATED).starts_with("-nostartfiles"), "{flavor}");
        }
    }
}
