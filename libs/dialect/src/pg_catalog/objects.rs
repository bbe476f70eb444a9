//! What the functions about the catalog know: the objects by their numbers and by their names.

use std::collections::HashMap;

use acl::Authority;
use pgtypes::SqlState;

use crate::error::DialectError;
use crate::literal::quoted_part;
use crate::pg_catalog::describe::identifier;
use crate::pg_catalog::visible::Visible;
use crate::pg_catalog::{CatalogInput, Owned};
use crate::stored_name;
use crate::user_type::UserType;

/// The schema of the session's own tables, which goes by the name `pg_temp` as well.
pub(crate) const TEMPORARY: &str = "pg_temp_1";

/// A relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Class {
    /// That it is in: one of users, `pg_catalog` or `information_schema`.
    pub(crate) schema: String,
    /// Its name.
    pub(crate) name: String,
    /// `r`, `v`, `i` or `S`.
    pub(crate) kind: char,
    /// What defines an index or a view.
    pub(crate) definition: Text,
    /// The terms of an index.
    pub(crate) terms: Vec<Text>,
    /// The table of an index, and the columns that it is about.
    pub(crate) indexed: Option<(String, Vec<String>)>,
}

/// A relation, for those who count or lock it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation<'a> {
    /// Its number.
    pub oid: u32,
    /// The schema that it is in.
    pub schema: &'a str,
    /// Its name there.
    pub name: &'a str,
    /// Its name in SQLite.
    pub stored: String,
    /// `r`, `v`, `i` or `S`.
    pub kind: char,
    /// The table of an index: its name in SQLite.
    pub indexed: Option<&'a str>,
    /// It is a user's, and not the session's alone.
    pub lasts: bool,
}

/// A definition in both ways of showing it: with all parentheses, or with those that it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) full: String,
    pub(crate) pretty: String,
}

impl Text {
    pub(crate) fn of(&self, pretty: bool) -> &str {
        if pretty { &self.pretty } else { &self.full }
    }
}

/// The objects of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Objects {
    /// The schemas in which a name without one is looked up, in their order.
    search_path: Vec<String>,
    classes: HashMap<u32, Class>,
    numbers: HashMap<(String, String), u32>,
    constraints: HashMap<u32, Text>,
    /// Expressions with all parentheses, as tables of the catalog hold them, and how they look with less.
    pretty: HashMap<String, String>,
    roles: Vec<(u32, String)>,
    namespaces: Vec<(u32, String)>,
    databases: Vec<(u32, String)>,
    /// By the catalog table that an object is in, its number, and that of a column of it.
    comments: HashMap<(u32, u32, i64), String>,
    /// The session's role, and who may do what.
    user: String,
    authority: Authority,
    /// Who owns and may use the databases.
    owned: HashMap<String, Owned>,
    /// The types that users have made.
    types: Vec<UserType>,
    visible: Visible,
}

impl Objects {
    pub(crate) fn set_authority(&mut self, input: &CatalogInput) {
        self.user.clone_from(&input.user);
        self.authority.clone_from(&input.authority);
        self.owned = input.databases.iter().cloned().collect();
        self.types.clone_from(&input.types);
    }

    /// The types that users have made.
    pub(crate) fn types(&self) -> &[UserType] {
        &self.types
    }

    /// The session's role.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Who may do what in the session's database.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Who may do what with a database.
    pub(crate) fn authority_of(&self, database: &str) -> Authority {
        let owned = self
            .owned
            .get(database)
            .filter(|owned| owned.owner.is_some());
        Authority {
            roles: self.authority.roles.clone(),
            database: owned.map(|owned| acl::Object {
                owner: owned.owner.clone(),
                acl: owned.acl.clone(),
            }),
            ..Authority::default()
        }
    }

    pub(crate) fn set_visible(&mut self, visible: Visible) {
        self.visible = visible;
    }

    /// Which names stand alone.
    pub(crate) fn visible(&self) -> &Visible {
        &self.visible
    }

    pub(crate) fn set_search_path(&mut self, path: &[String]) {
        self.search_path = path.to_vec();
    }

