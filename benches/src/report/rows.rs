//! The rows of the files.

use crate::{Result, file};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Count {
    pub operation: String,
    pub peer: String,
    pub instructions: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Time {
    pub operation: String,
    pub peer: String,
    pub ns: f64,
    pub ns_q1: f64,
    pub ns_q3: f64,
    pub ratio: f64,
    pub ratio_q1: f64,
    pub ratio_q3: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Size {
    pub architecture: String,
    pub program: String,
    pub text: u64,
    pub file: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Build {
    pub krate: String,
    pub dependencies: u64,
    pub seconds: f64,
}

/// How many instructions more than the limit an operation of rsyscall may have, and why.
#[derive(Debug, Clone, Deserialize)]
pub struct Allowance {
    pub operation: String,
    pub instructions: u64,
    pub reason: String,
}

/// Why a peer has fewer.
#[derive(Debug, Clone, Deserialize)]
pub struct Lost {
    pub table: String,
    pub row: String,
    pub peer: String,
    pub reason: String,
}

/// The limit and this crate, in the tables of operations.
pub const LIMIT: &str = "asm by hand";
pub const OURS: &str = "rsyscall";
/// Not a peer, as it does not check, but shown.
pub const UNCHECKED: &str = "asm unchecked";

/// Lines that begin with `#` are comments.
pub fn read<R: DeserializeOwned>(name: &str) -> Result<Vec<R>> {
    let path = file(name);
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_path(&path)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(reader.deserialize().collect::<std::result::Result<_, _>>()?)
}

/// In the order of their first appearance.
pub fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}
