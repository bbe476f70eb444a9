//! `MessageFile`: one line for each change of state of replication, in a sentence, with instance, generation and position.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crate::environment::Environment;
use crate::environment::replication_facts::{Fact, facts};

/// How often it is looked what has changed.
const LOOK: Duration = Duration::from_secs(1);

/// What was told, by what it is about.
type Told = BTreeMap<String, Fact>;

/// Has a thread write the file as long as the environment lives, if the configuration names one.
pub(super) fn begin(environment: &Arc<Environment>) {
    let Some(path) = environment.config().replication.message_file.clone() else {
        return;
    };
    let weak = Arc::downgrade(environment);
    let thread = thread::Builder::new().name("messages".into());
    if let Err(error) = thread.spawn(move || write_on(&weak, &path)) {
        tracing::error!(%error, "cannot start a thread that writes MessageFile");
    }
}

fn write_on(weak: &Weak<Environment>, path: &Path) {
    let mut told = Told::new();
    let mut failed = false;
    while let Some(environment) = weak.upgrade() {
        if environment.is_stopping() {
            return;
        }
        let now: Told = facts(&environment)
            .into_iter()
            .map(|fact| (fact.about.clone(), fact))
            .collect();
        let lines = changes(&told, &now);
        if !lines.is_empty() {
            match append(&environment, path, &lines) {
                Ok(()) => (told, failed) = (now, false),
                // It is told the next time.
                Err(error) if !failed => {
                    failed = true;
                    tracing::warn!(%error, "MessageFile {} cannot be written", path.display());
                }
                Err(_) => {}
            }
        }
        drop(environment);
        thread::park_timeout(LOOK);
    }
}

/// What is to be said where `told` was said and `now` is so.
fn changes(told: &Told, now: &Told) -> Vec<String> {
    let is_news = |fact: &&Fact| {
        told.get(&fact.about)
            .is_none_or(|old| old.state != fact.state)
    };
    let new = now.values().filter(is_news).map(|it| it.sentence.clone());
    let over = told.values().filter(|old| !now.contains_key(&old.about));
    let over = over.filter_map(|old| old.is_over.clone());
    new.chain(over).collect()
}

/// The file is opened for each line: whoever moves it away gets a new one.
fn append(environment: &Environment, path: &Path, lines: &[String]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)?;
    let time = environment.core().host().clock.now().to_string();
    let time = time.replace(' ', "T");
    let instance = &environment.config().server.instance;
    let place = match environment.durable_position() {
        Some(at) => format!("generation {}, {at}", at.segment.generation),
        None => "no log yet".to_owned(),
    };
    let lines = lines.iter();
    let text: Vec<String> = lines
        .map(|line| format!("{time} {instance}: {line} ({place})\n"))
        .collect();
    file.write_all(text.concat().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(about: &str, state: &str) -> Fact {
        Fact {
            about: about.to_owned(),
            state: state.to_owned(),
            sentence: format!("{about} is {state}"),
            is_over: Some(format!("{about} is over")),
        }
    }

    fn told(facts: &[(&str, &str)]) -> Told {
        let facts = facts.iter().map(|(about, state)| fact(about, state));
        facts.map(|fact| (fact.about.clone(), fact)).collect()
    }

    #[test]
    fn what_is_new_and_what_is_over_is_told_and_nothing_else() {
        let before = told(&[("role", "root"), ("slave east", "following")]);
        assert_eq!(changes(&Told::new(), &before).len(), 2);
        assert!(changes(&before, &before).is_empty());
        let now = told(&[("role", "slave"), ("pause", "yes")]);
        assert_eq!(
            changes(&before, &now),
            ["pause is yes", "role is slave", "slave east is over"]
        );
    }
}
