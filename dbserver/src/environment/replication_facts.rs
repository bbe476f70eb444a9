//! How replication stands, as sentences: what is told where it changes.

use dbproto::Standing;

use crate::databases::Role;
use crate::databases::handover::Handover;
use crate::environment::replication_status::ReplicationStatus;
use crate::environment::side::Side;
use crate::environment::state::Environment;

/// One thing that is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    /// What it is about: of one thing one fact holds.
    pub(crate) about: String,
    /// Where this is another one, there is something to tell.
    pub(crate) state: String,
    /// How it is told.
    pub(crate) sentence: String,
    /// How it is told that it is so no more, if that is worth a word.
    pub(crate) is_over: Option<String>,
}

impl Fact {
    fn new(about: &str, state: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            about: about.to_owned(),
            state: state.into(),
            sentence: sentence.into(),
            is_over: None,
        }
    }

    fn ends_with(self, is_over: impl Into<String>) -> Self {
        Self {
            is_over: Some(is_over.into()),
            ..self
        }
    }
}

/// All that is so now. What can't be told is left out until it can.
pub(crate) fn facts(environment: &Environment) -> Vec<Fact> {
    let mut facts = Vec::new();
    facts.extend(role(environment));
    facts.extend(doubt(environment));
    if let Some(why) = environment.fenced_in_words() {
        let fact = Fact::new("fence", why.clone(), why);
        facts.push(fact.ends_with("it follows the root that has left it behind"));
    }
    if let Some(why) = environment.two_roots_in_words() {
        let fact = Fact::new("two roots", why.clone(), why);
        facts.push(fact.ends_with("there is one root again"));
    }
    if let Some(why) = environment.paused_in_words() {
        let told = why.clone();
        let fact = Fact::new("start guard", why, told);
        facts.push(fact.ends_with("its peers were heard"));
    }
    if environment.write_gate().operator.is_some() {
        let fact = Fact::new(
            "read only",
            "",
            "whoever wants to write waits: an operator wants it",
        );
        facts.push(fact.ends_with("whoever wants to write is let in again"));
    }
    let known = ReplicationStatus::all(environment).unwrap_or_default();
    facts.extend(known.iter().map(|it| standing(environment, it)));
    facts
}

fn role(environment: &Environment) -> Option<Fact> {
    let generation = environment.durable_position()?.segment.generation;
    let (state, sentence) = match (environment.side(), environment.role()) {
        (Side::None, _) => return None,
        (Side::Slave(_), _) if environment.paused().is_some() => (
            "paused".to_owned(),
            "it is the root, and does not write yet".to_owned(),
        ),
        (Side::Slave(_), _) => ("slave".to_owned(), "it is a slave".to_owned()),
        (Side::Master(_), Role::Standalone) => (
            "standalone".to_owned(),
            "it is a standalone server".to_owned(),
        ),
        (Side::Master(_), Role::Master | Role::Slave) => (
            format!("root {generation}"),
            format!("it is the root, and writes generation {generation} of the log"),
        ),
    };
    Some(Fact::new("role", state, sentence))
}

fn doubt(environment: &Environment) -> Option<Fact> {
    match environment.handover() {
        Some(Handover::Given { to, end, .. }) => Some(Fact::new(
            "handover",
            format!("given {to} {}", end.point.position),
            format!(
                "it gave the role of the root to {to} at {}, and has not heard what became of that",
                end.point.position
            ),
        )),
        Some(Handover::Handed { to, end, .. }) => Some(Fact::new(
            "handover",
            format!("handed {to} {}", end.point.position),
            format!("{to} has the role of the root since {}", end.point.position),
        )),
        Some(
            Handover::Taking { .. }
            | Handover::Taken { .. }
            | Handover::Paused { .. }
            | Handover::Refused { .. },
        )
        | None => None,
    }
}

fn standing(environment: &Environment, status: &ReplicationStatus) -> Fact {
    let standing = status.state.0;
    let own = environment.slave().is_some();
    let who = if own {
        let source = status.source.as_deref().unwrap_or("its source");
        format!("as a slave of {source} it")
    } else {
        format!("slave {}", status.slave)
    };
    let at = status.durable.as_ref();
    let at = at.map_or_else(String::new, |at| {
        format!(", on its disk up to {}", at.position)
    });
    let why = status
        .reason
        .as_ref()
        .filter(|_| standing != Standing::Following);
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let about = format!("replication {}", status.slave);
    Fact::new(
        &about,
        standing.as_str(),
        format!("{who} is {standing}{at}{why}"),
    )
}
