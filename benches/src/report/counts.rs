//! Runs `measure count` under callgrind and computes from each case's two counts what one operation executes.

use crate::rows::Count;
use crate::{Result, file};
use std::path::Path;
use std::process::Command;

pub fn write(measure: &Path) -> Result<()> {
    let scratch = std::env::temp_dir().join(format!("rsyscall-benches-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let counts = count(measure, &scratch);
    std::fs::remove_dir_all(&scratch)?;
    let counts = counts?;
    let path = file("results/instructions.csv");
    std::fs::write(&path, format!("# {}\n", compiler()?))?;
    let mut writer = csv::Writer::from_writer(std::fs::OpenOptions::new().append(true).open(&path)?);
    for count in &counts {
        writer.serialize(count)?;
    }
    Ok(writer.flush()?)
}

/// What the counts depend on, apart from the sources.
pub fn compiler() -> Result<String> {
    let rustc = std::env::var("RUSTC").unwrap_or("rustc".into());
    let version = String::from_utf8(Command::new(rustc).arg("--version").output()?.stdout)?;
    Ok(format!("{}, {}", version.trim(), std::env::consts::ARCH))
}

fn count(measure: &Path, scratch: &Path) -> Result<Vec<Count>> {
    let out = scratch.join("out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--zero-before=counted", "--dump-after=counted"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(measure)
        .arg("count")
        .output()
        .map_err(|error| format!("valgrind: {error}; next: ci/setup tools"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let cases = String::from_utf8(output.stdout)?;
    // Case after case: N, then 2N, each in a file with the next number.
    let cases: Vec<Vec<_>> = cases.lines().map(|line| line.split('\t').collect()).collect();
    let mut counts = Vec::new();
    for (index, pair) in cases.chunks_exact(2).enumerate() {
        let [operation, peer, n] = pair[0][..] else { return Err(format!("{pair:?}").into()) };
        let [once, twice] = [1, 2].map(|nth| total(&scratch.join(format!("out.{}", 2 * index + nth))));
        let (n, more) = (n.parse::<u64>()?, twice?.checked_sub(once?).ok_or("2N cost less than N")?);
        // Work that happens once in a thousand (a page, a table that grows) is no part of the operation.
        counts.push(Count { operation: operation.into(), peer: peer.into(), instructions: (more + n / 2) / n });
    }
    Ok(counts)
}

/// The total of one of callgrind's files.
fn total(path: &Path) -> Result<u64> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).ok_or("no totals")?;
    Ok(total.trim().parse()?)
}