    pub(crate) fn add_class(&mut self, oid: u32, class: Class) {
        let name = (class.schema.clone(), class.name.clone());
        self.numbers.insert(name, oid);
        self.classes.insert(oid, class);
    }

    pub(crate) fn add_constraint(&mut self, oid: u32, definition: Text) {
        self.constraints.insert(oid, definition);
    }

    pub(crate) fn add_role(&mut self, oid: u32, name: &str) {
        self.roles.push((oid, name.to_owned()));
    }

    pub(crate) fn add_namespace(&mut self, oid: u32, name: &str) {
        self.namespaces.push((oid, name.to_owned()));
    }

    pub(crate) fn add_database(&mut self, oid: u32, name: &str) {
        self.databases.push((oid, name.to_owned()));
    }

    /// The name of a database.
    pub fn database(&self, oid: i64) -> Option<&str> {
        let found = self
            .databases
            .iter()
            .find(|(known, _)| i64::from(*known) == oid);
        found.map(|(_, name)| name.as_str())
    }

    /// The number of a database.
    pub fn database_number(&self, name: &str) -> Option<u32> {
        let found = self.databases.iter().find(|(_, known)| known == name);
        found.map(|(oid, _)| *oid)
    }

    /// The number of a user.
    pub fn role_number(&self, name: &str) -> Option<u32> {
        self.role(name)
    }

    pub(crate) fn add_comment(&mut self, (class, oid, column): (u32, u32, i64), text: &str) {
        self.comments.insert((class, oid, column), text.to_owned());
    }

    /// What was said about an object of a catalog table, or of any.
    pub(crate) fn comment(&self, class: Option<u32>, oid: u32, column: i64) -> Option<&str> {
        let found = match class {
            Some(class) => self.comments.get(&(class, oid, column)),
            None => self
                .comments
                .iter()
                .find(|((_, known, part), _)| *known == oid && *part == column)
                .map(|(_, text)| text),
        };
        found.map(String::as_str)
    }

    /// All relations, those of every database among them.
    pub fn relations(&self) -> impl Iterator<Item = Relation<'_>> {
        self.classes.iter().map(|(oid, class)| Relation {
            oid: *oid,
            schema: &class.schema,
            name: &class.name,
            stored: stored_name::join(&class.schema, &class.name),
            kind: class.kind,
            indexed: class.indexed.as_ref().map(|(table, _)| table.as_str()),
            lasts: !matches!(
                class.schema.as_str(),
                "pg_catalog" | "information_schema" | TEMPORARY
            ),
        })
    }

    pub(crate) fn class(&self, oid: u32) -> Option<&Class> {
        self.classes.get(&oid)
    }

    pub(crate) fn constraint(&self, oid: u32) -> Option<&Text> {
        self.constraints.get(&oid)
    }

    pub(crate) fn add_expression(&mut self, full: &str, pretty: &str) {
        if full != pretty {
            self.pretty.insert(full.to_owned(), pretty.to_owned());
        }
    }

    /// An expression with no more parentheses than it needs.
    pub(crate) fn pretty<'a>(&'a self, full: &'a str) -> &'a str {
        self.pretty.get(full).map_or(full, String::as_str)
    }

    pub(crate) fn role_name(&self, oid: u32) -> Option<&str> {
        let found = self.roles.iter().find(|(known, _)| *known == oid);
        found.map(|(_, name)| name.as_str())
    }

    pub(crate) fn role(&self, name: &str) -> Option<u32> {
        let found = self.roles.iter().find(|(_, known)| known == name);
        found.map(|(oid, _)| *oid)
    }

    pub(crate) fn namespace_name(&self, oid: u32) -> Option<&str> {
        let found = self.namespaces.iter().find(|(known, _)| *known == oid);
        found.map(|(_, name)| name.as_str())
    }

    pub(crate) fn namespace(&self, name: &str) -> Option<u32> {
        let found = self.namespaces.iter().find(|(_, known)| known == name);
        found.map(|(oid, _)| *oid)
    }

    /// The relation of a name as SQL writes it, which may have a schema; 3F000 where there is no such schema.
    pub(crate) fn relation(&self, written: &str) -> Result<Option<u32>, DialectError> {
        let path = names(written)?;
        match path.as_slice() {
            [name] => Ok(self.found(name)),
            [.., schema, name] => {
                let schema = match schema.as_str() {
                    "pg_temp" => TEMPORARY,
                    schema => schema,
                };
                if self.namespace(schema).is_none() {
                    return Err(DialectError::new(
                        SqlState::INVALID_SCHEMA_NAME,
                        format!("schema \"{schema}\" does not exist"),
                    ));
                }
                let wanted = (schema.to_owned(), name.clone());
                Ok(self.numbers.get(&wanted).copied())
            }
            [] => Ok(None),
        }
    }

    /// A relation's name as `regclass` shows it: with the schema where the name alone would not find it.
    pub(crate) fn relation_name(&self, oid: u32) -> Option<String> {
        let class = self.class(oid)?;
        let name = identifier(&class.name);
        let found = self.found(&class.name);
        Some(if found == Some(oid) {
            name
        } else {
            format!("{}.{name}", identifier(&class.schema))
        })
    }

    /// Whether a relation is found by its name alone; `None` where there is none of that number.
    pub(crate) fn is_visible(&self, oid: u32) -> Option<bool> {
        let class = self.class(oid)?;
        Some(self.found(&class.name) == Some(oid))
    }

    /// The relation that a name without a schema means.
    fn found(&self, name: &str) -> Option<u32> {
        let mut path = self.search_path.iter();
        path.find_map(|schema| {
            let wanted = (schema.clone(), name.to_owned());
            self.numbers.get(&wanted).copied()
        })
    }
}

