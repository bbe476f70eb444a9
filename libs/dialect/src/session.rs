//! Statements that the session answers by itself: transactions, settings, cursors, housekeeping.

use pgtypes::SqlState;

use crate::access::Access;
use crate::cursor;
use crate::error::DialectError;
use crate::maintenance;
use crate::prepare::{deallocate, execute, prepare};
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{Isolation, Statement, StatementKind, TransactionModes};

/// A statement by its first word, in lower case.
pub(crate) fn session(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    word: &str,
) -> Result<Statement, DialectError> {
    match word {
        "begin" | "start" => begin(src),
        "commit" | "end" | "rollback" | "abort" | "savepoint" | "release" => {
            transaction_end(src, word)
        }
        "set" => set(src),
        "reset" => reset(src),
        "show" => show(src),
        "prepare" => prepare(src, schema),
        "execute" => execute(src),
        "deallocate" => deallocate(src),
        "discard" => discard(src),
        "fetch" | "move" => cursor::fetch(src, word == "move"),
        "close" => {
            let kind = StatementKind::CloseCursor {
                name: name_or_all(src, 1)?,
            };
            Ok(Statement::session(kind, "CLOSE CURSOR"))
        }
        "listen" => {
            let channel = name(src, 1)?;
            end_at(src, 2)?;
            Ok(Statement::session(
                StatementKind::Listen { channel },
                "LISTEN",
            ))
        }
        "unlisten" => {
            let channel = if src.sign(1, "*") {
                None
            } else {
                Some(name(src, 1)?)
            };
            Ok(Statement::session(
                StatementKind::Unlisten { channel },
                "UNLISTEN",
            ))
        }
        "notify" => notify(src),
        "lock" => crate::lock::lock(src),
        "dbctl" => {
            let command = src.string(1)?.ok_or_else(|| src.syntax(1))?;
            end_at(src, 2)?;
            Ok(Statement::session(
                StatementKind::Dbctl { command },
                "DBCTL",
            ))
        }
        "analyze" | "analyse" => maintenance::analyze(src),
        "vacuum" => maintenance::vacuum(src),
        "reindex" => maintenance::reindex(src),
        "checkpoint" => {
            end_at(src, 1)?;
            Ok(Statement::session(StatementKind::Checkpoint, "CHECKPOINT"))
        }
        "cluster" => maintenance::cluster(src, schema),
        "reassign" => Err(src.unsupported(0, "REASSIGN OWNED")),
        "load" => Err(src.unsupported(0, "LOAD")),
        "pragma" => Ok(pragma(src)),
        "attach" | "detach" => Err(src.unsupported(0, &word.to_ascii_uppercase())),
        _ => Err(src.syntax(0)),
    }
}

/// SQLite's own, by which who owns the database looks at it: what may be asked is the authorizer's business.
fn pragma(src: &Source<'_>) -> Statement {
    let sqlite = vec![src.slice(0, src.len()).to_owned()];
    Statement {
        sqlite,
        tag: crate::CommandTag::Select,
        access: vec![Access::OwnDatabase { name: None }],
        ..Statement::session(StatementKind::Query, "")
    }
}

pub(crate) fn name(src: &Source<'_>, at: usize) -> Result<String, DialectError> {
    src.name(at).ok_or_else(|| src.syntax(at))
}

pub(crate) fn name_or_all(src: &Source<'_>, at: usize) -> Result<Option<String>, DialectError> {
    if src.is(at, "ALL") {
        Ok(None)
    } else {
        name(src, at).map(Some)
    }
}

/// Nothing may follow.
pub(crate) fn end_at(src: &Source<'_>, at: usize) -> Result<(), DialectError> {
    if at < src.len() {
        Err(src.syntax(at))
    } else {
        Ok(())
    }
}

fn begin(src: &Source<'_>) -> Result<Statement, DialectError> {
    let start = src.is(0, "START");
    if start && !src.is(1, "TRANSACTION") {
        return Err(src.syntax(1));
    }
    let mut at = 1 + usize::from(src.is_any(1, &["WORK", "TRANSACTION"]));
    if src.is_any(at, &["IMMEDIATE", "EXCLUSIVE", "DEFERRED"]) {
        at += 1;
        at += usize::from(src.is(at, "TRANSACTION"));
    }
    let modes = modes(src, at)?;
    let tag = if start { "START TRANSACTION" } else { "BEGIN" };
    Ok(Statement::session(StatementKind::Begin(modes), tag))
}

