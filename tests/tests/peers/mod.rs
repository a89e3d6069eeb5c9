//! Compares the crate's init with tini, dumb-init and catatonit, on the same command lines and with real terminals.
//!
//! Each row is a question and what a run showed; the table of `init/README.md` is what this prints. With
//! `RSYSCALL_WRITE_TABLE` set it is written there.

use super::{init, kill, line, namespace, pipe, state, text, until};
use rsyscall_tests::Folder;
use std::fmt::Write as _;
use std::io::{BufReader, Read as _, Write as _};
use std::os::fd::FromRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Peer {
    name: &'static str,
    path: PathBuf,
}

impl Peer {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.arg("--").args(arguments).stderr(Stdio::null());
        command
    }

    fn shell(&self, script: &str) -> Command {
        self.command(&["bash", "-c", script])
    }

    /// The same as process 1.
    fn first(&self, script: &str) -> Command {
        let mut command = namespace("peers").expect("a pid namespace");
        command.arg(&self.path).args(["--", "bash", "-c", script]).stderr(Stdio::null());
        command
    }

    /// Started with a script that prints `ready`.
    fn started(&self, script: &str) -> (Child, BufReader<std::process::ChildStdout>) {
        let mut child = self.shell(script).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        assert_eq!(line(&mut lines), "ready");
        (child, lines)
    }
}

/// A program on a terminal of its own, whose other end is here.
struct Terminal {
    child: i32,
    master: std::fs::File,
    seen: String,
}

impl Terminal {
    fn new(arguments: &[&str]) -> Self {
        let mut master = -1;
        let mut command = Command::new(arguments[0]);
        command.args(&arguments[1..]).env("PS1", "$ ").env_remove("PROMPT_COMMAND");
        // SAFETY: the child only executes another program.
        let child =
            unsafe { libc::forkpty(&mut master, std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut()) };
        if child == 0 {
            let _never = command.exec();
            // SAFETY: no code of the test may run in the child.
            unsafe { libc::_exit(99) };
        }
        assert!(child > 0);
        // SAFETY: just created, and not used elsewhere.
        let master = unsafe { std::fs::File::from_raw_fd(master) };
        Self { child, master, seen: String::new() }
    }

    fn write(&mut self, text: &str) {
        let _gone = self.master.write_all(text.as_bytes());
    }

