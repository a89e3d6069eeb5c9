//! The init of `init/`, built as a user would build it: as process 1 of a pid namespace, as a subreaper, under other
//! names.
#![cfg(target_arch = "x86_64")]

mod peers;

use rsyscall_tests::{cargo, skip};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Builds it with features, and copies it to a path of its own.
fn build(name: &str, features: &[&str]) -> PathBuf {
    // A shell cannot trap a signal that was ignored when it started, as under `nohup` or in a background job.
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
        // SAFETY: this program handles none of them.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../init");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut cargo = cargo();
    cargo.args(["build", "--release", "--quiet", "--bin", "init"]).args(features).current_dir(package);
    let output = cargo.arg("--target-dir").arg(&target).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.join("release/init")
}

fn init() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("init", &[]))
}

/// The same program under another name.
fn called(name: &str) -> PathBuf {
    let path = init().with_file_name(name);
    static LINKED: OnceLock<()> = OnceLock::new();
    LINKED.get_or_init(|| {
        for name in ["tini", "dumb-init"] {
            let link = init().with_file_name(name);
            let _not_there = std::fs::remove_file(&link);
            std::os::unix::fs::symlink("init", link).unwrap();
        }
    });
    path
}

/// The command that makes it process 1, if that is possible here.
fn namespace(test: &str) -> Option<Command> {
    for way in [&["--pid", "--fork", "--mount-proc", "--kill-child"][..], &["-Ur", "--pid", "--fork", "--kill-child"]] {
        if Command::new("unshare").args(way).arg("true").output().is_ok_and(|output| output.status.success()) {
            let mut unshare = Command::new("unshare");
            unshare.args(way);
            return Some(unshare);
        }
    }
    skip(test, "a pid namespace cannot be created (unshare)");
    None
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(program: &Path, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap()
}

fn status(arguments: &[&str]) -> Option<i32> {
    run(init(), arguments).status.code()
}

/// Starts it with a shell script that prints `ready` when it is, and waits for that.
fn started(program: &Path, options: &[&str], script: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = Command::new(program);
    command.args(options).args(["--", "sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut lines), "ready");
    (child, lines)
}

fn line(lines: &mut impl BufRead) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn kill(child: &Child, signal: i32) {
    // SAFETY: an unreaped child.
    assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
}

/// A pipe: the read end and the write end.
fn pipe() -> (std::fs::File, std::fs::File) {
    let mut ends = [0; 2];
    // SAFETY: the call writes two `int`s.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    // SAFETY: just created, and not used elsewhere.
    let [reader, writer] = ends.map(|fd| unsafe { <std::fs::File as std::os::fd::FromRawFd>::from_raw_fd(fd) });
    (reader, writer)
}

/// The processor time of an unreaped process, in clock ticks of 10 ms.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// The state letter of a process.
fn state(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().chars().next().unwrap()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn children(pid: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn the_text_is_at_most_12_kib_on_x86_64_and_has_no_undefined_symbol() {
    let guest = rsyscall_tests::guest::open(init());
    // The same code is larger where every instruction has four bytes.
    let bound = if cfg!(target_arch = "x86_64") { 12 } else { 20 } * 1024;
    assert!(guest.text() <= bound, "{} bytes of text", guest.text());
    assert_eq!(guest.undefined(), Vec::<String>::new());
}

#[test]
fn as_process_1_it_stops_a_thousand_children_and_reaps_each() {
    let Some(mut unshare) = namespace("as_process_1_it_stops_a_thousand_children_and_reaps_each") else { return };
    let program = build("init-selftest", &["--features", "selftest"]);
    let output = unshare.arg(&program).arg("--selftest").output().unwrap();
    let transcript = text(&output.stderr);
    assert_eq!(text(&output.stdout), "RESULT: passed\n", "{transcript}");
    for said in [
        "service: fails, to be started again",
        "init: the service exited with status 1",
        "init: restarting in 100 ms",
        "service: 1000 processes started",
        "init: received SIGTERM, shutting down",
        "init: the service was killed by SIGTERM",
        "init: sending SIGTERM to all processes, SIGKILL in 30 s",
        "init: reaped 1002 processes",
    ] {
        assert!(transcript.lines().any(|line| line == said), "missing: {said}\n{transcript}");
    }
}

#[test]
fn the_self_test_is_not_in_the_program_and_not_enabled_by_the_environment() {
    assert_eq!(status(&["--selftest"]), Some(125));
    let output = Command::new(init()).args(["sh", "-c", "exit 7"]).env("selftest", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn as_process_1_it_kills_the_processes_left_after_the_grace_period() {
    let Some(mut unshare) = namespace("as_process_1_it_kills_the_processes_left_after_the_grace_period") else {
        return;
    };
    // One that ignores it, one that is stopped, one in a session of its own.
    let script = "trap '' TERM; (sleep 1000 & kill -STOP $!); setsid sleep 1000 & kill -TERM 1; sleep 1000";
    let output = unshare.arg(init()).args(["-v", "-g", "1", "--", "sh", "-c", script]).output().unwrap();
    assert_eq!(output.status.code(), Some(128 + 9), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("init: grace period expired, sending SIGKILL"));
}

#[test]
fn as_process_1_it_terminates_the_processes_left_when_the_service_has_ended() {
    let Some(mut unshare) = namespace("as_process_1_it_terminates_the_processes_left_when_the_service_has_ended")
    else {
        return;
    };
    let script = "(setsid sh -c 'trap \"echo asked; exit\" TERM; echo up; while :; do sleep 0.01; done') & \
                  while ! [ -e /proc/$!/fd ]; do :; done; sleep 0.3; exit 4";
    let output = unshare.arg(init()).args(["sh", "-c", script]).output().unwrap();
    assert_eq!((text(&output.stdout).as_str(), output.status.code()), ("up\nasked\n", Some(4)));
}

#[test]
fn the_exit_status_is_that_of_the_service_and_every_other_is_documented() {
    for code in [0, 1, 7, 125, 126, 127, 128, 255] {
        assert_eq!(status(&["--", "sh", "-c", &format!("exit {code}")]), Some(code));
    }
    assert_eq!(status(&["sh", "-c", "kill -SEGV $$"]), Some(128 + 11));
    assert_eq!(status(&["--", "no-such-program-anywhere"]), Some(127));
    assert_eq!(status(&["--", ""]), Some(127));
    assert_eq!(status(&["--", "/etc/passwd"]), Some(126));
    for wrong in [
        &["-x"][..],
        &["-g", "soon", "true"],
        &[],
        &["-g"],
        &["-r", "15", "true"],
        &["-e", "256", "true"],
        &["-vz", "true"],
    ] {
        assert_eq!(status(wrong), Some(125), "{wrong:?}");
    }
    assert_eq!(status(&["-e", "143", "-e7", "sh", "-c", "kill $$"]), Some(0));
    assert_eq!(status(&["-e", "143", "-e7", "sh", "-c", "exit 7"]), Some(0));
    assert_eq!(status(&["-e", "143", "sh", "-c", "exit 7"]), Some(7));
}

#[test]
fn messages_name_the_program_and_the_error_and_help_and_version_are_printed() {
    let said = |arguments: &[&str]| text(&run(init(), arguments).stderr);
    assert_eq!(said(&["/no/such"]), "init: exec /no/such: ENOENT No such file or directory\n");
    assert_eq!(said(&["/etc/passwd"]), "init: exec /etc/passwd: EACCES Permission denied\n");
    assert_eq!(said(&["a\u{1b}[2Jb"]), "init: exec a?[2Jb: ENOENT No such file or directory\n");
    assert_eq!(said(&["true"]), "");
    assert!(said(&[]).starts_with("Usage: init "));
    let help = run(init(), &["-h"]);
    assert!(help.status.success() && text(&help.stdout).starts_with("Usage: init "));
    let version = run(init(), &["--version"]);
    assert!(version.status.success() && text(&version.stdout).starts_with("init 0.1.0"));
}

#[test]
fn arguments_environment_mask_dispositions_directory_and_descriptors_are_passed_on_unchanged() {
    let script = "echo \"$0 $1 $WORD\"; pwd; grep -E 'Sig(Blk|Ign)' /proc/self/status; \
                  set -- /proc/$$/fd/*; echo $#";
    let wrapped = |with: &[&str]| {
        let mut command = Command::new(with[0]);
        command.args(&with[1..]).args(["bash", "-c", script, "zero", "one two"]).env("WORD", "three");
        command.current_dir("/usr/share");
        // SAFETY: two calls that may be made between fork and exec.
        unsafe {
            std::os::unix::process::CommandExt::pre_exec(&mut command, || {
                let mut set = std::mem::zeroed();
                libc::sigemptyset(&mut set);
                libc::sigaddset(&mut set, libc::SIGUSR2);
                libc::sigprocmask(libc::SIG_SETMASK, &set, std::ptr::null_mut());
                libc::signal(libc::SIGHUP, libc::SIG_IGN);
                Ok(())
            });
        }
        text(&command.output().unwrap().stdout)
    };
    let plain = wrapped(&["env"]);
    assert!(plain.starts_with("zero one two three\n/usr/share\nSigBlk:\t0000000000000800"), "{plain}");
    assert_eq!(wrapped(&[init().to_str().unwrap(), "--"]), plain);
}

#[test]
fn init_changes_to_the_root_and_restarts_the_service_where_it_was_started() {
    let folder = rsyscall_tests::Folder::empty("init-directory");
    let (child, mut lines) = {
        let mut command = Command::new(init());
        command.args(["-r", "always", "-n", "3", "--", "sh", "-c", "pwd; exit 1"]).current_dir(folder.path());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        (child, lines)
    };
    let here = folder.path().to_str().unwrap();
    assert_eq!(line(&mut lines), here);
    assert_eq!(std::fs::read_link(format!("/proc/{}/cwd", child.id())).unwrap(), Path::new("/"));
    assert_eq!([line(&mut lines), line(&mut lines)], [here, here]);
    assert_eq!({ child }.wait().unwrap().code(), Some(1));

    // A service without restart keeps no reference to the directory.
    let (mut child, _lines) = {
        let mut command = Command::new(init());
        command.args(["sh", "-c", "echo ready; sleep 100"]).current_dir(folder.path()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        assert_eq!(line(&mut lines), "ready");
        (child, lines)
    };
    let held = || {
        std::fs::read_dir(format!("/proc/{}/fd", child.id()))
            .unwrap()
            .flatten()
            .any(|entry| std::fs::read_link(entry.path()).is_ok_and(|path| path == folder.path()))
    };
    until("the directory is released", || !held());
    kill(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn every_signal_is_forwarded_unchanged_or_rewritten() {
    let names = [
        (libc::SIGHUP, "HUP"),
        (libc::SIGUSR1, "USR1"),
        (libc::SIGQUIT, "QUIT"),
        (libc::SIGINT, "INT"),
        (libc::SIGPWR, "PWR"),
    ];
    for (signal, name) in names {
        let script = format!("trap 'exit 42' {name}; echo ready; while :; do sleep 0.01; done");
        let (mut child, _lines) = started(init(), &[], &script);
        kill(&child, signal);
        assert_eq!(child.wait().unwrap().code(), Some(42), "{name}");
    }
    let script = "trap 'exit 42' QUIT; trap 'echo usr1' USR1; echo ready; while :; do sleep 0.01; done";
    let (mut child, mut lines) = started(init(), &["-r", "15:3", "-r", "USR2:0", "-r", "hup:SIGUSR1"], script);
    kill(&child, libc::SIGUSR2);
    kill(&child, libc::SIGHUP);
    assert_eq!(line(&mut lines), "usr1");
    kill(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(42));
}

#[test]
fn a_signal_goes_to_the_service_alone_or_to_its_group() {
    let script = "trap 'echo parent' USR1; \
                  sh -c 'trap \"echo child; exit\" USR1; echo ready; while :; do sleep 0.01; done' & wait; wait; exit 3";
    let (mut child, mut lines) = started(init(), &["-G"], script);
    kill(&child, libc::SIGUSR1);
    let mut both = [line(&mut lines), line(&mut lines)];
    both.sort();
    assert_eq!(both, ["child", "parent"]);
    assert_eq!(child.wait().unwrap().code(), Some(3));

    let (mut child, mut lines) = started(init(), &[], script);
    kill(&child, libc::SIGUSR1);
    assert_eq!(line(&mut lines), "parent");
    kill(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn sigterm_is_forwarded_twice_and_the_service_ends_in_its_own_time() {
    let script = "n=0; trap 'n=$((n + 1)); echo asked $n; [ $n = 2 ] && { sleep 0.2; exit 5; }' TERM; echo ready; \
                  while :; do sleep 0.01; done";
    let (mut child, mut lines) = started(init(), &["-r", "always"], script);
    kill(&child, libc::SIGTERM);
    assert_eq!(line(&mut lines), "asked 1");
    kill(&child, libc::SIGTERM);
    assert_eq!(line(&mut lines), "asked 2");
    assert_eq!(child.wait().unwrap().code(), Some(5), "and it is not started again");
}

#[test]
fn a_service_that_does_not_end_is_killed_after_the_grace_period() {
    let script = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
    let (mut child, _lines) = started(init(), &["-g", "1"], script);
    kill(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 9));
}

#[test]
fn a_failing_service_is_restarted_and_given_up_after_five_quick_exits() {
    let starts = |options: &[&str], script: &str| {
        let mut arguments = vec!["-v"];
        arguments.extend(options);
        arguments.extend(["--", "sh", "-c", script]);
        let output = run(init(), &arguments);
        let said = text(&output.stderr);
        (said.lines().filter(|line| line.starts_with("init: the service runs")).count(), output.status.code(), said)
    };
    assert_eq!(starts(&["-r", "failure"], "exit 0").0, 1);
    assert_eq!(starts(&["-r", "never"], "exit 3").0, 1);
    let (count, status, said) = starts(&["-r", "failure"], "exit 3");
    assert_eq!((count, status), (5, Some(3)));
    assert!(said.contains("init: giving up after 5 quick exits in a row"), "{said}");
    assert_eq!(starts(&["-r", "always", "-n", "2"], "exit 0").0, 2);
}

#[test]
fn signals_between_two_runs_are_kept_for_the_next_and_sigterm_ends_the_wait() {
    let folder = rsyscall_tests::Folder::empty("init-kept");
    let mark = folder.path().join("mark");
    // Every run is a quick one, also the one whose trap waits for `sleep`: otherwise there would be a third.
    let script = format!(
        "trap 'exit 9' USR1; if [ -e {0} ]; then sleep 0.5; exit 1; else touch {0}; exit 1; fi",
        mark.display()
    );
    let mut child = Command::new(init()).args(["-r", "always", "-n", "2", "sh", "-c", &script]).spawn().unwrap();
    until("the first run ends", || mark.exists() && children(child.id()).is_empty());
    kill(&child, libc::SIGUSR1);
    // Either the shell had its trap already, or the signal killed it: it was not dropped.
    let code = child.wait().unwrap().code();
    assert!(matches!(code, Some(9) | Some(138)), "{code:?}");

    // It is started after 0, 100, 300, 700 and 1500 ms.
    let mut child = Command::new(init()).args(["-r", "always", "-n", "0", "sh", "-c", "exit 6"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    kill(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(6));
}

#[test]
fn a_signal_after_the_end_of_a_service_that_is_not_yet_reaped_is_kept_too() {
    // The service has the signal blocked, as init had (bash leaves it so): it stays pending, and is seen there.
    let script = "echo ready; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.05; \
                  grep -q 'ShdPnd:.*200$' /proc/$$/status && exit 9; done; exit 1";
    let mut command = Command::new(init());
    command.args(["-r", "always", "-n", "2", "bash", "-c", script]).stdout(Stdio::piped());
    // SAFETY: two calls that may be made between fork and exec.
    unsafe {
        std::os::unix::process::CommandExt::pre_exec(&mut command, || {
            let mut set = std::mem::zeroed();
            libc::sigaddset(&mut set, libc::SIGUSR1);
            libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
            Ok(())
        });
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut lines), "ready");
    // Stopped, init sees the signal and the end at once, and reads the signal first: it has the lower number.
    let service = children(child.id())[0];
    kill(&child, libc::SIGSTOP);
    until("init is stopped", || state(child.id()) == 'T');
    // SAFETY: an unreaped child of a stopped process.
    assert_eq!(unsafe { libc::kill(service as i32, libc::SIGKILL) }, 0);
    until("the service is a zombie", || state(service) == 'Z');
    kill(&child, libc::SIGUSR1);
    kill(&child, libc::SIGCONT);
    assert_eq!(line(&mut lines), "ready");
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[test]
fn a_service_that_always_exits_at_once_uses_little_processor_time() {
    let mut child = Command::new(init()).args(["-r", "always", "-n", "0", "true"]).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(5));
    let used = ticks(child.id());
    kill(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(used <= 8, "{used} ticks of 10 ms in 5 s");
}

#[test]
fn orphans_are_adopted_and_no_zombie_stays() {
    // Each of the twenty is an orphan at once, prints its parent, and ends.
    let script = "echo ready; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do \
                  (sh -c 'sleep 0.1; cut -d\" \" -f4 /proc/$$/stat' &); done; while :; do sleep 0.01; done";
    let (mut child, mut lines) = started(init(), &[], script);
    for _ in 0..20 {
        assert_eq!(line(&mut lines), child.id().to_string());
    }
    until("nothing but the service is left", || children(child.id()).len() == 1);
    kill(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
}

#[test]
fn thousands_of_orphans_leave_no_zombie_and_use_little_processor_time() {
    let Some(mut unshare) = namespace("thousands_of_orphans_leave_no_zombie_and_use_little_processor_time") else {
        return;
    };
    let script = "for i in {1..30}; do (for j in {1..100}; do true & done) & done; wait; sleep 0.3; \
                  grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l; awk '{print $14+$15}' /proc/1/stat";
    let output = unshare.arg(init()).args(["--", "bash", "-c", script]).output().unwrap();
    let said = text(&output.stdout);
    let numbers: Vec<u32> = said.split_whitespace().map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers[0], 0, "zombies");
    assert!(numbers[1] <= 20, "{} ticks of 10 ms for 3 000 orphans", numbers[1]);
}

#[test]
fn a_subreaper_terminates_and_then_kills_the_group_of_a_service_that_has_ended() {
    let begin = Instant::now();
    let (mut child, mut lines) =
        started(init(), &["-g", "1"], "sh -c 'trap \"\" TERM; echo ready; sleep 50' & sleep 0.2; exit 3");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert_eq!(line(&mut lines), "", "no process has the pipe open");
}

#[test]
fn the_status_is_returned_even_if_sigchld_was_ignored() {
    let mut command = Command::new(init());
    command.args(["sh", "-c", "exit 7"]);
    // SAFETY: a call that may be made between fork and exec.
    unsafe {
        std::os::unix::process::CommandExt::pre_exec(&mut command, || {
            libc::signal(libc::SIGCHLD, libc::SIG_IGN);
            Ok(())
        });
    }
    assert_eq!(command.status().unwrap().code(), Some(7));
}

#[test]
fn a_stopped_service_stops_init_and_both_are_continued() {
    let (mut child, _lines) = started(init(), &[], "echo ready; while :; do sleep 0.01; done");
    kill(&child, libc::SIGTSTP);
    until("init is stopped", || state(child.id()) == 'T');
    let service = children(child.id())[0];
    until("the service is stopped", || state(service) == 'T');
    kill(&child, libc::SIGCONT);
    until("both are continued", || state(child.id()) != 'T' && state(service) != 'T');
    // A stopped service ends on SIGTERM.
    kill(&child, libc::SIGTSTP);
    until("init is stopped", || state(child.id()) == 'T');
    kill(&child, libc::SIGTERM);
    kill(&child, libc::SIGCONT);
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn init_does_not_block_on_a_full_pipe_or_one_without_a_reader() {
    // Full: the pipe is never read.
    let (reader, writer) = pipe();
    let writer2 = writer.try_clone().unwrap();
    // SAFETY: only a flag of the open file description is changed and restored.
    unsafe {
        libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(&writer2), libc::F_SETFL, libc::O_NONBLOCK);
        while std::io::Write::write(&mut { &writer2 }, &[b'x'; 4096]).is_ok() {}
        libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(&writer2), libc::F_SETFL, 0);
    }
    let mut child = Command::new(init()).args(["-v", "sh", "-c", "exit 5"]).stderr(writer).spawn().unwrap();
    until("it ends", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(5));
    drop(writer2);

    drop(reader);
    let (reader, writer) = pipe();
    drop(reader);
    let mut child = Command::new(init()).args(["-v", "sh", "-c", "sleep 0.3; exit 5"]).stderr(writer).spawn().unwrap();
    kill(&child, libc::SIGWINCH);
    assert_eq!(child.wait().unwrap().code(), Some(5), "its own SIGPIPE is not forwarded");
}

#[test]
fn init_ends_with_its_parent_if_a_parent_death_signal_is_set() {
    let script = format!("{} -p KILL sleep 100 >/dev/null 2>&1 & echo $!; read line", init().display());
    let mut shell = Command::new("sh");
    let mut shell = shell.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let pid: u32 = line(&mut BufReader::new(shell.stdout.take().unwrap())).parse().unwrap();
    until("it has a service", || children(pid).len() == 1);
    let service = children(pid)[0];
    drop(shell.stdin.take());
    shell.wait().unwrap();
    until("it is gone", || !Path::new(&format!("/proc/{pid}")).exists() || state(pid) == 'Z');
    // SAFETY: the service, whose parent is gone.
    unsafe { libc::kill(service as i32, libc::SIGKILL) };
}

#[test]
fn init_called_tini_has_tinis_options_and_defaults() {
    let tini = called("tini");
    let code = |arguments: &[&str]| run(&tini, arguments).status.code();
    assert_eq!(code(&["-s", "--", "sh", "-c", "exit 9"]), Some(9));
    assert_eq!(code(&["-s", "sh", "--", "-c", "exit 9"]), Some(9), "the documented place of --");
    assert_eq!(code(&["-vvv", "-e", "9", "-g", "-p", "SIGKILL", "sh", "-c", "exit 9"]), Some(0));
    assert_eq!(
        (code(&[]), code(&["-x"]), code(&["nosuch"]), code(&["/etc/passwd"])),
        (Some(1), Some(1), Some(127), Some(126))
    );
    let warned = text(&run(&tini, &["true"]).stderr);
    assert!(warned.contains("zombie reaping won't work"), "{warned}");
    let quiet = Command::new(&tini).arg("true").env("TINI_SUBREAPER", "").output().unwrap();
    assert_eq!(text(&quiet.stderr), "");
    // It ends with the program, and does not wait for the other children.
    let begin = Instant::now();
    let output = run(&tini, &["-s", "sh", "-c", "sleep 3 >/dev/null 2>&1 & exit 4"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[test]
fn init_called_dumb_init_has_dumb_inits_options_and_defaults() {
    let dumb_init = called("dumb-init");
    let code = |arguments: &[&str]| run(&dumb_init, arguments).status.code();
    assert_eq!(code(&["sh", "-c", "exit 9"]), Some(9));
    assert_eq!((code(&[]), code(&["-x"]), code(&["nosuch"])), (Some(1), Some(1), Some(2)));
    assert_eq!(code(&["-r", "15:12", "-r", "1:32", "true"]), Some(1), "it knows signals up to 31");
    let session = "cut -d' ' -f1,6 /proc/$$/stat";
    let own = |arguments: &[&str]| {
        let said = text(&run(&dumb_init, arguments).stdout);
        let (process, session) = said.trim().split_once(' ').unwrap();
        process == session
    };
    assert!(own(&["sh", "-c", session]));
    assert!(!own(&["--single-child", "sh", "-c", session]));
    // To the group.
    let script = "trap 'echo parent' USR2; \
                  sh -c 'trap \"echo child; exit\" USR2; echo ready; while :; do sleep 0.01; done' & wait; wait; exit 3";
    let (mut child, mut lines) = started(&dumb_init, &["-r", "10:12"], script);
    kill(&child, libc::SIGUSR1);
    let mut both = [line(&mut lines), line(&mut lines)];
    both.sort();
    assert_eq!(both, ["child", "parent"]);
    assert_eq!(child.wait().unwrap().code(), Some(3));
}
