//! The suite in the fake kernel: as the newest Linux, and as versions before a change.
//!
//! It prints a line for each case, as the suite does everywhere, and fails if a case failed, or if a case was skipped
//! for a reason that does not apply to a fake.

use rsyscall_suite::fake;
use std::process::ExitCode;

fn main() -> ExitCode {
    // For programs that count tests before they run them; this is one.
    if std::env::args().any(|argument| argument == "--list") {
        println!("conformance_fake: test");
        return ExitCode::SUCCESS;
    }
    let environments = [("fake", (6, 18)), ("fake-6.8", (6, 8)), ("fake-5.19", (5, 19)), ("fake-5.7", (5, 7))];
    let failed: u32 =
        environments.iter().map(|(name, version)| fake(name, *version, &mut |line| println!("{line}"))).sum();
    println!("conformance_fake: {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
