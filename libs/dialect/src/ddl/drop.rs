//! DROP of tables, views and indexes, with what depends on them.

use pgtypes::SqlState;

use crate::ddl::definition::unique_columns;
use crate::ddl::dependents::{Dependents, foreign_keys_to};
use crate::ddl::index::index_named;
use crate::ddl::place::Object;
use crate::ddl::{comment, stored_rights};
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::pg_catalog;
use crate::schema::SchemaView;
use crate::sequence::stored;
use crate::source::Source;
use crate::statement::{Notice, Statement};
use crate::stored_name::{qualified, shown};

/// One DROP.
struct Drop<'a> {
    src: &'a Source<'a>,
    schema: &'a dyn SchemaView,
    /// `table`, `view` or `index`.
    kind: &'a str,
    objects: Vec<Object>,
    notices: Vec<Notice>,
    cascade: bool,
}

/// DROP TABLE | VIEW | INDEX [IF EXISTS] name [, …] [CASCADE | RESTRICT]; the names begin at `at`.
pub(crate) fn drop_relations(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
    kind: &str,
) -> Result<Statement, DialectError> {
    let mut drop = Drop {
        src,
        schema,
        kind,
        objects: Vec::new(),
        notices: Vec::new(),
        cascade: false,
    };
    let if_exists = src.are(at, &["IF", "EXISTS"]);
    let mut at = at + if if_exists { 2 } else { 0 };
    loop {
        let object = Object::read(src, schema, at)?;
        at = object.to;
        drop.find(object, if_exists)?;
        if !src.sign(at, ",") {
            break;
        }
        at += 1;
    }
    drop.cascade = src.is(at, "CASCADE");
    at += usize::from(src.is_any(at, &["CASCADE", "RESTRICT"]));
    crate::session::end_at(src, at)?;
    drop.statement()
}

