//! The terminal that the service is to have, if it is ours to give.

use crate::options::Style;
use rsyscall::fd::OwnedFd;
use rsyscall::near::Process;
use rsyscall::sys::stdio::Stdio;
use rsyscall_init::process;
use rsyscall_init::tty::{self, Descriptor};

pub(crate) struct Terminal {
    kind: Kind,
    /// The group of this process.
    own: Process,
}

enum Kind {
    None,
    /// The controlling terminal.
    Own(OwnedFd),
    /// Standard input, which is the controlling terminal.
    Input(Stdio),
}

impl Terminal {
    pub(crate) fn new(style: Style, stdio: Stdio) -> Self {
        let kind = match style {
            Style::Init => tty::open().map_or(Kind::None, Kind::Own),
            Style::Tini if tty::foreground(stdio.into()).is_ok() => Kind::Input(stdio),
            Style::Tini | Style::DumbInit => Kind::None,
        };
        Self { kind, own: process::group().unwrap_or(Process(0)) }
    }

    fn descriptor(&self) -> Option<Descriptor<'_>> {
        match &self.kind {
            Kind::None => None,
            Kind::Own(terminal) => Some(terminal.into()),
            Kind::Input(stdio) => Some((*stdio).into()),
        }
    }

    /// The terminal, if a service may be put into its foreground: there is this process, or the service before. (tini
    /// does not ask.)
    pub(crate) fn to_give(&self, before: Option<Process>) -> Option<Descriptor<'_>> {
        let terminal = self.descriptor()?;
        let foreground = tty::foreground(terminal).ok()?;
        let ours = foreground == self.own || Some(foreground) == before || matches!(self.kind, Kind::Input(_));
        ours.then_some(terminal)
    }

    /// Puts the service into the foreground, if a shell has put this process there. Whether it has.
    pub(crate) fn hand_over(&self, service: Process) -> bool {
        let Some(terminal) = self.descriptor() else { return false };
        tty::foreground(terminal) == Ok(self.own) && tty::set_foreground(terminal, service).is_ok()
    }

    /// Takes it back from a service that has ended, for whoever has started this process.
    pub(crate) fn take_back(&self, service: Option<Process>) {
        let Kind::Own(terminal) = &self.kind else { return };
        if service.is_some() && tty::foreground(terminal.into()).ok() == service {
            // Ignored: whoever waits for us takes it anyway, if it is a shell.
            let _ignored = tty::set_foreground(terminal.into(), self.own);
        }
    }
}