/// The parts of a name with dots between them; what has no quotes is in lower case.
pub(crate) fn names(written: &str) -> Result<Vec<String>, DialectError> {
    let invalid = || DialectError::new(SqlState::INVALID_NAME, "invalid name syntax");
    let mut parts = Vec::new();
    let mut rest = written.trim();
    loop {
        let (part, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_part(quoted).ok_or_else(invalid)?
        } else {
            let end = rest
                .find(|c: char| c == '.' || c.is_whitespace())
                .unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            if part.is_empty() || part.contains('"') {
                return Err(invalid());
            }
            (part.to_ascii_lowercase(), after)
        };
        parts.push(part);
        match after.trim_start().strip_prefix('.') {
            Some(after) => rest = after.trim_start(),
            None if after.trim().is_empty() => return Ok(parts),
            None => return Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(schema: &str, name: &str) -> Class {
        Class {
            schema: schema.to_owned(),
            name: name.to_owned(),
            kind: 'r',
            definition: Text::default(),
            terms: Vec::new(),
            indexed: None,
        }
    }

    #[test]
    fn a_name_has_parts_with_or_without_quotes() {
        assert_eq!(names("Public.T").unwrap(), ["public", "t"]);
        assert_eq!(names("\"A.b\".\"c\"\"d\"").unwrap(), ["A.b", "c\"d"]);
        for wrong in ["", "a.", ".a", "\"a", "a b", "a\"b"] {
            assert_eq!(names(wrong).unwrap_err().sqlstate, SqlState::INVALID_NAME);
        }
    }

    #[test]
    fn a_relation_is_found_and_shown_by_its_name() {
        let mut objects = Objects::default();
        objects.add_namespace(2200, "public");
        objects.add_namespace(13_000, "information_schema");
        objects.add_class(20_000, class("public", "Order"));
        objects.add_class(13_001, class("information_schema", "tables"));
        assert_eq!(objects.relation("public.\"Order\""), Ok(Some(20_000)));
        assert_eq!(objects.relation("order"), Ok(None));
        assert_eq!(objects.relation("\"Order\""), Ok(None));
        assert_eq!(objects.relation_name(20_000).unwrap(), "public.\"Order\"");
        objects.set_search_path(&["public".to_owned()]);
        assert_eq!(objects.relation("\"Order\""), Ok(Some(20_000)));
        assert_eq!(objects.relation("tables"), Ok(None));
        assert!(objects.relation("nope.t").is_err());
        assert_eq!(objects.relation_name(20_000).unwrap(), "\"Order\"");
        let shown = objects.relation_name(13_001).unwrap();
        assert_eq!(shown, "information_schema.tables");
    }
}