    /// Whether this text arrives in time; the text before it is discarded.
    fn expect(&mut self, wanted: &str, timeout: Duration) -> bool {
        let begin = Instant::now();
        loop {
            if let Some(at) = self.seen.find(wanted) {
                self.seen.drain(..at + wanted.len());
                return true;
            }
            let left = timeout.saturating_sub(begin.elapsed()).as_millis() as i32;
            let mut entry =
                libc::pollfd { fd: std::os::fd::AsRawFd::as_raw_fd(&self.master), events: libc::POLLIN, revents: 0 };
            // SAFETY: one entry.
            if left == 0 || unsafe { libc::poll(&mut entry, 1, left) } == 0 {
                return false;
            }
            let mut part = [0; 4096];
            match self.master.read(&mut part) {
                Ok(0) | Err(_) => return false,
                Ok(count) => self.seen.push_str(&String::from_utf8_lossy(&part[..count])),
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // SAFETY: an unreaped child of this process.
        unsafe {
            libc::kill(self.child, libc::SIGKILL);
            libc::waitpid(self.child, std::ptr::null_mut(), 0);
        }
    }
}

const LONG: Duration = Duration::from_secs(8);

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

type Row = (&'static str, fn(&Peer) -> String);

const ROWS: &[Row] = &[
    ("status of a program that exits with 7; is killed by SIGKILL; is not found; is not executable", |peer| {
        let code = |arguments: &[&str]| peer.command(arguments).status().unwrap().code().unwrap_or(-1);
        let killed = peer.shell("kill -KILL $$").status().unwrap().code().unwrap_or(-1);
        format!("{}, {killed}, {}, {}", code(&["bash", "-c", "exit 7"]), code(&["/no/such"]), code(&["/etc/passwd"]))
    }),
    ("a script without `#!`; an empty entry of `PATH`", |peer| {
        let folder = Folder::empty(&format!("peers-{}", peer.name));
        folder.write("entrypoint", "exit 5\n");
        let _mode = Command::new("chmod").arg("+x").arg(folder.path().join("entrypoint")).status();
        let script = peer.command(&["./entrypoint"]).current_dir(folder.path()).status().unwrap().code();
        let path =
            peer.command(&["entrypoint"]).current_dir(folder.path()).env("PATH", ":/bin").status().unwrap().code();
        let runs =
            |code: Option<i32>| if code == Some(5) { "runs".to_owned() } else { format!("{}", code.unwrap_or(-1)) };
        format!("{}; {}", runs(script), runs(path))
    }),
    ("SIGINT, SIGTERM twice: received as", |peer| {
        let script = "trap 'echo INT' INT; trap 'echo TERM' TERM; echo ready; while :; do sleep 0.01; done";
        let (mut child, mut lines) = peer.started(script);
        let mut seen = vec![];
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGTERM] {
            kill(&child, signal);
            seen.push(line(&mut lines));
        }
        let script = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap_or_default();
        for pid in script.split_whitespace() {
            // SAFETY: a process of this test.
            unsafe { libc::kill(pid.parse().unwrap(), libc::SIGKILL) };
        }
        let _gone = child.kill();
        child.wait().unwrap();
        seen.join(", ")
    }),
    ("SIGUSR1 goes to", |peer| {
        let script = "trap 'echo program' USR1; bash -c 'trap \"echo group; exit\" USR1; echo ready; \
                      for n in {1..150}; do sleep 0.01; done' & wait; wait; exit";
        let (mut child, mut lines) = peer.started(script);
        kill(&child, libc::SIGUSR1);
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        child.wait().unwrap();
        if rest.contains("group") { "its group" } else { "the program" }.to_owned()
    }),
    ("a subreaper where it is not process 1", |peer| {
        let script = "(bash -c 'sleep 0.3; cut -d\" \" -f4 /proc/$$/stat' &); sleep 1";
        let child = peer.shell(script).stdout(Stdio::piped()).spawn().unwrap();
        let pid = child.id().to_string();
        yes(text(&child.wait_with_output().unwrap().stdout).trim() == pid)
    }),
    ("process 1 reaps 50 orphans", |peer| {
        let script = "for n in {1..50}; do (bash -c 'sleep 0.05' &); done; sleep 2; grep -l 'State:.Z' /proc/[0-9]*/status | wc -l";
        yes(text(&peer.first(script).output().unwrap().stdout).trim() == "0")
    }),
    ("the program ends and leaves one of its group: that gets SIGTERM", |peer| {
        let script = "bash -c 'trap \"echo asked; exit\" TERM; echo ready; for n in {1..200}; do sleep 0.01; done' & \
                      sleep 0.5; exit 3";
        let (mut child, mut lines) = peer.started(script);
        child.wait().unwrap();
        yes(line(&mut lines) == "asked")
    }),
    ("process 1: one in another session gets SIGTERM, and the time to end", |peer| {
        let script = "setsid bash -c 'trap \"sleep 0.2; echo asked; exit\" TERM; while :; do sleep 0.01; done' & \
                      sleep 0.5; exit 3";
        yes(text(&peer.first(script).output().unwrap().stdout).trim() == "asked")
    }),
    ("mask of the program: as found", |peer| {
        let mut command = peer.command(&["cat", "/proc/self/status"]);
        // SAFETY: calls that may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                let mut set = std::mem::zeroed();
                libc::sigemptyset(&mut set);
                libc::sigaddset(&mut set, libc::SIGUSR2);
                libc::sigprocmask(libc::SIG_SETMASK, &set, std::ptr::null_mut());
                Ok(())
            });
        }
        yes(text(&command.output().unwrap().stdout).contains("SigBlk:\t0000000000000800"))
    }),
    ("SIGCHLD ignored at the start: the status is returned", |peer| {
        let mut command = peer.shell("exit 7");
        // SAFETY: a call that may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::signal(libc::SIGCHLD, libc::SIG_IGN);
                Ok(())
            });
        }
        let mut child = command.spawn().unwrap();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(3) {
            if let Some(status) = child.try_wait().unwrap() {
                return yes(status.code() == Some(7));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        "no, it waits".to_owned()
    }),
    ("`docker run -it`, imitated: job control and `/dev/tty`; Ctrl-C ends the job only", |peer| {
        let path = peer.path.to_str().unwrap();
        let way = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "setsid", "-c", path, "--"];
        let mut terminal = Terminal::new(&[&way[..], &["bash", "--norc", "-i"]].concat());
        terminal.write(
            "set -o | grep monitor; (: </dev/tty) && echo tty-O''K; echo at-$((40+2)); sleep 50; echo slept-$?\n",
        );
        let prompt = terminal.expect("at-42", LONG);
        let job = prompt && !terminal.seen.contains("no job control");
        std::thread::sleep(Duration::from_millis(500));
        terminal.write("\x03");
        std::thread::sleep(Duration::from_millis(500));
        terminal.write("echo alive-$((40+2)); set -o | grep monitor\n");
        let alive = terminal.expect("alive-42", LONG);
        let monitor = alive && terminal.expect("\ton", LONG);
        format!("{}; {}", yes(job && monitor), yes(alive))
    }),
    ("under a shell: Ctrl-Z stops the job, `fg` continues it, Ctrl-C ends it", |peer| {
        let mut terminal = Terminal::new(&["bash", "--norc", "-i"]);
        terminal.write(&format!("{} -- bash -c 'echo up-$((40+2)); sleep 50; sleep 50'\n", peer.path.display()));
        assert!(terminal.expect("up-42", LONG));
        std::thread::sleep(Duration::from_millis(300));
        terminal.write("\x1a");
        let stopped = terminal.expect("Stopped", Duration::from_secs(4));
        if !stopped {
            return "no".to_owned();
        }
        terminal.write("fg\n");
        std::thread::sleep(Duration::from_millis(700));
        terminal.write("\x03");
        std::thread::sleep(Duration::from_millis(300));
        terminal.write("echo back-$((40+2)); jobs; echo end-$((40+2))\n");
        let back =
            terminal.expect("back-42", LONG) && terminal.expect("end-42", LONG) && !terminal.seen.contains("Stopped");
        if back { "yes" } else { "stops" }.to_owned()
    }),
    ("SIGTSTP: stops", |peer| {
        let mut child = peer.shell("echo ready; exec sleep 50").stdout(Stdio::null()).spawn().unwrap();
        let own = || std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
        until("there is a program", || !own().is_empty());
        std::thread::sleep(Duration::from_millis(300));
        let program: u32 = own().trim().parse().unwrap();
        kill(&child, libc::SIGTSTP);
        std::thread::sleep(Duration::from_millis(400));
        let stops = match (state(child.id()), state(program)) {
            ('T', 'T') => "both",
            ('T', _) => "itself",
            (_, 'T') => "the program",
            _ => "nothing",
        };
        // SAFETY: a process of this test.
        unsafe { libc::kill(program as i32, libc::SIGKILL) };
        let _gone = child.kill();
        child.wait().unwrap();
        stops.to_owned()
    }),
    ("stderr without a reader, then SIGWINCH and SIGTERM", |peer| {
        let (reader, writer) = pipe();
        drop(reader);
        let mut child = peer.command(&["sleep", "50"]).stderr(writer).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        kill(&child, libc::SIGWINCH);
        std::thread::sleep(Duration::from_millis(100));
        kill(&child, libc::SIGTERM);
        let status = child.wait().unwrap().code();
        status.map_or("killed".to_owned(), |status| status.to_string())
    }),
    ("its own working directory", |peer| {
        let mut child = peer.command(&["sleep", "50"]).current_dir("/usr/share").spawn().unwrap();
        let own = || std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
        until("there is a program", || !own().is_empty());
        std::thread::sleep(Duration::from_millis(200));
        let directory = std::fs::read_link(format!("/proc/{}/cwd", child.id())).unwrap();
        kill(&child, libc::SIGTERM);
        child.wait().unwrap();
        if directory == Path::new("/") { "`/`" } else { "unchanged" }.to_owned()
    }),
    ("a program that fails once is started again", |peer| {
        let folder = Folder::empty(&format!("peers-again-{}", peer.name));
        let script =
            format!("if [ -e {0} ]; then echo again; else touch {0}; exit 1; fi", folder.path().join("x").display());
        let mut command = Command::new(&peer.path);
        if peer.name == "init" {
            command.args(["-r", "failure"]);
        }
        let output = command.args(["--", "bash", "-c", &script]).stderr(Stdio::null()).output().unwrap();
        if text(&output.stdout).contains("again") { "`-r`" } else { "no" }.to_owned()
    }),
];

