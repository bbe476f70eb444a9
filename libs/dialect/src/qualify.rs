//! Names of relations and types in what is read by its tokens: each becomes the one word under which it is stored
//! (`stored_name`), found on the search path or in the schema that was said. What stands behind them needs to know of
//! no schemas.

use crate::domain;
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::names::Quoted;
use crate::notice::Notice;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::Statement;
use crate::stored_name::{self, PUBLIC};
use crate::{lexer::Kind, user_type};

/// A name in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    /// Of something that is there.
    Known(usize),
    /// Of something that is made.
    Made(usize),
    /// Of something that is there, and behind it that of a column.
    Column(usize),
    /// Of something that is made beside the relation whose name is at the second place.
    Beside(usize, usize),
}

/// Words behind which a definition goes on as a query.
const QUERY: &[&str] = &["SELECT", "WITH", "VALUES", "TABLE", "EXECUTE"];
/// Kinds of what has a schema.
const KINDS: &[&str] = &["TABLE", "VIEW", "SEQUENCE", "INDEX", "TYPE", "DOMAIN"];

/// The statement with stored names; `None` where it has them already.
pub(crate) fn stored_names(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Option<Quoted>, DialectError> {
    let dotted = |token: &crate::lexer::Token| {
        token.kind == Kind::Quoted
            && src
                .sql
                .get(token.start..token.end)
                .is_some_and(|text| text.contains('.'))
    };
    if schema.schemas().is_empty() && !src.tokens.iter().any(dotted) {
        return Ok(None);
    }
    let mut found = Quoted::default();
    let mut copied = 0;
    let mut spots = Spots {
        src,
        spots: Vec::new(),
    };
    spots.find();
    let mut spots = spots.spots;
    spots.sort_by_key(|spot| spot.at());
    for spot in spots {
        let Some((name, to)) = resolved(src, schema, spot)? else {
            continue;
        };
        let (start, end) = (src.start(spot.at()), src.end_before(to));
        found.put(src.sql, (copied, start, end), &quote_name(&name));
        copied = end;
    }
    Ok(found.finished(src.sql, copied))
}

impl Spot {
    fn at(self) -> usize {
        match self {
            Self::Known(at) | Self::Made(at) | Self::Column(at) | Self::Beside(at, _) => at,
        }
    }
}

/// The stored name of what stands at a spot, and the token behind it; `None` where it stands there as it is stored.
fn resolved(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    spot: Spot,
) -> Result<Option<(String, usize)>, DialectError> {
    let at = spot.at();
    let Some(name) = src.name(at) else {
        return Ok(None);
    };
    let mut parts = vec![name];
    while src.sign(at + parts.len() * 2 - 1, ".") {
        let Some(part) = src.name(at + parts.len() * 2) else {
            break;
        };
        parts.push(part);
    }
    if matches!(spot, Spot::Column(_)) {
        parts.pop();
    }
    let to = at + parts.len() * 2 - usize::from(!parts.is_empty());
    let stored = match parts.as_slice() {
        [one] => match spot {
            Spot::Beside(_, of) => {
                let found = resolved(src, schema, Spot::Known(of))?;
                let of = found
                    .map(|(of, _)| of)
                    .or_else(|| src.name(of))
                    .unwrap_or_default();
                // The server's own statements name what is stored.
                let same = of.contains('.') && stored_name::schema(&of) == stored_name::schema(one);
                (!same).then(|| stored_name::beside(&of, one))
            }
            Spot::Made(_) => {
                let path = schema.search_path();
                path.first().map(|first| stored_name::join(first, one))
            }
            Spot::Known(_) | Spot::Column(_) => found(schema, one),
        },
        [schema_name, one] => in_schema(schema, schema_name, one),
        _ => None,
    };
    let written = parts.last().filter(|_| parts.len() == 1);
    Ok(stored
        .filter(|name| Some(name) != written)
        .map(|name| (name, to)))
}

/// The stored name of what a name without a schema means.
pub(crate) fn found(schema: &dyn SchemaView, name: &str) -> Option<String> {
    if schema.is_temporary(name) {
        return None;
    }
    let path = schema.search_path();
    let mut names = path.iter().map(|place| stored_name::join(place, name));
    names.find(|stored| exists(schema, stored))
}

/// The stored name of a name behind that of a schema that users have made.
pub(crate) fn in_schema(schema: &dyn SchemaView, place: &str, name: &str) -> Option<String> {
    let known = schema.schemas().iter().any(|known| known == place);
    let dotted = place == PUBLIC && name.contains('.') && {
        // The server's own statements name what is stored.
        exists(schema, &stored_name::join(place, name)) || !exists(schema, name)
    };
    (known || dotted).then(|| stored_name::join(place, name))
}

fn exists(schema: &dyn SchemaView, stored: &str) -> bool {
    schema.columns(stored).is_some()
        || schema.index_table(stored).is_some()
        || schema.sequence(stored).is_some()
        || is_type(schema, stored)
}

fn is_type(schema: &dyn SchemaView, stored: &str) -> bool {
    user_type::find(schema, stored).is_some() || domain::find(schema, stored).is_some()
}

/// The stored name of the user's type that tokens `from..to` name.
pub(crate) fn type_at(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    from: usize,
    to: usize,
) -> Option<String> {
    match to.checked_sub(from)? {
        1 => type_found(schema, &src.name(from)?),
        3 if src.sign(from + 1, ".") => {
            let stored = stored_name::join(&src.name(from)?, &src.name(from + 2)?);
            is_type(schema, &stored).then_some(stored)
        }
        _ => None,
    }
}

/// The stored name of the user's type that a name without a schema means.
pub(crate) fn type_found(schema: &dyn SchemaView, name: &str) -> Option<String> {
    let path = schema.search_path();
    let mut names = path.iter().map(|place| stored_name::join(place, name));
    names.find(|stored| is_type(schema, stored))
}

/// Definitions of what is to be made in a schema, with its name before those that are made, also where another one of
/// them names it.
pub(crate) fn made_in(place: &str, definitions: &[String]) -> Result<Vec<String>, DialectError> {
    let mut made: Vec<String> = Vec::new();
    let mut qualified = Vec::with_capacity(definitions.len());
    for text in definitions {
        let src = Source::new(text)?;
        let mut spots = Spots {
            src: &src,
            spots: Vec::new(),
        };
        spots.find();
        spots.spots.sort_by_key(|spot| spot.at());
        let mut found = Quoted::default();
        let mut copied = 0;
        for spot in spots.spots {
            let at = spot.at();
            let (Some(name), false) = (src.name(at), src.sign(at + 1, ".")) else {
                continue;
            };
            match spot {
                Spot::Made(_) => made.push(name.clone()),
                Spot::Known(_) if made.contains(&name) => {}
                Spot::Known(_) | Spot::Column(_) | Spot::Beside(..) => continue,
            }
            let stored = stored_name::join(place, &name);
            let (start, end) = (src.start(at), src.end_before(at + 1));
            found.put(text, (copied, start, end), &stored_name::qualified(&stored));
            copied = end;
        }
        let text = found.finished(text, copied).map(|found| found.sql);
        qualified.push(text.unwrap_or_else(|| src.sql.to_owned()));
    }
    Ok(qualified)
}

/// Looks for the names of a statement.
struct Spots<'a> {
    src: &'a Source<'a>,
    spots: Vec<Spot>,
}