/// Transaction modes up to the end of the statement, with or without commas.
fn modes(src: &Source<'_>, at: usize) -> Result<TransactionModes, DialectError> {
    let mut modes = TransactionModes::default();
    let mut at = at;
    while at < src.len() {
        if src.are(at, &["ISOLATION", "LEVEL"]) {
            let (isolation, words) = if src.are(at + 2, &["SERIALIZABLE"]) {
                (Isolation::Serializable, 1)
            } else if src.are(at + 2, &["REPEATABLE", "READ"]) {
                (Isolation::RepeatableRead, 2)
            } else if src.are(at + 2, &["READ", "COMMITTED"])
                || src.are(at + 2, &["READ", "UNCOMMITTED"])
            {
                (Isolation::ReadCommitted, 2)
            } else {
                return Err(src.syntax(at + 2));
            };
            modes.isolation = Some(isolation);
            at += 2 + words;
        } else if src.are(at, &["READ", "ONLY"]) || src.are(at, &["READ", "WRITE"]) {
            modes.read_only = Some(src.is(at + 1, "ONLY"));
            at += 2;
        } else if src.are(at, &["NOT", "DEFERRABLE"]) {
            modes.deferrable = Some(false);
            at += 2;
        } else if src.is(at, "DEFERRABLE") {
            modes.deferrable = Some(true);
            at += 1;
        } else {
            return Err(src.syntax(at));
        }
        if src.sign(at, ",") {
            at += 1;
        }
    }
    Ok(modes)
}

fn transaction_end(src: &Source<'_>, word: &str) -> Result<Statement, DialectError> {
    let mut at = 1;
    match word {
        "savepoint" => {
            let kind = StatementKind::Savepoint {
                name: name(src, 1)?,
            };
            end_at(src, 2)?;
            return Ok(Statement::session(kind, "SAVEPOINT"));
        }
        "release" => {
            at += usize::from(src.is(at, "SAVEPOINT"));
            let kind = StatementKind::Release {
                name: name(src, at)?,
            };
            end_at(src, at + 1)?;
            return Ok(Statement::session(kind, "RELEASE"));
        }
        _ => {}
    }
    if src.is(at, "PREPARED") {
        let id = src.string(at + 1)?.ok_or_else(|| src.syntax(at + 1))?;
        end_at(src, at + 2)?;
        let tag = if word == "commit" {
            "COMMIT PREPARED"
        } else {
            "ROLLBACK PREPARED"
        };
        return Ok(Statement::session(
            StatementKind::FinishPrepared { id },
            tag,
        ));
    }
    at += usize::from(src.is_any(at, &["WORK", "TRANSACTION"]));
    let rollback = matches!(word, "rollback" | "abort");
    if src.is(at, "TO") && rollback {
        at += 1;
        at += usize::from(src.is(at, "SAVEPOINT"));
        let kind = StatementKind::RollbackTo {
            name: name(src, at)?,
        };
        end_at(src, at + 1)?;
        return Ok(Statement::session(kind, "ROLLBACK"));
    }
    let mut chain = false;
    if src.is(at, "AND") {
        chain = !src.is(at + 1, "NO");
        at += 1 + usize::from(!chain);
        if !src.is(at, "CHAIN") {
            return Err(src.syntax(at));
        }
        at += 1;
    }
    end_at(src, at)?;
    Ok(if rollback {
        Statement::session(StatementKind::Rollback { chain }, "ROLLBACK")
    } else {
        Statement::session(StatementKind::Commit { chain }, "COMMIT")
    })
}

/// NOTIFY channel [, 'payload']
fn notify(src: &Source<'_>) -> Result<Statement, DialectError> {
    let channel = name(src, 1)?;
    let mut payload = String::new();
    let mut at = 2;
    if src.sign(at, ",") {
        payload = src.string(at + 1)?.ok_or_else(|| src.syntax(at + 1))?;
        at += 2;
    }
    end_at(src, at)?;
    let kind = StatementKind::Notify { channel, payload };
    Ok(Statement::session(kind, "NOTIFY"))
}

