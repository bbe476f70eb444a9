//! Rules of the code that no lint covers. Each says what to do instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dbtests::data::manifest;
use dbtests::process::run;
use serde_json::Value;

/// Longest file. One noun a file: a longer one has a noun too many.
const MAX_LINES: usize = 500;

/// Files that are longer, and how long they may be. The list may only shrink.
const LONG_FILES: &[(&str, usize)] = &[];

/// Which crates of ours a crate may use.
#[rustfmt::skip]
const MAY_USE: &[(&str, &[&str])] = &[
    ("disk", &[]),
    ("fwlog", &["disk", "pgtypes"]),
    ("group", &["fwlog"]),
    ("pagestore", &["disk"]),
    ("pagehash", &[]),
    ("sqlitepage", &[]),
    ("sqlitevfs", &["disk", "pagestore", "sqlitepage"]),
    ("dbproto", &["fwlog", "pagehash", "pgtypes"]),
    ("repository", &["disk", "fwlog", "pagehash"]),
    ("objects", &["repository", "tls"]),
    ("dbconfig", &[]),
    ("pgtypes", &[]),
    ("rowdiff", &["sqlitepage"]),
    ("lost", &["dialect", "disk", "fwlog", "pgtypes", "rowdiff"]),
    ("signals", &[]),
    ("tls", &[]),
    ("peers", &["tls"]),
    ("link", &["dbproto", "tls"]),
    ("acl", &[]),
    ("functions", &["pgtypes"]),
    ("dialect", &["acl", "functions", "pgtypes"]),
    ("dbserver", &[
        "acl", "disk", "fwlog", "pagehash", "pagestore", "sqlitepage", "sqlitevfs", "dbproto",
        "dbconfig", "dialect", "functions", "lost", "peers", "pgtypes", "repository", "rowdiff",
        "signals", "tls",
    ]),
    ("dbrepl", &[
        "disk", "fwlog", "dbproto", "dbconfig", "link", "objects", "pgtypes", "repository", "signals",
        "tls",
    ]),
    ("dbctl", &[
        "disk", "fwlog", "dbproto", "dbconfig", "link", "lost", "objects", "pagehash", "peers",
        "pgtypes", "repository", "rowdiff", "tls",
    ]),
    ("dbtests", &["disk", "fwlog"]),
    ("bench", &[]),
    ("s3test", &[]),
    ("simulation", &[
        "disk", "fwlog", "lost", "pagehash", "pagestore", "sqlitevfs", "dbproto", "dbconfig",
        "dbserver", "dbrepl",
    ]),
];

/// The folders of dbserver, from low to high: each uses only what stands in a row before its own.
const LAYERS: &[&[&str]] = &[
    &["error"],
    &["failure", "peer"],
    &["process"],
    &["asking"],
    &["databases"],
    &["incoming"],
    &["wire"],
    &["clients"],
    &["commit", "apply"],
    &["slave", "sources"],
    &["environment"],
    &["feed", "base"],
    &["system"],
    &["control_plane"],
    &["session"],
    &["pg", "web"],
    &["server"],
    &["main"],
];

/// Which crates alone may use a crate of others, and why.
const ONLY: &[(&str, &[&str], &str)] = &[
    (
        "rusqlite",
        &["dbserver", "sqlitevfs"],
        "only the server owns an engine",
    ),
    (
        "pgwire",
        &["dbserver"],
        "only the server speaks the client protocol",
    ),
    (
        "hyper",
        &["dbserver", "s3test"],
        "only the server has a status page",
    ),
    (
        "object_store",
        &["objects"],
        "one place knows how buckets are asked",
    ),
    ("s3s", &["s3test"], "for tests alone"),
    (
        "signal-hook",
        &["signals"],
        "one listener to signals that knows who has sent them",
    ),
    (
        "configparser",
        &["dbconfig"],
        "one parser of the configuration",
    ),
    (
        "rustls",
        &["tls"],
        "what is trusted and what is spoken is decided in one place",
    ),
    ("inotify", &["dbrepl"], "only the tailer waits on files"),
    (
        "squawk-parser",
        &["dialect"],
        "only the grammar's lowering knows the parser's tree",
    ),
    (
        "squawk-syntax",
        &["dialect"],
        "only the grammar's lowering knows the parser's tree",
    ),
    (
        "stacker",
        &["dialect"],
        "only trees of statements nest as deep as a client wants",
    ),
    ("jiff", &["pgtypes"], "one library of values"),
    (
        "num-bigint",
        &["functions", "pgtypes"],
        "one library of values, and one of what is computed with them",
    ),
    (
        "tokio",
        &[
            "dbserver", "dbrepl", "dbctl", "dbtests", "tls", "peers", "link", "objects", "s3test",
        ],
        "libraries do no I/O of their own; TLS, start-ups, buckets, and what is asked of peers, are around that of others",
    ),
    (
        "clap",
        &["dbserver", "dbrepl", "dbctl"],
        "only programs have a command line",
    ),
];

