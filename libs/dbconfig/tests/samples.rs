//! The samples in etc/ are the manual of the keys: complete, true, and good configurations.

use std::fs;
use std::path::{Path, PathBuf};

use dbconfig::keys::{self, Section, Support};
use dbconfig::{ClientConfig, Config, ReplicationConfig, Role};

const SERVER_SAMPLES: [(&str, Role); 3] = [
    ("master.cfg", Role::Master),
    ("slave.cfg", Role::Slave),
    ("standalone.cfg", Role::Standalone),
];

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../etc")
        .join(name)
}

/// One `# Key = default` line of a sample.
struct Explained {
    section: Section,
    key: String,
    default: String,
    explanation: String,
}

fn explained(name: &str, sections: &[Section]) -> Vec<Explained> {
    let text = fs::read_to_string(sample(name)).expect("a sample");
    let mut section = None;
    let mut explanation = String::new();
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix('[') {
            section = keys::find_section(sections, head.trim_end_matches(']'));
            assert!(section.is_some(), "{name}: {line}");
        } else if let Some(comment) = line.strip_prefix("# ") {
            // An explanation has a blank in it; a key has none.
            let entry = comment
                .split_once('=')
                .filter(|(key, _)| !key.trim_end().contains(' '));
            match (entry, section) {
                (Some((key, default)), Some(section)) => found.push(Explained {
                    section,
                    key: key.trim().to_owned(),
                    default: default.trim().to_owned(),
                    explanation: std::mem::take(&mut explanation),
                }),
                _ => explanation.push_str(comment),
            }
        } else {
            explanation.clear();
        }
    }
    found
}

fn hold_against_table(name: &str, sections: &[Section]) {
    let explained = explained(name, sections);
    for section in sections {
        for key in keys::of_section(*section) {
            let same = |line: &&Explained| line.section == *section && line.key == key.name;
            let lines: Vec<_> = explained.iter().filter(same).collect();
            assert_eq!(
                lines.len(),
                1,
                "{name} must explain [{section}] {} once",
                key.name
            );
            assert_eq!(
                lines[0].default, key.default,
                "{name}: default of {}",
                key.name
            );
            let text = &lines[0].explanation;
            assert!(text.len() > 10, "{name}: {} needs an explanation", key.name);
            let later = key.support == Support::NotYet && key.name != "FwRecovery";
            let says_so = text.contains("Not supported yet");
            assert_eq!(says_so, later, "{name}: {}", key.name);
        }
    }
    for line in &explained {
        let known = keys::find(line.section, &line.key).is_some_and(|key| key.name == line.key);
        assert!(
            known,
            "{name} explains [{}] {}, which is no key",
            line.section, line.key
        );
    }
}

#[test]
fn each_sample_explains_every_key_with_its_true_default() {
    for (name, _) in SERVER_SAMPLES {
        hold_against_table(name, &Section::SERVER_FILE);
    }
    hold_against_table("dbrepl.cfg", &Section::REPLICATION_FILE);
    hold_against_table("client.cfg", &Section::CLIENT_FILE);
}

#[test]
fn each_sample_is_a_configuration_without_warnings() {
    for (name, role) in SERVER_SAMPLES {
        let config = Config::load(sample(name)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.replication.role, role, "{name}");
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        let logs = config.forward_log.location.is_some();
        assert_eq!(logs, role != Role::Standalone, "{name}");
    }
    let replication = ReplicationConfig::load(sample("dbrepl.cfg")).expect("a good sample");
    assert!(replication.password.is_none() && replication.password_file.is_some());
    let path = sample("client.cfg");
    let text = fs::read_to_string(&path).expect("a sample");
    let client = ClientConfig::parse(&path, &text).expect("a good sample");
    assert!(client.password.is_none() && client.host.is_some());
}

#[test]
fn every_explained_default_is_a_good_value() {
    for (name, _) in SERVER_SAMPLES {
        let text = fs::read_to_string(sample(name)).expect("a sample");
        let mut document = dbconfig::Document::parse(&text).expect("a document");
        for line in explained(name, &Section::SERVER_FILE) {
            let key = keys::find(line.section, &line.key).expect("a key");
            if document.get(line.section.name(), &line.key).is_none() {
                document.set_key(key, &line.default).expect("a value");
            }
        }
        let config = Config::parse(Path::new("/x.cfg"), &document.to_string());
        assert!(config.is_ok(), "{name}: {config:?}");
    }
}
