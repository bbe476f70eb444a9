//! Two servers that are asked the same.

use std::collections::BTreeMap;

use crate::answer::{Answer, Fault};
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
    /// Both fail, or one does, by values that are computed in another order or not at all.
    Order(String, String),
    Different(String, String),
}

/// Makes the tables.
pub(crate) fn prepare(wire: &mut Wire) {
    wire.ask("SET statement_timeout = '4s'");
    wire.ask("SET client_min_messages = error");
    for sql in schema::script() {
        let answer = wire.ask(&sql);
        assert!(answer.fault.is_none(), "{sql}: {:?}", answer.fault);
    }
    wire.ask("SET TimeZone = 'Europe/Berlin'");
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
        let Verdict::Different(left, right) = verdict else {
            return verdict;
        };
        let parts = statement.node.values();
        let explained = |wire: &mut Wire, fault: &Option<Fault>| {
            let fault = fault.as_ref().filter(|fault| fault.is_of_values());
            fault.is_some_and(|fault| is_of_a_part(wire, &text, &parts, fault))
        };
        // Where several rows fail, the first is another one.
        let alike = |one: &Option<Fault>, other: &Option<Fault>| match (one, other) {
            (Some(one), Some(other)) => {
                one.is_of_values()
                    && other.is_of_values()
                    && (statement.changes.is_some() || text.contains(" FROM "))
            }
            _ => false,
        };
        if alike(&ours.fault, &theirs.fault)
            || explained(&mut self.theirs, &ours.fault)
            || explained(&mut self.ours, &theirs.fault)
        {
            return Verdict::Order(left, right);
        }
        if (statement.changes.is_some() || text.contains(" FROM ")) && ours.fault.is_none() {
            // A constant is converted before it is known whether there is a row to put it in.
            let plan = self.theirs.ask(&format!("EXPLAIN {text}"));
            if plan.fault.is_some() && plan.fault == theirs.fault {
                return Verdict::Order(left, right);
            }
        }
        Verdict::Different(left, right)
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

/// Whether a part of a statement alone fails with this error: then only one of the servers had to compute it.
fn is_of_a_part(wire: &mut Wire, text: &str, parts: &[String], fault: &Fault) -> bool {
    parts.iter().any(|part| {
        let tables = sources(text, part);
        if tables.is_empty() {
            return wire.ask(&format!("SELECT {part}")).fault.as_ref() == Some(fault);
        }
        // One server may compute it for rows that a condition leaves out later.
        let all: Vec<String> = tables
            .iter()
            .map(|table| without_condition(table))
            .collect();
        // An outer join has rows of NULLs.
        let none = all.join(" ON false LEFT JOIN ");
        let none = format!("(SELECT) AS one LEFT JOIN {none} ON false");
        [tables.join(", "), all.join(", "), none]
            .iter()
            .any(|from| {
                let answer = wire.ask(&format!("SELECT {part} FROM {from}"));
                answer.fault.is_some_and(|found| found.is_of_values())
            })
    })
}

/// The tables whose columns a part of a statement names.
fn sources(text: &str, part: &str) -> Vec<String> {
    let is_named = |alias: &str| {
        part.split(|c: char| !c.is_alphanumeric() && c != '.')
            .any(|word| word.split('.').next() == Some(alias))
    };
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(" AS ") {
        let before = &text[..text.len() - rest.len() + at];
        rest = &rest[at + 4..];
        let end = rest
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(rest.len());
        let alias = &rest[..end];
        // Not the type of a cast.
        let is_alias = alias.len() > 1 && alias[1..].bytes().all(|byte| byte.is_ascii_digit());
        if is_alias && is_named(alias) {
            let columns = match rest[end..].strip_prefix(" (") {
                Some(list) => format!(" ({})", list.split(')').next().unwrap_or_default()),
                None => String::new(),
            };
            found.push(format!("{} AS {alias}{columns}", source_before(before)));
        }
    }
    for table in ["t", "u", "w"] {
        if is_named(table) {
            found.push(table.to_owned());
        }
    }
    found.sort();
    found.dedup();
    found
}

/// A query in parentheses that is selected from, without its WHERE.
fn without_condition(source: &str) -> String {
    let (mut depth, mut quoted, mut from) = (0_u32, false, None);
    for (at, c) in source.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if quoted {
            continue;
        }
        if depth == 1 && from.is_none() && source[at..].starts_with(" WHERE ") {
            from = Some(at);
        }
        if depth == 0 {
            return match from {
                Some(from) => [&source[..from], &source[at..]].concat(),
                None => source.to_owned(),
            };
        }
    }
    source.to_owned()
}

/// What ends a text: a table's name, or a list in parentheses with what stands right before it.
fn source_before(text: &str) -> &str {
    let mut depth = 0_u32;
    let mut quoted = false;
    for (at, c) in text.char_indices().rev() {
        match c {
            '\'' => quoted = !quoted,
            ')' if !quoted => depth += 1,
            '(' if !quoted => depth = depth.saturating_sub(1),
            c if !quoted && depth == 0 && (c.is_whitespace() || c == ',') => {
                return &text[at + c.len_utf8()..];
            }
            _ => {}
        }
        if depth == 0 && c == '(' && !quoted && text[..at].ends_with([' ', '(']) {
            return &text[at..];
        }
    }
    text
}

pub(crate) fn verdict(ours: &Answer, theirs: &Answer, ordered: bool) -> Verdict {
    if let Some(message) = ours.refusal() {
        return Verdict::Refused(message.to_owned());
    }
    if ours.is_exhausted() || theirs.is_exhausted() {
        return Verdict::Exhausted;
    }
    let (left, mut right) = (ours.line(ordered), theirs.line(ordered));
    // SQLite does not say which foreign key is violated; PostgreSQL cuts what it shows of a value within a character, and
    // its planner tells the modifiers of what is left of CASE and COALESCE.
    if let (Some(one), Some(other)) = (&ours.fault, &theirs.fault)
        && one.code == other.code
        && (one.code == "23503" || other.message.contains('\u{fffd}'))
    {
        right.clone_from(&left);
    }
    if left != right && theirs.without_modifiers(&ours.results).line(ordered) == left {
        return Verdict::Same;
    }
    if left == right {
        return Verdict::Same;
    }
    Verdict::Different(left, right)
}

/// How often each feature was refused: names without their types.
pub(crate) fn count(refusals: &mut BTreeMap<String, u64>, message: &str) {
    let feature = message
        .split('(')
        .next()
        .unwrap_or(message)
        .trim()
        .to_owned();
    *refusals.entry(feature).or_default() += 1;
}