/// A parameter's name with dots, or one of the names made of words; and the token after it.
pub(crate) fn setting(src: &Source<'_>, at: usize) -> Result<(String, usize), DialectError> {
    if src.are(at, &["TIME", "ZONE"]) {
        return Ok(("timezone".to_owned(), at + 2));
    }
    if src.are(at, &["SESSION", "AUTHORIZATION"]) {
        return Ok(("session_authorization".to_owned(), at + 2));
    }
    if src.are(at, &["TRANSACTION", "ISOLATION", "LEVEL"]) {
        return Ok(("transaction_isolation".to_owned(), at + 3));
    }
    let mut text = name(src, at)?;
    let mut to = at + 1;
    while src.sign(to, ".") {
        text.push('.');
        text.push_str(&name(src, to + 1)?);
        to += 2;
    }
    if text == "names" {
        "client_encoding".clone_into(&mut text);
    }
    Ok((text, to))
}

fn set(src: &Source<'_>) -> Result<Statement, DialectError> {
    let local = src.is(1, "LOCAL");
    let prefix =
        local || (src.is(1, "SESSION") && !src.is_any(2, &["AUTHORIZATION", "CHARACTERISTICS"]));
    let at = 1 + usize::from(prefix);
    if src.are(at, &["SESSION", "CHARACTERISTICS", "AS", "TRANSACTION"]) {
        return Ok(Statement::session(
            StatementKind::SetCharacteristics(modes(src, at + 4)?),
            "SET",
        ));
    }
    if src.is(at, "TRANSACTION") && !src.sign(at + 1, "=") {
        if src.is(at + 1, "SNAPSHOT") {
            return Err(src.unsupported(at + 1, "SET TRANSACTION SNAPSHOT"));
        }
        return Ok(Statement::session(
            StatementKind::SetTransaction(modes(src, at + 1)?),
            "SET",
        ));
    }
    if src.is(at, "CONSTRAINTS") {
        return set_constraints(src, at + 1);
    }
    if src.is(at, "ROLE") || src.are(at, &["SESSION", "AUTHORIZATION"]) {
        let session = src.is(at, "SESSION");
        let at = at + if session { 2 } else { 1 };
        return set_role(src, at, (session, local));
    }
    let (name, value) = assignment(src, at)?;
    Ok(Statement::session(
        StatementKind::Set { name, value, local },
        "SET",
    ))
}

/// A parameter and its value; `None` for DEFAULT.
pub(crate) fn assignment(
    src: &Source<'_>,
    at: usize,
) -> Result<(String, Option<String>), DialectError> {
    let (name, mut to) = setting(src, at)?;
    let wordy = matches!(
        name.as_str(),
        "timezone" | "session_authorization" | "client_encoding"
    );
    if src.is(to, "TO") || src.sign(to, "=") {
        to += 1;
    } else if !wordy {
        return Err(src.syntax(to));
    }
    // Elsewhere it is a word like others: synchronous_commit has such a value.
    if name == "timezone" && to + 1 == src.len() && src.is(to, "LOCAL") {
        return Ok((name, None));
    }
    if name == "timezone" && src.is(to, "INTERVAL") {
        return Ok((name, Some(zone_of_interval(src, to + 1)?)));
    }
    let value = values(src, to, name == "search_path")?;
    Ok((name, value))
}

/// SET CONSTRAINTS ALL | name [, …] DEFERRED | IMMEDIATE
fn set_constraints(src: &Source<'_>, at: usize) -> Result<Statement, DialectError> {
    let mut at = at;
    let mut names = None;
    if src.is(at, "ALL") {
        at += 1;
    } else {
        let mut list = Vec::new();
        loop {
            while src.sign(at + 1, ".") {
                at += 2;
            }
            list.push(name(src, at)?);
            at += 1;
            if !src.sign(at, ",") {
                break;
            }
            at += 1;
        }
        names = Some(list);
    }
    if !src.is_any(at, &["DEFERRED", "IMMEDIATE"]) {
        return Err(src.syntax(at));
    }
    let deferred = src.is(at, "DEFERRED");
    end_at(src, at + 1)?;
    let kind = StatementKind::SetConstraints { names, deferred };
    Ok(Statement::session(kind, "SET CONSTRAINTS"))
}

