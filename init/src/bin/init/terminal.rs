//! Job control: handing the terminal to the service, and taking it back.

use crate::options::Style;
use rsyscall::fd::OwnedFd;
use rsyscall::near::Process;
use rsyscall::sys::stdio::Stdio;
use rsyscall_init::process;
use rsyscall_init::tty::{self, Descriptor};

pub(crate) struct Terminal {
    /// The controlling terminal, if the service is to have it.
    fd: Option<OwnedFd>,
    /// The process group of this process.
    own: Process,
    /// tini hands the terminal over whichever group is in the foreground, and never takes it back.
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

    /// Returns the terminal if the service may be put into the foreground: this process is there, or the last run was.
    pub(crate) fn to_give(&self, before: Option<Process>) -> Option<Descriptor<'_>> {
        let terminal = self.fd.as_ref()?.into();
        let foreground = tty::foreground(terminal).ok()?;
        (foreground == self.own || Some(foreground) == before || self.tini).then_some(terminal)
    }

    /// Replaces the foreground process group. Returns whether `from` was it, and `to` is.
    #[inline(never)]
    fn change(&self, from: Process, to: Process) -> bool {
        let Some(terminal) = self.fd.as_ref().map(Descriptor::from) else { return false };
        tty::foreground(terminal) == Ok(from) && tty::set_foreground(terminal, to).is_ok()
    }

    /// Puts the service into the foreground if this process is there. Returns whether it did.
    pub(crate) fn hand_over(&self, service: Process) -> bool {
        self.change(self.own, service)
    }

    /// Takes the terminal back from a service that has ended, for the parent of this process.
    pub(crate) fn take_back(&self, service: Option<Process>) {
        if let (Some(service), false) = (service, self.tini) {
            // Ignored: a shell takes it back itself.
            let _ignored = self.change(service, self.own);
        }
    }
}