#[test]
fn the_table_of_the_readme_shows_what_each_program_does() {
    let peers: Vec<_> =
        [("tini", "/usr/bin/tini"), ("dumb-init", "/usr/bin/dumb-init"), ("catatonit", "/usr/bin/catatonit")]
            .map(|(name, path)| {
                let path = PathBuf::from(path);
                assert!(path.exists(), "{name} is not installed; next: ci/setup tools");
                Peer { name, path }
            })
            .into();
    let peers: Vec<_> = [Peer { name: "init", path: init().to_owned() }].into_iter().chain(peers).collect();
    assert!(namespace("peers").is_some(), "a pid namespace cannot be created (unshare)");
    let mut table = String::from("| |");
    peers.iter().for_each(|peer| write!(table, " {} |", peer.name).unwrap());
    table.push_str("\n|---|---|---|---|---|\n");
    for (question, see) in ROWS {
        write!(table, "| {question} |").unwrap();
        for peer in &peers {
            write!(table, " {} |", see(peer)).unwrap();
        }
        table.push('\n');
    }
    println!("{table}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../init/README.md");
    let readme = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = readme.split_once("<!-- table -->\n").unwrap();
    let (there, after) = rest.split_once("<!-- end of table -->").unwrap();
    if std::env::var_os("RSYSCALL_WRITE_TABLE").is_some() {
        std::fs::write(&file, format!("{before}<!-- table -->\n{table}<!-- end of table -->{after}")).unwrap();
        return;
    }
    assert_eq!(there, table, "RSYSCALL_WRITE_TABLE=1 writes it");
}
