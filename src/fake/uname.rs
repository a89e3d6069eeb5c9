//! `uname`: the version that is simulated.

use super::Kernel;
use super::memory::Arguments;
use crate::Errno;
use crate::arch::this::MACHINE;
use core::fmt::{self, Write};

/// The size of a name in bytes, terminating NUL included: `__NEW_UTS_LEN` + 1.
const LEN: usize = 65;
/// `sysname`, `nodename`, `release`, `version`, `machine`, `domainname`.
const NAMES: usize = 6;

impl Kernel<'_> {
    pub(super) fn uname(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let (major, minor) = self.version;
        let names: [&[&dyn fmt::Display]; NAMES] =
            [&[&"Linux"], &[&"(none)"], &[&major, &".", &minor, &".0-fake"], &[&"#1"], &[&MACHINE], &[&"(none)"]];
        let mut bytes = [0; LEN * NAMES];
        for (name, bytes) in names.iter().zip(bytes.chunks_exact_mut(LEN)) {
            let mut line = Line(bytes);
            let _too_long = name.iter().try_for_each(|part| write!(line, "{part}"));
        }
        args.write(0, &bytes)?;
        Ok(0)
    }
}

/// Formats text into bytes, of which the last stays NUL.
struct Line<'a>(&'a mut [u8]);

impl Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = core::mem::take(&mut self.0);
        let (now, rest) =
            room.split_at_mut_checked(text.len()).filter(|(_, rest)| !rest.is_empty()).ok_or(fmt::Error)?;
        now.copy_from_slice(text.as_bytes());
        self.0 = rest;
        Ok(())
    }
}
