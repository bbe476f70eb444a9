//! What a definition asks of the rights of its user, by its tokens.

use acl::Privileges;

use crate::access::Access;
use crate::ddl::place::Object;
use crate::schema::SchemaView;
use crate::source::Source;

/// What CREATE, ALTER, DROP and COMMENT need.
pub(crate) fn of(src: &Source<'_>, schema: &dyn SchemaView, word: &str) -> Vec<Access> {
    match word {
        "create" => create(src, schema),
        "alter" => altered(src, schema),
        "drop" => dropped(src, schema),
        "comment" => commented(src, schema),
        _ => Vec::new(),
    }
}

fn create(src: &Source<'_>, schema: &dyn SchemaView) -> Vec<Access> {
    let replace = src.are(1, &["OR", "REPLACE"]);
    let mut at = if replace { 3 } else { 1 };
    let mut temporary = false;
    while src.is_any(
        at,
        &[
            "GLOBAL",
            "LOCAL",
            "TEMP",
            "TEMPORARY",
            "UNLOGGED",
            "UNIQUE",
            "RECURSIVE",
        ],
    ) {
        temporary |= src.is_any(at, &["TEMP", "TEMPORARY"]);
        at += 1;
    }
    let kind = src.text(at).to_ascii_uppercase();
    at += 1;
    at += usize::from(src.is(at, "CONCURRENTLY"));
    at += if src.are(at, &["IF", "NOT", "EXISTS"]) {
        3
    } else {
        0
    };
    match kind.as_str() {
        "INDEX" | "TRIGGER" => {
            let on = (at..src.len()).find(|token| src.is(*token, "ON"));
            let Some(on) = on.map(|on| on + 1 + usize::from(src.is(on + 1, "ONLY"))) else {
                return Vec::new();
            };
            // What a trigger's statements do is judged for nobody.
            if kind == "TRIGGER" {
                return vec![Access::OwnDatabase { name: None }];
            }
            owned(src, schema, (on, "table", false))
        }
        "TABLE" | "VIEW" | "SEQUENCE" => {
            let Ok(object) = Object::read(src, schema, at) else {
                return Vec::new();
            };
            // The session may have one of that name.
            if temporary || object.schema.as_deref() == Some("pg_temp") {
                return vec![Access::CreateTemporary];
            }
            if replace && schema.columns(&object.name).is_some() && object.place == "main" {
                return owned(src, schema, (at, "view", false));
            }
            let mut access = vec![Access::Create {
                relation: object.name.clone(),
                sequence: kind == "SEQUENCE",
            }];
            access.extend(references(src, schema, &object.name));
            access
        }
        _ => Vec::new(),
    }
}

/// The tables that foreign keys of a definition refer to.
fn references(src: &Source<'_>, schema: &dyn SchemaView, own: &str) -> Vec<Access> {
    let words = (0..src.len()).filter(|at| src.is(*at, "REFERENCES"));
    let found = words.filter_map(|at| stored(src, schema, at + 1));
    found
        .filter(|(name, _)| name != own)
        .map(|(name, _)| Access::to(Privileges::REFERENCES, &name))
        .collect()
}

fn altered(src: &Source<'_>, schema: &dyn SchemaView) -> Vec<Access> {
    let what = match src.text(1).to_ascii_uppercase().as_str() {
        "TABLE" => "table",
        "VIEW" => "view",
        "SEQUENCE" => "sequence",
        "INDEX" => "index",
        _ => return Vec::new(),
    };
    let mut at = 2;
    at += if src.are(at, &["IF", "EXISTS"]) { 2 } else { 0 };
    at += usize::from(src.is(at, "ONLY"));
    let mut access = owned(src, schema, (at, what, false));
    if what == "table"
        && let Some((name, _)) = stored(src, schema, at)
    {
        access.extend(references(src, schema, &name));
    }
    access
}

fn dropped(src: &Source<'_>, schema: &dyn SchemaView) -> Vec<Access> {
    let what = match src.text(1).to_ascii_uppercase().as_str() {
        "TABLE" => "table",
        "VIEW" => "view",
        "SEQUENCE" => "sequence",
        "INDEX" => "index",
        "TRIGGER" => {
            let name = src.name(2 + if src.are(2, &["IF", "EXISTS"]) { 2 } else { 0 });
            let table = name.and_then(|name| schema.trigger_table(&name));
            let own = table.map(|table| own("table", &table, &table, false));
            return own.into_iter().collect();
        }
        _ => return Vec::new(),
    };
    let mut at = 2 + usize::from(src.is(2, "CONCURRENTLY"));
    at += if src.are(at, &["IF", "EXISTS"]) { 2 } else { 0 };
    let mut access = Vec::new();
    loop {
        access.extend(owned(src, schema, (at, what, true)));
        let Ok(object) = Object::read(src, schema, at) else {
            return access;
        };
        if !src.sign(object.to, ",") {
            return access;
        }
        at = object.to + 1;
    }
}

fn commented(src: &Source<'_>, schema: &dyn SchemaView) -> Vec<Access> {
    match src.text(2).to_ascii_uppercase().as_str() {
        "TABLE" => owned(src, schema, (3, "table", false)),
        "VIEW" => owned(src, schema, (3, "view", false)),
        "SEQUENCE" => owned(src, schema, (3, "sequence", false)),
        "INDEX" => owned(src, schema, (3, "index", false)),
        "COLUMN" => {
            // The last name is the column's.
            let mut names = Vec::new();
            let mut at = 3;
            while let Some(name) = src.name(at) {
                names.push(name);
                if !src.sign(at + 1, ".") {
                    break;
                }
                at += 2;
            }
            let table = names.len().checked_sub(2).and_then(|at| names.get(at));
            let table = table.filter(|table| !schema.is_temporary(table));
            let own = table.map(|table| own("relation", table, table, false));
            own.into_iter().collect()
        }
        "CONSTRAINT" => {
            let on = (3..src.len()).find(|at| src.is(*at, "ON"));
            on.map_or_else(Vec::new, |on| {
                owned(src, schema, (on + 1, "relation", false))
            })
        }
        "DATABASE" => vec![Access::OwnDatabase { name: src.name(3) }],
        "SCHEMA" | "EXTENSION" => vec![Access::OwnDatabase { name: None }],
        _ => Vec::new(),
    }
}

/// The relation at a token, if it is one of the database.
fn stored(src: &Source<'_>, schema: &dyn SchemaView, at: usize) -> Option<(String, usize)> {
    let object = Object::read(src, schema, at).ok()?;
    let known = object.place == "main" && schema.columns(&object.name).is_some();
    known.then_some((object.name, object.to))
}

/// An index has the owner of its table.
fn owned(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    (at, what, drops): (usize, &'static str, bool),
) -> Vec<Access> {
    if what == "index" {
        let name = Object::read(src, schema, at).ok().map(|object| object.name);
        let table = name.and_then(|name| Some((schema.index_table(&name)?, name)));
        let table = table.filter(|(table, _)| !schema.is_temporary(table));
        let own = table.map(|(table, name)| own(what, &name, &table, drops));
        return own.into_iter().collect();
    }
    let found = stored(src, schema, at).into_iter();
    found
        .map(|(name, _)| own(what, &name, &name, drops))
        .collect()
}

fn own(what: &'static str, name: &str, relation: &str, drops: bool) -> Access {
    Access::Own {
        what,
        name: name.to_owned(),
        relation: relation.to_owned(),
        drops,
    }
}
