//! Databases that are made, renamed and dropped while servers are disturbed, and what must be there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dbtests::waiting::pause;
use dbtests::{Client, PASSWORD, Server, compare};
use disk::testing::Random;

use crate::client::Job;
use crate::history::{History, Id, Outcome};

/// So many are left to the next round.
const KEPT: usize = 4;
/// All that clients have made are called so, with a number.
const PREFIX: &str = "made_";

/// A change of the list of databases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// CREATE DATABASE.
    Make(String),
    /// A table with this id, which goes where the database goes.
    Mark(String, Id),
    /// ALTER DATABASE RENAME: from, to.
    Rename(String, String),
    /// DROP DATABASE.
    Drop(String),
}

/// A change that was asked for, and how it ended.
pub(crate) type Step = (Change, Outcome);

/// Makes, renames and drops databases until it is told to stop, one after another.
pub(crate) fn maker(job: &Job) -> History {
    let mut random = Random::new(job.seed);
    let mut history = History::default();
    let mut there: Vec<String> = Vec::new();
    while !job.is_over() {
        let change = next(job, &mut there, &mut random);
        let outcome = ask(job, &change);
        match &change {
            Change::Make(name) if outcome == Outcome::Committed => there.push(name.clone()),
            Change::Rename(from, to) => match outcome {
                Outcome::Committed => there.push(to.clone()),
                Outcome::Failed => there.push(from.clone()),
                Outcome::Unknown => {}
            },
            Change::Drop(name) if outcome == Outcome::Failed => there.push(name.clone()),
            Change::Make(_) | Change::Mark(..) | Change::Drop(_) => {}
        }
        if outcome != Outcome::Committed {
            pause(Duration::from_millis(5));
        }
        history.databases.push((change, outcome));
    }
    history
}

/// What is asked for next; what it takes away is no longer in `there`.
fn next(job: &Job, there: &mut Vec<String>, random: &mut Random) -> Change {
    let id = job.shared.next_id();
    let name = format!("{PREFIX}{id}");
    if there.is_empty() || (there.len() < 3 && random.coin()) {
        return Change::Make(name);
    }
    let any = usize::try_from(random.below(there.len() as u64)).expect("small");
    match random.below(3) {
        0 => Change::Mark(there[any].clone(), id),
        1 => Change::Rename(there.swap_remove(any), name),
        _ => Change::Drop(there.swap_remove(any)),
    }
}

fn ask(job: &Job, change: &Change) -> Outcome {
    let (database, sql) = match change {
        Change::Make(name) => ("system", format!("CREATE DATABASE {name}")),
        Change::Rename(from, to) => ("system", format!("ALTER DATABASE {from} RENAME TO {to}")),
        Change::Drop(name) => ("system", format!("DROP DATABASE {name}")),
        Change::Mark(name, id) => (
            name.as_str(),
            format!("DROP TABLE IF EXISTS mark; CREATE TABLE mark AS SELECT {id} AS id"),
        ),
    };
    let client = match Client::connect(job.address, database, PASSWORD) {
        Ok(client) => client,
        Err(error) => {
            job.shared.judge(&error);
            return Outcome::Failed;
        }
    };
    match client.try_rows(&sql) {
        Ok(_) => Outcome::Committed,
        Err(error) => job.shared.judge(&error),
    }
}

/// What must be there at the end of a round.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Databases {
    /// Must be there; the ids of which one is in its mark, 0 for none.
    there: BTreeMap<String, BTreeSet<Id>>,
    /// May be there.
    perhaps: BTreeSet<String>,
    /// One of the two is there.
    either: Vec<(String, String)>,
}

impl Databases {
    fn note(&mut self, (change, outcome): &Step) {
        if *outcome == Outcome::Failed {
            return;
        }
        let sure = *outcome == Outcome::Committed;
        match change {
            Change::Make(name) if sure => {
                self.there.insert(name.clone(), BTreeSet::from([0]));
            }
            Change::Make(name) => {
                self.perhaps.insert(name.clone());
            }
            Change::Mark(name, id) => {
                let marks = self.there.entry(name.clone()).or_default();
                if sure {
                    marks.clear();
                }
                marks.insert(*id);
            }
            Change::Rename(from, to) => {
                let marks = self.there.remove(from).unwrap_or_default();
                if sure {
                    self.there.insert(to.clone(), marks);
                } else {
                    self.either.push((from.clone(), to.clone()));
                }
            }
            Change::Drop(name) => {
                self.there.remove(name);
                if !sure {
                    self.perhaps.insert(name.clone());
                }
            }
        }
    }

