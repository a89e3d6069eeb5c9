//! One way, measured in a process of its own: so an earlier version of the crate, which is another program, is measured
//! like the others.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

const BATCH: Duration = Duration::from_micros(2_500);

pub struct Way {
    pub name: &'static str,
    source: Source,
    turns: u64,
    /// Nanoseconds of one turn, for each round.
    pub times: Vec<f64>,
}

enum Source {
    /// A process that serves batches.
    Batches { child: Child, input: ChildStdin, output: BufReader<ChildStdout> },
    /// The pair in C: a process for each batch.
    Pair { program: PathBuf, more: Vec<String> },
}

impl Way {
    /// `None` if the program does not exist, or does not serve.
    pub fn batches(name: &'static str, program: &Path, arguments: &[&str]) -> Option<Self> {
        let mut command = Command::new(program);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let input = child.stdin.take()?;
        let output = BufReader::new(child.stdout.take()?);
        Self::warm(name, Source::Batches { child, input, output })
    }

    /// `more` are its arguments after the depth.
    pub fn pair(name: &'static str, program: &Path, more: &[&str]) -> Option<Self> {
        let more = more.iter().map(ToString::to_string).collect();
        Self::warm(name, Source::Pair { program: program.to_path_buf(), more })
    }

    /// Finds out how many turns fill a batch.
    fn warm(name: &'static str, source: Source) -> Option<Self> {
        let mut way = Self { name, source, turns: 10, times: Vec::new() };
        loop {
            let time = Duration::from_nanos((way.batch()? * way.turns as f64) as u64);
            if time * 2 >= BATCH {
                return Some(way);
            }
            way.turns *= 2;
        }
    }

    /// Nanoseconds of one turn.
    fn batch(&mut self) -> Option<f64> {
        let turns = self.turns;
        match &mut self.source {
            Source::Batches { input, output, .. } => {
                writeln!(input, "{turns}").ok()?;
                let mut line = String::new();
                output.read_line(&mut line).ok()?;
                Some(line.trim().parse::<f64>().ok()? / turns as f64)
            }
            Source::Pair { program, more } => {
                let turns = turns.max(1000).to_string();
                let output = Command::new(program).args([&turns, "1"]).args(more).output().ok()?;
                String::from_utf8(output.stdout).ok()?.trim().parse().ok()
            }
        }
    }

    pub fn measure(&mut self) {
        let time = self.batch().expect("it has served before");
        self.times.push(time);
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        if let Source::Batches { child, .. } = &mut self.source {
            // Its threads and its child end with it.
            let _ignored = child.kill().and_then(|()| child.wait());
        }
    }
}
