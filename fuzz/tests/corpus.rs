//! Runs the committed corpus, and every prefix of its files, through every target.

use rsyscall_fuzz::TARGETS;
use std::fs;
use std::path::Path;

#[test]
fn no_file_of_the_corpus_and_no_prefix_of_one_fails_its_target() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut files = 0;
        for file in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let data = fs::read(file.expect("a file").path()).expect("its contents");
            (0..=data.len()).for_each(|end| target(&data[..end]));
            files += 1;
        }
        assert!(files > 0, "{name} has no corpus");
    }
}