/// A dependency as a manifest has it.
struct Dependency {
    name: String,
    /// Not only for tests.
    shipped: bool,
}

fn root() -> PathBuf {
    manifest("..").canonicalize().expect("the repository")
}

/// Paths of all files of the repository, relative to its root.
fn tracked() -> Vec<String> {
    let mut git = Command::new("git");
    // The checkout may belong to another user than the one who runs the tests.
    git.args(["-c", "safe.directory=*", "-C"])
        .arg(root())
        .args(["ls-files", "-z"]);
    let list = run(&mut git, b"").ok();
    let files: Vec<String> = list
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    assert!(files.len() > 50, "{} files in git", files.len());
    files
}

/// Path and text of the tracked files that are text and still there.
fn texts() -> impl Iterator<Item = (String, String)> {
    tracked().into_iter().filter_map(|path| {
        let text = fs::read_to_string(root().join(&path)).ok()?;
        Some((path, text))
    })
}

fn is_rust(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "rs")
}

/// What each package of the workspace depends on.
fn packages() -> BTreeMap<String, Vec<Dependency>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(root().join("Cargo.toml"));
    let metadata: Value = serde_json::from_str(&run(&mut command, b"").ok()).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(&metadata["packages"])
        .iter()
        .map(|package| {
            let dependencies = list(&package["dependencies"])
                .iter()
                .map(|dependency| Dependency {
                    name: text(&dependency["name"]),
                    shipped: dependency["kind"] != "dev",
                })
                .collect();
            (text(&package["name"]), dependencies)
        })
        .collect()
}

#[test]
fn no_file_is_too_long() {
    let mut long = Vec::new();
    for (path, text) in texts().filter(|(path, _)| is_rust(path)) {
        let lines = text.lines().count();
        let allowed = LONG_FILES.iter().find(|(file, _)| *file == path);
        match allowed {
            None if lines > MAX_LINES => long.push(format!("{path}: {lines} lines")),
            Some((_, limit)) if lines > *limit => {
                long.push(format!("{path}: {lines} lines, it had {limit}"));
            }
            Some(_) if lines <= MAX_LINES => {
                long.push(format!("{path} is short now: take it off the list"));
            }
            _ => {}
        }
    }
    assert!(
        long.is_empty(),
        "find the missing noun, and give it a file:\n{}",
        long.join("\n")
    );
}

#[test]
fn crates_use_what_they_may_use() {
    let packages = packages();
    let known: Vec<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    for name in packages.keys() {
        assert!(
            known.contains(&name.as_str()),
            "new crate {name}: add it to MAY_USE"
        );
    }
    for (name, may_use) in MAY_USE {
        let dependencies = packages.get(*name);
        assert!(
            dependencies.is_some(),
            "crate {name} is gone: take it off the list"
        );
        for dependency in dependencies.into_iter().flatten().filter(|d| d.shipped) {
            let used = dependency.name.as_str();
            assert!(
                !known.contains(&used) || may_use.contains(&used),
                "{name} uses {used}"
            );
        }
    }
}

/// Folder, or file at the top, of a path of dbserver.
fn folder(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("dbserver/src/")?;
    let first = inside.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

/// The folders of dbserver that a file names in its code; tests may name any.
fn used_folders(text: &str) -> Vec<&str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next();
    let mut used = Vec::new();
    for line in code.unwrap_or_default().lines() {
        let line = line.split("//").next().unwrap_or_default();
        for start in ["crate::", "dbserver::"] {
            for (at, _) in line.match_indices(start) {
                let rest = &line[at + start.len()..];
                let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_');
                used.push(&rest[..end.unwrap_or(rest.len())]);
            }
        }
    }
    used
}

#[test]
fn folders_of_dbserver_use_what_stands_below_them() {
    let row = |folder: &str| LAYERS.iter().position(|row| row.contains(&folder));
    let mut seen = 0;
    let mut upwards = Vec::new();
    for (path, text) in texts().filter(|(path, _)| is_rust(path)) {
        let is_test = ["/tests/", "/tests.rs", "/testing.rs"]
            .iter()
            .any(|place| path.contains(place));
        let Some(folder) = folder(&path).filter(|folder| *folder != "lib" && !is_test) else {
            continue;
        };
        let own = row(folder);
        assert!(own.is_some(), "{path}: add {folder} to LAYERS");
        for used in used_folders(&text)
            .into_iter()
            .filter(|used| *used != folder)
        {
            seen += 1;
            let below = row(used);
            assert!(below.is_some(), "{path} names {used}: add it to LAYERS");
            if below >= own {
                upwards.push(format!("{path} uses {used}"));
            }
        }
    }
    assert!(seen > 100, "{seen} imports found");
    assert!(
        upwards.is_empty(),
        "hand it what it needs, or move what both need below them:\n{}",
        upwards.join("\n")
    );
}

