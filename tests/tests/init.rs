//! `examples/init`, built as a user would build it, as PID 1 of a pid namespace and as a subreaper.
//!
//! Needs cargo, and the target of this machine; where there is none of that, or no namespace to be had, the case says
//! so.
#![cfg(target_arch = "x86_64")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

/// The program, or why there is none.
fn init() -> Result<&'static PathBuf, &'static str> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        // A shell cannot trap what was ignored when it began, as `nohup` and a job in the background have it.
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
            // SAFETY: this program handles none of them.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/init");
        let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("init");
        let built = Command::new(std::env::var_os("CARGO").ok_or("no cargo")?)
            .args(["build", "--release", "--quiet", "--target", "x86_64-unknown-linux-gnu"])
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_BUILD_TARGET")
            .env("CARGO_TARGET_DIR", &target)
            .current_dir(folder)
            .output()
            .map_err(|error| format!("no cargo: {error}"))?;
        if !built.status.success() {
            return Err(format!("it was not built: {}", String::from_utf8_lossy(&built.stderr)));
        }
        Ok(target.join("x86_64-unknown-linux-gnu/release/init"))
    });
    built.as_ref().map_err(String::as_str)
}

/// Whether this test goes on; if not, it has said why.
fn ready(name: &str) -> Option<&'static PathBuf> {
    match init() {
        Ok(path) => Some(path),
        Err(why) => {
            println!("SKIPPED: {name}: {why}");
            None
        }
    }
}

/// Whether it can be PID 1 here: the arguments that make it so.
fn namespace(name: &str) -> Option<Vec<&'static str>> {
    for way in [vec!["--pid", "--fork", "--kill-child"], vec!["--user", "--pid", "--fork", "--kill-child"]] {
        if Command::new("unshare").args(&way).arg("true").output().is_ok_and(|output| output.status.success()) {
            return Some(way);
        }
    }
    println!("SKIPPED: {name}: no pid namespace to be had (unshare)");
    None
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn as_subreaper(init: &PathBuf, arguments: &[&str]) -> Output {
    Command::new(init).args(arguments).output().unwrap()
}

/// Starts it with a service that prints `ready` when it is, and waits for that.
fn started(init: &PathBuf, options: &[&str], script: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child =
        Command::new(init).args(options).args(["--", "sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, lines)
}

fn kill(child: &Child, signal: i32) {
    // SAFETY: a child that is not yet waited for.
    assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
}

#[test]
fn as_pid_1_it_stops_a_thousand_children_and_takes_leave_of_each() {
    let name = "as_pid_1_it_stops_a_thousand_children_and_takes_leave_of_each";
    let (Some(init), Some(way)) = (ready(name), namespace(name)) else { return };
    let output = Command::new("unshare").args(way).arg(init).arg("selftest").output().unwrap();
    let transcript = text(&output.stderr);
    assert_eq!(text(&output.stdout), "RESULT: passed\n", "{transcript}");
    assert!(output.status.success());
    for line in [
        "service: fails, to be started again",
        "init: the service has ended with status 1",
        "service: processes made: 1000",
        "init: told to stop, by signal 15",
        "init: all have ended, processes taken leave of: 1002",
    ] {
        assert!(transcript.lines().any(|said| said == line), "not said: {line}\n{transcript}");
    }
}

#[test]
fn as_pid_1_it_makes_everyone_end_who_does_not_end_when_asked() {
    let name = "as_pid_1_it_makes_everyone_end_who_does_not_end_when_asked";
    let (Some(init), Some(way)) = (ready(name), namespace(name)) else { return };
    // One that ignores it, one that is stopped, one in a session of its own.
    let script = "trap '' TERM; (sleep 1000 & kill -STOP $!); setsid sleep 1000 & kill -TERM 1; sleep 1000";
    let output =
        Command::new("unshare").args(way).arg(init).args(["-v", "-g", "1", "--", "sh", "-c", script]).output().unwrap();
    assert_eq!(output.status.code(), Some(128 + 9), "{}", text(&output.stderr));
}

#[test]
fn its_status_is_that_of_the_service() {
    let Some(init) = ready("its_status_is_that_of_the_service") else { return };
    let status = |arguments: &[&str]| as_subreaper(init, arguments).status.code();
    assert_eq!(status(&["--", "sh", "-c", "exit 7"]), Some(7));
    assert_eq!(status(&["true"]), Some(0));
    assert_eq!(status(&["sh", "-c", "kill -SEGV $$"]), Some(128 + 11));
    assert_eq!(status(&["--", "no-such-program-anywhere"]), Some(127));
    assert_eq!(status(&["--", "/etc/passwd"]), Some(126));
    assert_eq!(status(&["-x"]), Some(125));
    assert_eq!(status(&["-g", "soon", "true"]), Some(125));
}

#[test]
fn it_says_nothing_unless_asked_and_hands_arguments_and_environment_on() {
    let Some(init) = ready("it_says_nothing_unless_asked_and_hands_arguments_and_environment_on") else { return };
    let output = Command::new(init)
        .args(["--", "sh", "-c", "echo \"$0 $1 $WORD\"", "zero", "one two"])
        .env("WORD", "three")
        .output()
        .unwrap();
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("zero one two three\n".into(), String::new()));
}

#[test]
fn the_service_blocks_no_signal_has_no_descriptor_of_inits_and_a_session_of_its_own() {
    let name = "the_service_blocks_no_signal_has_no_descriptor_of_inits_and_a_session_of_its_own";
    let Some(init) = ready(name) else { return };
    // Counted by the shell itself: for a pipeline it would have its pipe open for a while.
    let script = "grep SigBlk /proc/self/status; set -- /proc/$$/fd/*; echo $#; cut -d' ' -f1,6 /proc/$$/stat";
    let output = text(&as_subreaper(init, &["--", "sh", "-c", script]).stdout);
    let without = text(&Command::new("sh").args(["-c", script]).output().unwrap().stdout);
    let mut lines = output.lines();
    assert_eq!(lines.next(), Some("SigBlk:\t0000000000000000"));
    assert_eq!(lines.next(), without.lines().nth(1), "as many descriptors as without init");
    let (process, session) = lines.next().unwrap().split_once(' ').unwrap();
    assert_eq!(process, session);
}

#[test]
fn it_forwards_signals_to_the_service() {
    let Some(init) = ready("it_forwards_signals_to_the_service") else { return };
    for (signal, name) in
        [(libc::SIGHUP, "HUP"), (libc::SIGUSR1, "USR1"), (libc::SIGUSR2, "USR2"), (libc::SIGQUIT, "QUIT")]
    {
        let script = format!("trap 'exit 42' {name}; echo ready; while :; do sleep 0.01; done");
        let (mut child, _lines) = started(init, &[], &script);
        kill(&child, signal);
        assert_eq!(child.wait().unwrap().code(), Some(42), "{name}");
    }
}

#[test]
fn told_to_stop_it_asks_the_service_and_waits() {
    let Some(init) = ready("told_to_stop_it_asks_the_service_and_waits") else { return };
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let script = "trap 'sleep 0.2; exit 5' TERM; echo ready; while :; do sleep 0.01; done";
        let (mut child, _lines) = started(init, &["-r", "always", "-g", "60"], script);
        kill(&child, signal);
        assert_eq!(child.wait().unwrap().code(), Some(5));
    }
}