/// SET ROLE name | NONE, SET SESSION AUTHORIZATION name | DEFAULT
fn set_role(
    src: &Source<'_>,
    at: usize,
    (session, local): (bool, bool),
) -> Result<Statement, DialectError> {
    let none = if session { "DEFAULT" } else { "NONE" };
    let said = match src.string(at)? {
        Some(text) => Some(text),
        None if src.is(at, none) => None,
        None => Some(name(src, at)?),
    };
    end_at(src, at + 1)?;
    let kind = StatementKind::SetRole {
        name: said,
        session,
        local,
    };
    Ok(Statement::session(kind, "SET"))
}

/// `INTERVAL 'text' [HOUR [TO MINUTE]]`
fn zone_of_interval(src: &Source<'_>, at: usize) -> Result<String, DialectError> {
    let text = src.string(at)?.ok_or_else(|| src.syntax(at))?;
    let fields = if src.are(at + 1, &["HOUR", "TO", "MINUTE"]) {
        3
    } else {
        usize::from(src.is(at + 1, "HOUR"))
    };
    end_at(src, at + 1 + fields)?;
    hours(&text)
}

/// A zone that is said by an interval: so many hours east of Greenwich.
fn hours(text: &str) -> Result<String, DialectError> {
    let span = pgtypes::Interval::parse(text)?;
    if span.months != 0 || span.days != 0 {
        return Err(DialectError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("invalid value for parameter \"TimeZone\": \"INTERVAL '{text}'\""),
        ));
    }
    let seconds = pgtypes::float::double_of_integer(span.micros / 1_000_000);
    Ok((seconds / 3600.0).to_string())
}

/// The values of SET up to the end; `None` for DEFAULT (or LOCAL, of a time zone).
fn values(src: &Source<'_>, at: usize, names: bool) -> Result<Option<String>, DialectError> {
    if at >= src.len() {
        return Err(src.syntax(at));
    }
    if at + 1 == src.len() && src.is(at, "DEFAULT") {
        return Ok(None);
    }
    let mut items: Vec<String> = Vec::new();
    let mut at = at;
    while at < src.len() {
        let mut item = String::new();
        while at < src.len() && !src.sign(at, ",") {
            match src.string(at)? {
                Some(text) => item.push_str(&text),
                None if src.is(at, "INTERVAL") => {}
                None => match src.kind(at) {
                    Some(crate::lexer::Kind::Quoted) => item.push_str(&name(src, at)?),
                    _ => item.push_str(src.text(at)),
                },
            }
            at += 1;
        }
        items.push(if names {
            crate::pg_catalog::identifier(&item)
        } else {
            item
        });
        at += 1;
    }
    Ok(Some(items.join(", ")))
}

fn reset(src: &Source<'_>) -> Result<Statement, DialectError> {
    if src.is(1, "ROLE") || src.are(1, &["SESSION", "AUTHORIZATION"]) {
        let session = src.is(1, "SESSION");
        end_at(src, if session { 3 } else { 2 })?;
        let kind = StatementKind::SetRole {
            name: None,
            session,
            local: false,
        };
        return Ok(Statement::session(kind, "RESET"));
    }
    let name = if src.is(1, "ALL") {
        None
    } else {
        Some(setting(src, 1)?.0)
    };
    Ok(Statement::session(StatementKind::Reset { name }, "RESET"))
}

fn show(src: &Source<'_>) -> Result<Statement, DialectError> {
    let name = if src.is(1, "ALL") {
        None
    } else {
        Some(setting(src, 1)?)
    };
    end_at(src, name.as_ref().map_or(2, |(_, to)| *to))?;
    let name = name.map(|(name, _)| name);
    Ok(Statement::session(StatementKind::Show { name }, "SHOW"))
}

fn discard(src: &Source<'_>) -> Result<Statement, DialectError> {
    end_at(src, 2)?;
    let tag = match src.text(1).to_ascii_lowercase().as_str() {
        "all" => "DISCARD ALL",
        "plans" => "DISCARD PLANS",
        "sequences" => "DISCARD SEQUENCES",
        "temp" | "temporary" => "DISCARD TEMP",
        _ => return Err(src.syntax(1)),
    };
    Ok(Statement::session(
        StatementKind::Discard {
            all: tag == "DISCARD ALL",
            sequences: matches!(tag, "DISCARD ALL" | "DISCARD SEQUENCES"),
            temporary: matches!(tag, "DISCARD ALL" | "DISCARD TEMP"),
        },
        tag,
    ))
}