impl Drop<'_> {
    /// Takes one object in, if it is there.
    ///
    /// Errors: 42P01 and its like, 42809 where the name is that of something else.
    fn find(&mut self, object: Object, if_exists: bool) -> Result<(), DialectError> {
        let (kind, name) = (self.kind, object.name.as_str());
        let own = matches!(object.schema.as_deref(), None | Some("pg_catalog"));
        if own && pg_catalog::find_table(None, name).is_some() {
            let message = format!("permission denied: \"{name}\" is a system catalog");
            return Err(DialectError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
        }
        if object.is_elsewhere() {
            let refused = object.no_schema();
            if if_exists {
                let message = format!("{}, skipping", refused.message);
                self.notices.push(Notice::plain(message));
                return Ok(());
            }
            return Err(refused);
        }
        let is = self.kind_of(&object);
        let Some(is) = is else {
            let message = format!("{kind} \"{}\" does not exist", object.dotted());
            if if_exists {
                self.notices
                    .push(Notice::plain(format!("{message}, skipping")));
                return Ok(());
            }
            let state = if kind == "index" {
                SqlState::UNDEFINED_OBJECT
            } else {
                SqlState::UNDEFINED_TABLE
            };
            return Err(DialectError::new(state, message));
        };
        if is != kind {
            let article = |kind: &str| if kind == "index" { "an" } else { "a" };
            let message = format!("\"{name}\" is not {} {kind}", article(kind));
            return Err(
                DialectError::new(SqlState::WRONG_OBJECT_TYPE, message).hint(format!(
                    "Use DROP {} to remove {} {is}.",
                    is.to_ascii_uppercase(),
                    article(is)
                )),
            );
        }
        let again = self
            .objects
            .iter()
            .any(|other| other.name == object.name && other.place == object.place);
        if !again {
            self.objects.push(object);
        }
        Ok(())
    }

    /// What is there under the name.
    fn kind_of(&self, object: &Object) -> Option<&'static str> {
        let (schema, name) = (self.schema, object.name.as_str());
        if object.place == "main" && schema.sequence(name).is_some() {
            return Some("sequence");
        }
        let shown = schema.table_info(name);
        let info = match shown {
            Some(info) if info.temporary == (object.place == "temp") => Some(info),
            Some(_) => schema.hidden_table(name),
            None => None,
        };
        match info {
            Some(info) if info.view.is_some() => Some("view"),
            Some(_) => Some("table"),
            None if schema.index_table(name).is_some() => Some("index"),
            None if schema.table_info(name).is_none() && schema.columns(name).is_some() => {
                let is_table = schema.create_sql(name).is_some();
                Some(if is_table { "table" } else { "view" })
            }
            None => None,
        }
    }

    fn statement(mut self) -> Result<Statement, DialectError> {
        let tag = match self.kind {
            "table" => "DROP TABLE",
            "view" => "DROP VIEW",
            _ => "DROP INDEX",
        };
        let dropped: Vec<String> = self
            .objects
            .iter()
            .map(|object| object.name.clone())
            .collect();
        let mut dependents = Dependents::new(self.schema, &dropped);
        for object in &self.objects {
            self.dependents_of(object, &mut dependents);
        }
        let mut parts = Vec::new();
        if !dependents.is_empty() {
            if !self.cascade {
                let only = match dropped.as_slice() {
                    [only] => Some(format!("{} {}", self.kind, shown(only))),
                    _ => None,
                };
                return Err(dependents.refusal(only.as_deref()));
            }
            self.notices.push(dependents.notice());
            parts = dependents.drops();
        }
        parts.extend(self.between(&dropped));
        let statement = if self.objects.is_empty() {
            Statement::accepted(tag)
        } else if parts.is_empty() {
            Statement::ddl(tag, self.sqlite())
        } else {
            parts.push(self.alone());
            Statement::of_parts(tag, parts)
        };
        Ok(Statement {
            notices: self.notices,
            ..statement
        })
    }

    fn dependents_of(&self, object: &Object, dependents: &mut Dependents<'_>) {
        let name = object.name.as_str();
        if self.kind != "index" {
            let on = format!("{} {}", self.kind, shown(name));
            if object.place == "temp" {
                dependents.of_temporary(name, &on);
            } else {
                dependents.of_relation(name, &on);
            }
            return;
        }
        let table = self.schema.index_table(name).unwrap_or_default();
        let texts = self.schema.dependents_in(object.place, &table);
        let text = texts.iter().find(|sql| index_named(sql, name));
        let Some(key) = text.and_then(|sql| unique_columns(sql)) else {
            return;
        };
        if let Some(info) = self.schema.table_info(&table) {
            let on = format!("index {}", shown(name));
            dependents.of_key(&info, &key, &on);
        }
    }

    /// The foreign keys among the tables that go together: they go first, so that the order does not matter.
    fn between(&self, dropped: &[String]) -> Vec<String> {
        let mut drops = Vec::new();
        if self.kind != "table" || dropped.len() < 2 {
            return drops;
        }
        for parent in dropped {
            for (_, child) in self.schema.referrers(parent) {
                if child.name == *parent || !dropped.contains(&child.name) {
                    continue;
                }
                for key in foreign_keys_to(&child, parent) {
                    drops.push(format!(
                        "ALTER TABLE {} DROP CONSTRAINT {}",
                        qualified(&child.name),
                        quote_name(&key.name)
                    ));
                }
            }
        }
        drops
    }

    /// The same DROP of what is there, when nothing depends on it any more.
    fn alone(&self) -> String {
        let names: Vec<String> = self
            .objects
            .iter()
            .map(|object| {
                if object.place == "temp" {
                    format!("pg_temp.{}", quote_name(&object.name))
                } else {
                    qualified(&object.name)
                }
            })
            .collect();
        format!(
            "DROP {} {}",
            self.src.text(1).to_ascii_uppercase(),
            names.join(", ")
        )
    }

    fn sqlite(&self) -> Vec<String> {
        let mut sqlite = Vec::new();
        let kind = self.kind.to_ascii_uppercase();
        for object in &self.objects {
            // The session's own index is found by its name alone.
            let name = if self.kind == "index" && object.schema.is_none() {
                quote_name(&object.name)
            } else {
                object.quoted()
            };
            sqlite.push(format!("DROP {kind} {name}"));
            if object.place != "main" {
                continue;
            }
            if self.kind == "table" {
                for (sequence, _) in self.schema.owned_sequences(&object.name) {
                    sqlite.extend(stored::drop(&sequence));
                    sqlite.extend(stored_rights::drop(self.schema, &sequence));
                }
            }
            sqlite.extend(comment::drop_relation(self.schema, &object.name));
            if self.kind != "index" {
                sqlite.extend(stored_rights::drop(self.schema, &object.name));
            }
        }
        sqlite
    }
}
