//! Two servers that are asked the same.

use std::collections::BTreeMap;

use crate::answer::Answer;
use crate::queries::Statement;
use crate::schema;
use crate::wire::Wire;

/// How many smaller forms of a statement are tried.
const TRIALS: usize = 400;

/// Ours and PostgreSQL's.
pub(crate) struct Pair {
    pub(crate) ours: Wire,
    pub(crate) theirs: Wire,
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same,
    /// We say that this is not to be had.
    Refused(String),
    /// One of them did not come to an end.
    Exhausted,
    /// PostgreSQL fails by a constant that it computes before it knows whether it is wanted.
    Folded,
    /// Both fail, or one does, by values that are computed in another order or not at all.
    Order(String, String),
    Different(String, String),
}

/// Makes the tables.
pub(crate) fn prepare(wire: &mut Wire) {
    for sql in schema::script() {
        let answer = wire.ask(&sql);
        assert!(answer.fault.is_none(), "{sql}: {:?}", answer.fault);
    }
}

/// What a server answers to a statement, which leaves nothing behind.
pub(crate) fn ask(wire: &mut Wire, statement: &Statement, text: &str) -> Answer {
    let Some(table) = statement.changes else {
        return if statement.binary {
            wire.ask_binary(text)
        } else {
            wire.ask(text)
        };
    };
    wire.ask("BEGIN");
    let mut answer = wire.ask(text);
    if answer.fault.is_none() {
        let after = wire.ask(&format!("SELECT * FROM {table}"));
        answer.results.extend(after.results);
        answer.fault = after.fault;
    }
    wire.ask("ROLLBACK");
    answer
}

impl Pair {
    pub(crate) fn compare(&mut self, statement: &Statement) -> Verdict {
        let text = statement.node.text();
        let ours = ask(&mut self.ours, statement, &text);
        let theirs = ask(&mut self.theirs, statement, &text);
        let verdict = verdict(&ours, &theirs, statement.ordered);
        if matches!(verdict, Verdict::Different(..)) && ours.fault.is_none() && theirs.is_of_values() && text.contains(" FROM ")
            || matches!(verdict, Verdict::Different(..)) && statement.changes.is_some()
        {
            let plan = self.theirs.ask(&format!("EXPLAIN {text}"));
            if plan.fault.is_some() && plan.fault == theirs.fault && plan.is_of_values() {
                return Verdict::Folded;
            }
        }
        verdict
    }

    /// The smallest form found of a statement that is answered in two ways.
    pub(crate) fn minimised(&mut self, statement: &Statement) -> (Statement, Verdict) {
        let mut smallest = statement.clone();
        let mut verdict = self.compare(statement);
        let mut trials = 0;
        'smaller: loop {
            for node in smallest.node.smaller() {
                trials += 1;
                if trials > TRIALS {
                    break 'smaller;
                }
                let trial = Statement {
                    node,
                    ..smallest.clone()
                };
                let found = self.compare(&trial);
                if std::mem::discriminant(&found) == std::mem::discriminant(&verdict) {
                    (smallest, verdict) = (trial, found);
                    continue 'smaller;
                }
            }
            break;
        }
        (smallest, verdict)
    }
}

pub(crate) fn verdict(ours: &Answer, theirs: &Answer, ordered: bool) -> Verdict {
    if let Some(message) = ours.refusal() {
        return Verdict::Refused(message.to_owned());
    }
    if ours.is_exhausted() || theirs.is_exhausted() {
        return Verdict::Exhausted;
    }
    let (left, right) = (ours.line(ordered), theirs.line(ordered));
    if left == right {
        return Verdict::Same;
    }
    if ours.is_of_values() && theirs.is_of_values() {
        return Verdict::Order(left, right);
    }
    Verdict::Different(left, right)
}

/// How often each feature was refused: names without their types.
pub(crate) fn count(refusals: &mut BTreeMap<String, u64>, message: &str) {
    let feature = message.split('(').next().unwrap_or(message).trim().to_owned();
    *refusals.entry(feature).or_default() += 1;
}