    /// What is wrong with the list of a server.
    fn faults(&self, list: &BTreeSet<String>) -> Vec<String> {
        let mut faults = Vec::new();
        let mut allowed = self.perhaps.clone();
        for name in self.there.keys() {
            allowed.insert(name.clone());
            if !list.contains(name) {
                faults.push(format!("{name} is lost"));
            }
        }
        for (from, to) in &self.either {
            allowed.extend([from.clone(), to.clone()]);
            if list.contains(from) == list.contains(to) {
                faults.push(format!("not one of {from} and {to} is there"));
            }
        }
        let unknown = list.difference(&allowed);
        faults.extend(unknown.map(|name| format!("{name} is there")));
        faults
    }

    /// Looks at all servers after a round, which have the same commits; then drops what is too much.
    #[track_caller]
    pub(crate) fn check(&mut self, steps: &[Step], master: &Server, slaves: &[Server]) {
        for step in steps {
            self.note(step);
        }
        let list = made(master);
        let faults = self.faults(&list);
        assert!(faults.is_empty(), "{faults:?} on the master: {steps:#?}");
        for server in slaves {
            assert_eq!(made(server), list, "{}", server.folder().display());
        }
        for (name, marks) in &self.there {
            for server in std::iter::once(master).chain(slaves) {
                let mark = mark(server, name);
                let right = marks.contains(&mark);
                assert!(right, "{name} has {mark} instead of {marks:?}: {steps:#?}");
            }
        }
        // From here on all is known.
        let known = |name: &String| (name.clone(), BTreeSet::from([mark(master, name)]));
        self.there = list.iter().map(known).collect();
        self.perhaps.clear();
        self.either.clear();
        for name in list.into_iter().skip(KEPT) {
            master.sql("system", &format!("DROP DATABASE {name}"));
            self.there.remove(&name);
        }
    }
}

/// Databases that clients have made.
fn made(server: &Server) -> BTreeSet<String> {
    let mut names = compare::database_names(server);
    names.retain(|name| name.starts_with(PREFIX));
    names.into_iter().collect()
}

/// The id in the mark; 0 where there is none.
fn mark(server: &Server, database: &str) -> Id {
    let client = server.client(database);
    let marked = "SELECT count(*) FROM pg_tables WHERE tablename = 'mark'";
    if client.value(marked) == "0" {
        return 0;
    }
    let mark = client.value("SELECT id FROM mark");
    mark.parse().expect("an id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Committed, Failed, Unknown};

    fn name(name: &str) -> String {
        name.to_owned()
    }

    fn faults(steps: &[Step], list: &[&str]) -> usize {
        let mut databases = Databases::default();
        for step in steps {
            databases.note(step);
        }
        let list = list.iter().map(|&one| name(one)).collect();
        databases.faults(&list).len()
    }

    #[test]
    fn what_was_answered_is_there_and_what_was_refused_is_not() {
        let make = |outcome| (Change::Make(name("a")), outcome);
        assert_eq!(faults(&[make(Committed)], &["a"]), 0);
        assert_eq!(faults(&[make(Committed)], &[]), 1);
        assert_eq!(faults(&[make(Failed)], &["a"]), 1);
        assert_eq!(faults(&[make(Unknown)], &["a"]), 0);
        assert_eq!(faults(&[make(Unknown)], &[]), 0);
        let drop = |outcome| vec![make(Committed), (Change::Drop(name("a")), outcome)];
        assert_eq!(faults(&drop(Committed), &["a"]), 1);
        assert_eq!(faults(&drop(Failed), &[]), 1);
        assert_eq!(faults(&drop(Unknown), &["a"]), 0);
        assert_eq!(faults(&drop(Unknown), &[]), 0);
    }

    #[test]
    fn a_rename_that_may_have_happened_leaves_one_of_two_names() {
        let rename = |outcome| {
            let (from, to) = (name("a"), name("b"));
            let made = (Change::Make(name("a")), Committed);
            vec![made, (Change::Rename(from, to), outcome)]
        };
        assert_eq!(faults(&rename(Committed), &["b"]), 0);
        assert_eq!(faults(&rename(Committed), &["a"]), 2);
        assert_eq!(faults(&rename(Failed), &["a"]), 0);
        assert_eq!(faults(&rename(Unknown), &["a"]), 0);
        assert_eq!(faults(&rename(Unknown), &["b"]), 0);
        assert_eq!(faults(&rename(Unknown), &[]), 1);
        assert_eq!(faults(&rename(Unknown), &["a", "b"]), 1);
    }
}