impl Spots<'_> {
    fn find(&mut self) {
        let src = self.src;
        match src.text(0).to_ascii_lowercase().as_str() {
            "create" => self.create(),
            "alter" => self.alter(),
            "drop" => self.drop(),
            "comment" => self.comment(),
            "grant" | "revoke" => self.grant(),
            "truncate" | "lock" => self.list(1 + usize::from(src.is(1, "TABLE"))),
            "copy" if !src.sign(1, "(") => self.spots.push(Spot::Known(1)),
            "vacuum" | "analyze" | "analyse" => {
                let words = ["FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"];
                self.list(self.behind_options(&words));
            }
            "cluster" => {
                let at = self.behind_options(&["VERBOSE"]);
                self.spots.push(Spot::Known(at));
                if src.is(at + 1, "ON") {
                    self.spots.push(Spot::Known(at + 2));
                }
            }
            "reindex" => {
                let at = self.behind_options(&[]);
                if src.is_any(at, &["TABLE", "INDEX"]) {
                    let at = at + 1 + usize::from(src.is(at + 1, "CONCURRENTLY"));
                    self.spots.push(Spot::Known(at));
                }
            }
            _ => {}
        }
    }

    /// The token behind the options of a command, which stand in parentheses or are these words.
    fn behind_options(&self, words: &[&str]) -> usize {
        if self.src.sign(1, "(") {
            return self.src.partner(1) + 1;
        }
        let mut at = 1;
        while self.src.is_any(at, words) {
            at += 1;
        }
        at
    }

    /// `[ONLY] name [*] [(columns)], …`
    fn list(&mut self, at: usize) {
        let src = self.src;
        let mut at = at;
        while at < src.len() {
            at += usize::from(src.is(at, "ONLY"));
            self.spots.push(Spot::Known(at));
            at = self.behind_name(at);
            at += usize::from(src.sign(at, "*"));
            if src.sign(at, "(") {
                at = src.partner(at) + 1;
            }
            if !src.sign(at, ",") {
                return;
            }
            at += 1;
        }
    }

    fn behind_name(&self, at: usize) -> usize {
        let mut at = at;
        while self.src.sign(at + 1, ".") {
            at += 2;
        }
        at + 1
    }

    /// The token behind `IF [NOT] EXISTS`.
    fn behind_if(&self, at: usize) -> usize {
        if self.src.are(at, &["IF", "NOT", "EXISTS"]) {
            at + 3
        } else if self.src.are(at, &["IF", "EXISTS"]) {
            at + 2
        } else {
            at
        }
    }

    fn create(&mut self) {
        let src = self.src;
        let mut at = if src.are(1, &["OR", "REPLACE"]) { 3 } else { 1 };
        let modifiers = [
            "GLOBAL",
            "LOCAL",
            "UNLOGGED",
            "UNIQUE",
            "RECURSIVE",
            "TEMP",
            "TEMPORARY",
        ];
        let mut temporary = false;
        while src.is_any(at, &modifiers) {
            temporary |= src.is_any(at, &["TEMP", "TEMPORARY"]);
            at += 1;
        }
        if src.is_any(at, &["INDEX", "TRIGGER"]) {
            let from = self.behind_if(at + 1 + usize::from(src.is(at + 1, "CONCURRENTLY")));
            let Some(on) = (from..src.len()).find(|token| src.is(*token, "ON")) else {
                return;
            };
            let table = on + 1 + usize::from(src.is(on + 1, "ONLY"));
            if src.is(at, "INDEX") && from < on {
                self.spots.push(Spot::Beside(from, table));
            }
            self.spots.push(Spot::Known(table));
            return;
        }
        if !src.is_any(at, KINDS) {
            return;
        }
        let name = self.behind_if(at + 1);
        if !temporary {
            self.spots.push(Spot::Made(name));
        }
        if src.is_any(at, &["TABLE", "SEQUENCE"]) {
            self.inside(self.behind_name(name), name);
        }
    }

    /// The names within a definition of the relation at `of`, up to its query.
    fn inside(&mut self, from: usize, of: usize) {
        let src = self.src;
        for at in from..src.len() {
            if src.is(at, "AS") && (src.is_any(at + 1, QUERY) || src.sign(at + 1, "(")) {
                return;
            }
            if src.is(at, "REFERENCES")
                || (src.is(at, "LIKE") && (src.sign(at - 1, "(") || src.sign(at - 1, ",")))
            {
                self.spots.push(Spot::Known(at + 1));
            } else if src.are(at, &["OWNED", "BY"]) && !src.is(at + 2, "NONE") {
                self.spots.push(Spot::Column(at + 2));
            } else if src.are(at, &["SEQUENCE", "NAME"]) {
                self.spots.push(Spot::Beside(at + 2, of));
            }
        }
    }

    fn alter(&mut self) {
        let src = self.src;
        if src.are(1, &["DEFAULT", "PRIVILEGES"]) || !src.is_any(1, KINDS) {
            return;
        }
        let name = self.behind_if(2);
        let name = name + usize::from(src.is(name, "ONLY"));
        self.spots.push(Spot::Known(name));
        let at = self.behind_name(name);
        if src.are(at, &["RENAME", "TO"]) {
            self.spots.push(Spot::Beside(at + 2, name));
        } else {
            self.inside(at, name);
        }
    }

    fn drop(&mut self) {
        let src = self.src;
        if src.is(1, "TRIGGER") {
            if let Some(on) = (2..src.len()).find(|at| src.is(*at, "ON")) {
                self.spots.push(Spot::Known(on + 1));
            }
        } else if src.is_any(1, KINDS) {
            let at = 2 + usize::from(src.is(2, "CONCURRENTLY"));
            self.list(self.behind_if(at));
        }
    }

    fn comment(&mut self) {
        let src = self.src;
        if src.is_any(2, KINDS) {
            self.spots.push(Spot::Known(3));
        } else if src.is(2, "COLUMN") {
            self.spots.push(Spot::Column(3));
        } else if src.is(2, "CONSTRAINT") && src.is(4, "ON") {
            self.spots
                .push(Spot::Known(5 + usize::from(src.is(5, "DOMAIN"))));
        }
    }

    fn grant(&mut self) {
        let src = self.src;
        let others = [
            "SCHEMA",
            "DATABASE",
            "ALL",
            "FUNCTION",
            "PROCEDURE",
            "ROUTINE",
            "LANGUAGE",
            "TYPE",
            "DOMAIN",
            "TABLESPACE",
            "LARGE",
            "FOREIGN",
            "PARAMETER",
        ];
        let Some(on) = (0..src.len()).find(|at| src.is(*at, "ON")) else {
            return;
        };
        if !src.is_any(on + 1, &others) {
            self.list(on + 1 + usize::from(src.is_any(on + 1, &["TABLE", "SEQUENCE"])));
        }
    }
}

/// An error in PostgreSQL's words, which name a relation without its schema, but where it was looked for in vain.
pub(crate) fn told(error: DialectError, schema: &dyn SchemaView) -> DialectError {
    let schemas = schema.schemas();
    if schemas.is_empty() {
        return error;
    }
    DialectError {
        message: stored_name::told(&error.message, &schemas),
        ..error
    }
}

/// The same of a statement's notices.
pub(crate) fn told_by(statement: Statement, schema: &dyn SchemaView) -> Statement {
    let schemas = schema.schemas();
    if schemas.is_empty() || statement.notices.is_empty() {
        return statement;
    }
    let notices = statement.notices.into_iter().map(|notice| Notice {
        message: stored_name::told(&notice.message, &schemas),
        ..notice
    });
    Statement {
        notices: notices.collect(),
        ..statement
    }
}
