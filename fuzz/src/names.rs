//! The text arguments of an init: names of signals, and of programs.

use rsyscall::Errno;
use rsyscall::sys::signal::Signal;
use rsyscall_init::path::{PATH_MAX, candidate, search};
use std::ffi::{CStr, CString};

/// A signal's name is parsed as that signal; a search tries every directory once, in order, and no path is longer than
/// `PATH_MAX`.
pub fn names(data: &[u8]) {
    if let Some(signal) = Signal::from_name(data) {
        assert!((1..=64).contains(&signal.raw()));
        assert_eq!(Signal::from_name(signal.to_string().as_bytes()), Some(signal));
        assert_eq!(Signal::from_name(&data.to_ascii_lowercase()), Some(signal));
    }
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (name, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let name = CString::new(name).expect("no zero in it");
    let mut tried = Vec::new();
    let errno = search(&name, path, |path| {
        assert!(path.to_bytes_with_nul().len() <= PATH_MAX);
        tried.push(path.to_owned());
        // What does not exist, what may not be executed, what is found.
        match path.count_bytes() % 3 {
            0 => Errno::ENOENT,
            1 => Errno::EACCES,
            _ => Errno::ENOEXEC,
        }
    });
    if name.is_empty() {
        assert_eq!((errno, tried.len()), (Errno::ENOENT, 0));
        return;
    }
    if name.to_bytes().contains(&b'/') {
        assert_eq!(tried, [name]);
        return;
    }
    let mut buffer = [0; PATH_MAX];
    let mut all = path
        .split(|byte| *byte == b':')
        .filter_map(|directory| candidate(directory, &name, &mut buffer).map(CStr::to_owned));
    for path in &tried {
        assert_eq!(all.next().as_ref(), Some(path));
    }
    // It ends early only where something was found.
    assert!(all.next().is_none() || errno == Errno::ENOEXEC);
}
