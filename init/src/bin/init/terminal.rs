//! The terminal that the service is to have, if it is ours to give.

use crate::options::Style;
use rsyscall::fd::OwnedFd;
use rsyscall::near::Process;
use rsyscall::sys::stdio::Stdio;
use rsyscall_init::process;
use rsyscall_init::tty::{self, Descriptor};

pub(crate) struct Terminal {
    /// The controlling terminal.
    fd: Option<OwnedFd>,
    /// The group of this process.
    own: Process,
    /// tini gives the terminal whoever has it, and never takes it back.
    tini: bool,
}

impl Terminal {
    pub(crate) fn new(style: Style, stdio: Stdio) -> Self {
        let wanted = match style {
            Style::Init => true,
            Style::Tini => tty::foreground(stdio.into()).is_ok(),
            Style::DumbInit => false,
        };
        let fd = if wanted { tty::open().ok() } else { None };
        Self { fd, own: process::group().unwrap_or(Process(0)), tini: style == Style::Tini }
    }

    /// The terminal, if a service may be put into its foreground: there is this process, or the service before.
    pub(crate) fn to_give(&self, before: Option<Process>) -> Option<Descriptor<'_>> {
        let terminal = self.fd.as_ref()?.into();
        let foreground = tty::foreground(terminal).ok()?;
        (foreground == self.own || Some(foreground) == before || self.tini).then_some(terminal)
    }

    /// Puts a group into the foreground in the place of another. Returns whether it has.
    #[inline(never)]
    fn change(&self, from: Process, to: Process) -> bool {
        let Some(terminal) = self.fd.as_ref().map(Descriptor::from) else { return false };
        tty::foreground(terminal) == Ok(from) && tty::set_foreground(terminal, to).is_ok()
    }

    /// Puts the service into the foreground, if a shell has put this process there. Returns whether it has.
    pub(crate) fn hand_over(&self, service: Process) -> bool {
        self.change(self.own, service)
    }

    /// Takes it back from a service that has ended, for whoever has started this process.
    pub(crate) fn take_back(&self, service: Option<Process>) {
        if let (Some(service), false) = (service, self.tini) {
            // Ignored: whoever waits for us takes it anyway, if it is a shell.
            let _ignored = self.change(service, self.own);
        }
    }
}