#[test]
fn a_service_that_does_not_end_is_made_to_after_the_grace_or_at_the_second_word() {
    let name = "a_service_that_does_not_end_is_made_to_after_the_grace_or_at_the_second_word";
    let Some(init) = ready(name) else { return };
    let script = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
    let (mut child, _lines) = started(init, &["-g", "1"], script);
    kill(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 9));

    // The first word has been taken when the service, which is asked by it, says so.
    let script = "trap 'echo asked' TERM; echo ready; while :; do sleep 0.01; done";
    let (mut child, mut lines) = started(init, &["-g", "100000"], script);
    kill(&child, libc::SIGTERM);
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "asked\n");
    kill(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 9));
}

#[test]
fn a_service_that_fails_is_started_again_and_given_up_after_the_fifth_quick_end() {
    let name = "a_service_that_fails_is_started_again_and_given_up_after_the_fifth_quick_end";
    let Some(init) = ready(name) else { return };
    let starts = |rule: &str, script: &str| {
        let output = as_subreaper(init, &["-v", "-r", rule, "--", "sh", "-c", script]);
        let said = text(&output.stderr);
        (said.lines().filter(|line| line.starts_with("init: the service runs")).count(), output.status.code())
    };
    assert_eq!(starts("failure", "exit 0"), (1, Some(0)));
    assert_eq!(starts("never", "exit 3"), (1, Some(3)));
    assert_eq!(starts("failure", "exit 3"), (5, Some(3)));
}

#[test]
fn orphans_become_its_children_and_no_zombie_stays() {
    let Some(init) = ready("orphans_become_its_children_and_no_zombie_stays") else { return };
    // Each of the twenty is an orphan at once, says whose child it is now, and ends.
    let script = "echo ready; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do \
                  (sh -c 'sleep 0.1; cut -d\" \" -f4 /proc/$$/stat' &); done; while :; do sleep 0.01; done";
    let (mut child, mut lines) = started(init, &[], script);
    for _ in 0..20 {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), child.id().to_string());
    }
    // They have said it and are about to end: in the end nothing but the service is left.
    let children = || std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id()));
    if children().is_ok() {
        while children().unwrap().split_whitespace().count() != 1 {
            std::thread::yield_now();
        }
    } else {
        println!(
            "SKIPPED: the second half of orphans_become_its_children_and_no_zombie_stays: no list of children in /proc"
        );
    }
    kill(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
}
