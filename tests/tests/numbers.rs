//! Every constant that the crate has from the kernel, against the kernel's headers as another crate has them.

use rsyscall::near::SignalSet;
use rsyscall::{Errno, EventfdFlags, nr};
use rsyscall_tests::cargo;
use std::collections::BTreeMap;
use std::path::Path;

macro_rules! errnos {
    ($($name:ident)*) => {
        [$((stringify!($name), Errno::$name, linux_raw_sys::errno::$name)),*]
    };
}

/// All constants of `asm-generic/errno-base.h` and `asm-generic/errno.h`.
#[rustfmt::skip]
fn all() -> Vec<(&'static str, Errno, u32)> {
    errnos! {
        EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST
        EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM
        ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG
        EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG
        EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC
        ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE
        ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL
        ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS
        ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM
        EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD
        ENOTRECOVERABLE ERFKILL EHWPOISON EWOULDBLOCK EDEADLOCK
    }
    .into()
}

#[test]
fn every_errno_has_the_value_of_the_kernels_header() {
    for (name, errno, number) in all() {
        assert_eq!(errno.raw(), number as i32, "{name}");
    }
    assert_eq!(Errno::ENOTSUP, Errno::EOPNOTSUPP);
}

#[test]
fn every_errno_is_printed_by_name_and_no_other_value_has_one() {
    for raw in 1..=4095 {
        let errno = Errno::from_raw(raw).unwrap();
        let known = all().into_iter().find(|(_, known, _)| *known == errno);
        assert_eq!(errno.name(), known.map(|(name, _, _)| name), "{raw}");
        let shown = format!("{errno:?}");
        assert_eq!(shown, known.map_or(format!("Errno({raw})"), |(name, _, _)| name.into()));
        assert_eq!(errno.message().is_some(), known.is_some(), "{raw}");
    }
    assert_eq!(Errno::from_raw(524).unwrap().to_string(), "Unknown error 524");
}

#[test]
#[cfg(target_env = "gnu")]
fn every_errno_has_the_message_of_strerror() {
    for (name, errno, number) in all() {
        let system = std::io::Error::from_raw_os_error(number as i32).to_string();
        assert_eq!(system, format!("{} (os error {number})", errno.message().unwrap()), "{name}");
    }
}

#[test]
fn the_error_range_is_4095_to_1_below_zero_and_nothing_else() {
    for raw in 1..=4095_i32 {
        let word = -(raw as isize) as usize;
        assert_eq!(Errno::from_ret(word).map_err(Errno::raw), Err(raw));
        assert_eq!(Errno::from_raw(raw).unwrap().into_ret(), word);
    }
    for word in [0, 1, 8, i32::MAX as usize, isize::MAX as usize, isize::MIN as usize, -4096_isize as usize] {
        assert_eq!(Errno::from_ret(word), Ok(word));
    }
    for raw in [i32::MIN, -1, 0, 4096, i32::MAX] {
        assert_eq!(Errno::from_raw(raw), None);
    }
}

#[test]
fn the_flags_are_the_kernels() {
    use linux_raw_sys::general::{O_CLOEXEC, O_NONBLOCK};
    assert_eq!(EventfdFlags::NONBLOCK.bits(), O_NONBLOCK);
    assert_eq!(EventfdFlags::CLOEXEC.bits(), O_CLOEXEC);
    assert_eq!(EventfdFlags::SEMAPHORE.bits(), 1);
    assert_eq!(EventfdFlags::all().bits(), O_NONBLOCK | O_CLOEXEC | 1);
}