#[test]
fn crates_of_others_stay_where_they_belong() {
    for (name, dependencies) in packages() {
        for dependency in dependencies.iter().filter(|d| d.shipped) {
            let rule = ONLY
                .iter()
                .find(|(outside, _, _)| *outside == dependency.name);
            if let Some((outside, users, why)) = rule {
                assert!(
                    users.contains(&name.as_str()),
                    "{name} uses {outside}: {why}"
                );
            }
        }
    }
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    for (path, text) in texts().filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        if path.starts_with("fuzz/") {
            continue;
        }
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{path}: add [lints] workspace = true"
        );
        // Versions stand once, in the workspace.
        let own_version = text.lines().find(|line| line.contains("version = \""));
        assert_eq!(
            own_version, None,
            "{path}: versions belong to the root's Cargo.toml"
        );
    }
}

#[test]
fn unsafe_code_is_in_one_crate() {
    let marks = [
        "unsafe {",
        "unsafe fn",
        "unsafe impl",
        "unsafe trait",
        "unsafe extern",
    ];
    for (path, text) in texts().filter(|(path, _)| is_rust(path)) {
        if path.starts_with("libs/sqlitevfs/") || path == "tests/tidy.rs" {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let found = marks.iter().any(|mark| code.contains(mark));
            assert!(
                !found,
                "{path}:{}: unsafe code belongs to libs/sqlitevfs",
                number + 1
            );
        }
    }
}

#[test]
fn nothing_knows_the_machine_that_it_was_written_on() {
    // Put together here, so that this file passes.
    let paths = [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["/Us", "ers/"],
    ]
    .map(|p| p.concat());
    for (path, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            let found = paths.iter().find(|place| line.contains(place.as_str()));
            assert_eq!(found, None, "{path}:{}: {line}", number + 1);
        }
    }
}

#[test]
fn no_file_names_a_package_host() {
    let hosts = [
        ["crates", ".io"],
        ["py", "pi.org"],
        ["npm", "js.org"],
        ["debian", ".org/debian"],
    ]
    .map(|parts| parts.concat());
    // Cargo writes the name of its registry into the lock file.
    for (path, text) in texts().filter(|(path, _)| !path.ends_with("Cargo.lock")) {
        for (number, line) in text.lines().enumerate() {
            let found = hosts.iter().find(|host| line.contains(host.as_str()));
            assert_eq!(
                found,
                None,
                "{path}:{}: mirrors are the machine's affair: {line}",
                number + 1
            );
        }
    }
}

#[test]
fn no_binary_and_no_large_file_is_in_the_repository() {
    for path in tracked() {
        let Ok(bytes) = fs::read(root().join(&path)) else {
            continue;
        };
        assert!(bytes.len() < 1 << 20, "{path} has {} bytes", bytes.len());
        assert!(!bytes.starts_with(b"\x7fELF"), "{path} is a program");
    }
}

/// A page that says which test shows something must not outlive the test.
#[test]
fn the_tests_that_a_page_names_are_there() {
    let code: Vec<String> = texts()
        .filter(|(path, _)| is_rust(path))
        .map(|(_, text)| text)
        .collect();
    for (page, at_least) in [
        ("docs/eloquence.md", 50),
        ("docs/scenarios.md", 40),
        ("docs/security.md", 20),
    ] {
        let text = fs::read_to_string(root().join(page)).expect("the page");
        let names = text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| name.matches('_').count() > 2);
        let mut named = 0;
        for name in names {
            let definition = format!("fn {name}(");
            assert!(
                code.iter().any(|text| text.contains(&definition)),
                "{page} names a test that is not there: {name}"
            );
            named += 1;
        }
        assert!(named >= at_least, "{page}: {named} names");
    }
}

/// The list of inputs from outside has every fuzz target, and none that is not there.
#[test]
fn the_list_of_inputs_has_all_fuzz_targets() {
    let page = fs::read_to_string(root().join("docs/security.md")).expect("the page");
    let named: BTreeSet<&str> = page
        .split('`')
        .filter(|name| name.starts_with("fuzz/fuzz_targets/"))
        .collect();
    let all = tracked();
    let there = all
        .iter()
        .map(String::as_str)
        .filter(|path| path.starts_with("fuzz/fuzz_targets/"));
    assert_eq!(named, there.collect());
}
