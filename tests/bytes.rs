//! Every input that the fuzz targets began with, and every one that they found something with, goes
//! through the same checks: `fuzz/src` has them.

#[path = "../fuzz/src/lib.rs"]
#[expect(
    clippy::panic,
    clippy::let_underscore_must_use,
    unreachable_pub,
    reason = "they are for a fuzzer: a panic is a finding"
)]
mod checks;

use std::fs;
use std::path::{Path, PathBuf};

use dbtests::data::manifest;
use dbtests::files;

/// All files of a folder of inputs, in order.
fn inputs(folder: &Path) -> Vec<PathBuf> {
    files::list(folder, "")
}

#[test]
fn every_known_input_passes_the_check_of_its_target() {
    let mut count = 0;
    for (name, check) in checks::CHECKS {
        for kind in ["corpus", "crashes"] {
            let folder = manifest("../fuzz").join(kind).join(name);
            for file in inputs(&folder) {
                let bytes = fs::read(&file).expect("it is good");
                let passed = std::panic::catch_unwind(|| check(&bytes)).is_ok();
                assert!(passed, "{}", file.display());
                count += 1;
            }
        }
    }
    assert!(count >= 100, "{count} inputs");
}

#[test]
fn every_target_has_a_check_and_inputs() {
    let targets = inputs(&manifest("../fuzz/fuzz_targets"));
    let names: Vec<_> = targets
        .iter()
        .map(|target| target.file_stem().expect("it is good").to_str().unwrap())
        .collect();
    let checks: Vec<_> = checks::CHECKS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, checks);
    for name in checks {
        let folder = manifest("../fuzz/corpus").join(name);
        assert!(!inputs(&folder).is_empty(), "no inputs for {name}");
    }
}

#[test]
fn the_corpora_are_small() {
    let mut bytes = 0;
    for (name, _) in checks::CHECKS {
        for kind in ["corpus", "crashes"] {
            let folder = manifest("../fuzz").join(kind).join(name);
            let sizes = inputs(&folder).into_iter();
            bytes += sizes
                .map(|file| file.metadata().expect("it is good").len())
                .sum::<u64>();
        }
    }
    assert!(bytes < 400 << 10, "{bytes} bytes");
}
