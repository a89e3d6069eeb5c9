//! Usage, version, licence; and strings by index.

/// Returns one of several texts, each of which ends with a zero. They are one string: a table of pointers would need a
/// relocation per entry.
#[inline(never)]
pub(crate) fn nth(texts: &'static str, mut number: usize) -> &'static [u8] {
    let mut begin = 0;
    for (at, byte) in texts.bytes().enumerate() {
        if byte == 0 {
            if number == 0 {
                return texts.as_bytes().get(begin..at).unwrap_or_default();
            }
            number = number.wrapping_sub(1);
            begin = at.wrapping_add(1);
        }
    }
    &[]
}

pub(crate) const USAGE: usize = 0;
pub(crate) const VERSION: usize = 1;
/// tini's licence, dumb-init's short usage.
pub(crate) const OTHER: usize = 2;

/// Usage, version and other text of each style.
pub(crate) const STYLES: &str = concat!(
    "Usage: init [OPTION]... [--] PROGRAM [ARGUMENT]...
Starts PROGRAM, forwards signals to it, reaps orphans, and exits with its status.

  -G         forward signals to the program's process group
  -g SECONDS grace period from SIGTERM to SIGKILL, also for remaining processes (30)
  -r RULE    when to restart the program: never, failure, always
  -n COUNT   give up after COUNT quick exits in a row (5); 0: never
  -r 15:3    forward signal 15 as signal 3; as 0: do not forward it
  -e STATUS  exit with 0 instead of STATUS
  -p SIGNAL  parent-death signal
  -w         warn about reaped orphans
  -v         verbose
  -h, -V     help, version
Exit status: the program's; 128 plus the signal that killed it; 127 not found; 126 not executable;
125 usage error or failure of init itself.
",
    "\0init ",
    env!("CARGO_PKG_VERSION"),
    " (rsyscall-init)\n\0\0",
    "tini (rsyscall-init)
Usage: tini [OPTIONS] PROGRAM -- [ARGS] | --version

  --version: Show version and exit.
  -h: Show this help message and exit.
  -s: Register as a process subreaper (requires Linux >= 3.4).
  -p SIGNAL: Trigger SIGNAL when parent dies, e.g. \"-p SIGKILL\".
  -v: Generate more verbose output.
  -w: Print a warning when processes are getting reaped.
  -g: Send signals to the child's process group.
  -e EXIT_CODE: Remap EXIT_CODE (from 0 to 255) to 0.
  -l: Show license and exit.

Environment variables: TINI_SUBREAPER, TINI_VERBOSITY (default: 1), TINI_KILL_PROCESS_GROUP
",
    "\0tini version 0.19.0 - rsyscall-init ",
    env!("CARGO_PKG_VERSION"),
    "\n\0MIT OR Apache-2.0\n\0",
    "dumb-init v1.2.5 (rsyscall-init)
Usage: dumb-init [option] command [[arg] ...]

   -c, --single-child   signals to the direct child only, which has no session of its own
   -r, --rewrite s:r    forward signal s as signal r; to 0: not at all
   -v, --verbose        print debugging information to stderr
   -h, --help           print this help message and exit
   -V, --version        print the current version and exit
",
    "\0dumb-init v1.2.5 (rsyscall-init ",
    env!("CARGO_PKG_VERSION"),
    ")\n\0Usage: dumb-init [option] program [args]\nTry dumb-init --help for full usage.\n\0"
);
