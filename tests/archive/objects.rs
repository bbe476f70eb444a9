//! Whatever is wrong with an object of the repository is found, and named.

use std::fs;
use std::path::PathBuf;

use dbtests::files;

use crate::support::Archived;

/// All files of the repository, with the names of their objects.
fn objects(archived: &Archived) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![archived.repository.clone()];
    while let Some(directory) = open.pop() {
        for path in files::list(&directory, "") {
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(&archived.repository).expect("below it");
            let name = name.to_string_lossy().into_owned();
            found.push((path, name));
        }
    }
    assert!(found.len() >= 8, "{found:?}");
    found
}

#[test]
fn each_object_that_is_flipped_or_deleted_is_named() {
    let mut archived = Archived::start();
    archived.grow(2);
    archived.master.stop();
    archived.archive(&["--part-size", "200k"]).ok();
    for (path, name) in objects(&archived) {
        let verify = |what: &str| {
            let run = archived.dbctl(&["verify"]);
            // Without its marker it is no repository.
            let code = if name == "eloqdb.repository" && what == "deleted" {
                3
            } else {
                1
            };
            assert_eq!(
                run.code,
                Some(code),
                "{name} {what}: {}{}",
                run.err,
                run.out
            );
            let told = run.err + &run.out;
            let named = told.contains(&name) || code == 3 && told.contains("no repository");
            assert!(named, "{name} {what}: {told}");
        };
        let good = files::read(&path);
        files::flip(&path, good.len() as u64 / 2);
        verify("flipped");
        fs::remove_file(&path).expect("a removed file");
        verify("deleted");
        files::write(&path, &good);
    }
    archived.dbctl(&["verify"]).ok();
}