/// The system call numbers of an architecture, from the kernel's headers.
fn header(arch: &str) -> BTreeMap<String, usize> {
    let metadata = cargo()
        .args(["metadata", "--offline", "--format-version=1", "--filter-platform=x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata = String::from_utf8(metadata.stdout).unwrap();
    let manifest = metadata.split('"').find(|text| text.contains("/linux-raw-sys-") && text.ends_with("/Cargo.toml"));
    let file = Path::new(manifest.unwrap()).with_file_name("src").join(arch).join("general.rs");
    let number = |line: &str| {
        let (name, number) = line.strip_prefix("pub const __NR_")?.split_once(": u32 = ")?;
        Some((name.to_owned(), number.strip_suffix(';')?.parse().ok()?))
    };
    std::fs::read_to_string(file).unwrap().lines().filter_map(number).collect()
}

#[test]
fn every_call_has_the_number_of_the_kernels_header() {
    let header = header(std::env::consts::ARCH);
    let mut named = 0;
    for (call, number) in &header {
        // Two names of the header may be one call, and the crate has one of them.
        let Some(name) = nr::name(*number) else { continue };
        // Where a word has 32 bits the crate has the newer ones, which the next test checks.
        let newer = usize::BITS == 32 && header.get(name) != Some(number);
        assert!(newer || header.get(name) == Some(number), "{name}, {call}");
        named += 1;
    }
    let names = (0..=header.values().max().unwrap() + 100).filter_map(nr::name).count();
    assert!(named >= names && names > 250, "{named} of {names}");
}

#[test]
fn every_number_of_the_crates_tables_is_that_of_the_kernels_header() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/nr/table");
    let mut tables = 0;
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let arch = file.file_stem().unwrap().to_str().unwrap();
        let header = header(arch);
        let text = std::fs::read_to_string(&file).unwrap();
        let (_, table) = text.split_once("table! {").unwrap();
        let entries =
            table.trim_end().trim_end_matches('}').split(',').filter_map(|entry| entry.trim().split_once(' '));
        let mut names = 0;
        for (name, number) in entries {
            let name = name.to_lowercase();
            // Where a word has 32 bits: the call with the wider times, the wider ids, the wider position.
            let wider = ["_time64", "64", "32"].map(|suffix| format!("{name}{suffix}"));
            let wider = wider
                .iter()
                .find(|_| ["arm", "x86"].contains(&arch))
                .and_then(|_| wider.iter().find_map(|w| header.get(w)));
            let mmap2 = header.get("mmap2").filter(|_| name == "mmap");
            let expected = wider.or(mmap2).or(header.get(&name));
            assert_eq!(Some(&number.parse().unwrap()), expected, "{arch}: {name}");
            names += 1;
        }
        assert!(names > 230, "{arch}: {names}");
        tables += 1;
    }
    assert_eq!(tables, 5);
}

#[test]
fn only_files_of_architectures_depend_on_the_target_architecture() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
            if entry.is_dir() {
                if ![source.join("nr"), source.join("start")].contains(&entry) {
                    folders.push(entry);
                }
            } else {
                let text = std::fs::read_to_string(&entry).unwrap();
                assert!(!text.contains("target_arch"), "{}: what differs gets a name in arch/", entry.display());
            }
        }
    }
}

#[test]
fn architectures_have_at_most_80_lines_a_file_and_80_on_average() {
    let lines = |path: &Path| std::fs::read_to_string(path).unwrap().lines().count();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../arch");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for file in &files {
        assert!(lines(file) <= 80, "{}", file.display());
    }
    let shared = ["mod.rs", "generic.rs", "refused.rs"].map(|name| folder.join(name));
    let architectures = files.len() - shared.len();
    let all: usize = files.iter().filter(|file| **file != shared[0]).map(|file| lines(file)).sum();
    assert!(all <= 80 * architectures, "{all} lines for {architectures} architectures");
}

#[test]
fn flags_are_printed_by_name_and_unknown_bits_in_hexadecimal() {
    let printed = |bits| format!("{:?}", EventfdFlags::from_bits_retain(bits));
    assert_eq!(printed(0), "EventfdFlags(0x0)");
    assert_eq!(printed(0x801), "EventfdFlags(SEMAPHORE | NONBLOCK)");
    assert_eq!(printed(0x81), "EventfdFlags(SEMAPHORE | 0x80)");
    assert_eq!(format!("{:#x}", EventfdFlags::NONBLOCK), "0x800");
}

#[test]
fn a_signal_set_has_a_bit_for_each_of_64_signals_and_no_other() {
    for signal in 1..=64 {
        let set = SignalSet::EMPTY.with(signal);
        assert_eq!(set.bits(), 1 << (signal - 1));
        assert!(set.contains(signal) && !SignalSet::EMPTY.contains(signal));
        assert_eq!(set.with(1).bits(), set.bits() | 1);
        assert_eq!((set.without(signal), SignalSet::ALL.without(signal).bits()), (SignalSet::EMPTY, !set.bits()));
        assert!(SignalSet::ALL.contains(signal));
    }
    for nothing in [0, 65, 128, u32::MAX] {
        assert_eq!(SignalSet::EMPTY.with(nothing), SignalSet::EMPTY);
        assert_eq!(SignalSet::ALL.without(nothing), SignalSet::ALL);
        assert!(!SignalSet::ALL.contains(nothing));
    }
}
