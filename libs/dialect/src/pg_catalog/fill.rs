//! Rows of the catalog, made from what the server knows of its databases, users and tables.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::LazyLock;

use acl::Kind;
use pgtypes::SqlValue as Value;

use crate::own_tables::is_own_table;
use crate::pg_catalog::fill_constraint::is_key;
use crate::pg_catalog::index;
pub(crate) use crate::pg_catalog::namespace::{Namespace, PUBLIC};
use crate::pg_catalog::number::number_of;
use crate::pg_catalog::objects::{Class, Objects, TEMPORARY, Text};
use crate::pg_catalog::tables::{self, tables};
use crate::pg_catalog::view_text::Readable;
use crate::pg_catalog::visible::Visible;
use crate::pg_catalog::written::Definitions;
use crate::pg_catalog::{CatalogInput, CatalogRows, Contents};
use crate::table_info::{Constraint, ConstraintKind, TableInfo};

pub(crate) const OWNER: u32 = 10;
pub(crate) const HEAP: u32 = 2;
pub(crate) const BTREE: u32 = 403;
pub(crate) const DEFAULT_COLLATION: u32 = 100;
pub(crate) const C_COLLATION: u32 = 950;

pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

pub(crate) fn int(value: impl Into<i64>) -> Value {
    Value::Integer(value.into())
}

pub(crate) fn count(value: usize) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(0))
}

pub(crate) fn truth(value: bool) -> Value {
    Value::Integer(i64::from(value))
}

/// An `int2vector` or `oidvector`: an array whose first element has the number 0.
pub(crate) fn vector<T: AsRef<str>>(elements: &[T]) -> Value {
    let elements: Vec<&str> = elements.iter().map(AsRef::as_ref).collect();
    match elements.len() {
        0 => text("{}"),
        length => Value::Text(format!("[0:{}]={{{}}}", length - 1, elements.join(","))),
    }
}

/// Collects rows by column names; what is not named is NULL.
pub(crate) struct Filler<'a> {
    pub(crate) input: &'a CatalogInput,
    rows: HashMap<&'static str, Vec<Vec<Value>>>,
    pub(crate) objects: Objects,
    taken: HashSet<u32>,
    pub(crate) tables: HashMap<String, u32>,
    /// The schema of the table whose rows are made.
    pub(crate) place: Namespace,
    /// The indexes of keys, to which foreign keys refer.
    pub(crate) keys: HashMap<String, u32>,
    pub(crate) visible: Rc<Visible>,
}

/// The rows that are the same in every database.
pub fn fixed_rows() -> &'static [CatalogRows] {
    static FIXED: LazyLock<Vec<CatalogRows>> = LazyLock::new(|| {
        let input = CatalogInput::default();
        let mut filler = Filler::new(&input);
        filler.fixed();
        filler.rows()
    });
    &FIXED
}

/// The rows of a database, and its objects.
///
/// Object identifiers come from names, so that they stay when other objects come and go.
pub fn contents(input: &CatalogInput) -> Contents {
    let mut filler = Filler::new(input);
    filler.objects.set_search_path(&input.search_path);
    let types = input.types.iter().map(|ty| ty.name.clone());
    let domains = input.domains.iter().map(|domain| domain.name.clone());
    let visible = Visible::of(&input.tables, &input.sequences, &input.search_path);
    let visible = visible.with_types(types.chain(domains));
    filler.objects.set_visible(visible.clone());
    filler.visible = Rc::new(visible);
    filler.system_objects();
    filler.schemas();
    let lasting = input.tables.iter().filter(|table| !table.temporary);
    for (name, oid) in filler.relation_numbers(lasting.map(|table| table.name.as_str())) {
        filler.tables.insert(name.to_ascii_lowercase(), oid);
    }
    filler.users();
    filler.server();
    filler.defaults();
    filler.future_rights();
    if input.tables.iter().any(|table| table.temporary) {
        filler.session_tables();
    }
    // The view of a sequence is no view in PostgreSQL's eyes.
    let shown = |table: &&TableInfo| {
        !is_own_table(&table.name)
            && !input
                .sequences
                .iter()
                .any(|sequence| sequence.name == table.name)
    };
    for table in input.tables.iter().filter(shown) {
        let keys = table.constraints.iter().filter(|key| is_key(&key.kind));
        filler.enter(table);
        for key in keys {
            let name = filler.in_place(&key.name);
            let oid = filler.own_oid(&name);
            filler.keys.insert(filler.own(&name), oid);
        }
    }
    for table in input.tables.iter().filter(shown) {
        filler.enter(table);
        filler.table(table);
    }
    for sequence in &input.sequences {
        filler.place = filler.namespace_of(&sequence.name);
        filler.sequence(sequence);
    }
    filler.place = Namespace::public();
    filler.user_types();
    filler.domains();
    filler.comments();
    filler.objects.set_authority(input);
    Contents {
        objects: std::mem::take(&mut filler.objects),
        rows: filler.rows(),
    }
}

/// The numbers of all tables, views and sequences of a database, whose names are given in their order: those that
/// [`contents`] gives them.
pub fn relation_numbers(names: &[String]) -> HashMap<String, u32> {
    let input = CatalogInput::default();
    let mut filler = Filler::new(&input);
    let numbers = filler.relation_numbers(names.iter().map(String::as_str));
    let numbers = numbers.into_iter();
    numbers.map(|(name, oid)| (name.to_owned(), oid)).collect()
}

impl<'a> Filler<'a> {
    /// They come first, so that they depend on nothing else.
    fn relation_numbers<'n>(
        &mut self,
        names: impl Iterator<Item = &'n str>,
    ) -> Vec<(&'n str, u32)> {
        names.map(|name| (name, self.oid("class", name))).collect()
    }

    fn new(input: &'a CatalogInput) -> Self {
        Self {
            input,
            rows: HashMap::new(),
            objects: Objects::default(),
            taken: HashSet::new(),
            tables: HashMap::new(),
            place: Namespace::public(),
            keys: HashMap::new(),
            visible: Rc::default(),
        }
    }

    fn rows(mut self) -> Vec<CatalogRows> {
        tables()
            .filter_map(|table| {
                Some(CatalogRows {
                    table: table.name,
                    rows: self.rows.remove(table.name)?,
                })
            })
            .collect()
    }
}

impl<'a> Filler<'a> {
    /// A number from 16384 on, from a hash of the name (FNV-1a).
    pub(crate) fn oid(&mut self, kind: &str, name: &str) -> u32 {
        let mut oid = number_of(kind, name);
        while !self.taken.insert(oid) {
            oid += 1;
        }
        oid
    }

    /// The schema of the session, and the numbers of what is in it.
    fn session_tables(&mut self) {
        let Namespace { oid, name } = Namespace::temporary();
        self.push(
            "pg_namespace",
            &[
                ("oid", int(oid)),
                ("nspname", text(&name)),
                ("nspowner", int(OWNER)),
            ],
        );
        self.objects.add_namespace(oid, &name);
        self.place = Namespace::temporary();
        for table in self.input.tables.iter().filter(|table| table.temporary) {
            let oid = self.own_oid(&table.name);
            let key = self.own(&table.name.to_ascii_lowercase());
            self.tables.insert(key, oid);
        }
        self.place = Namespace::public();
        let mut path = self.input.search_path.clone();
        path.insert(0, name);
        self.objects.set_search_path(&path);
    }

    /// From now on rows are those of this table's schema.
    fn enter(&mut self, table: &TableInfo) {
        self.place = if table.temporary {
            Namespace::temporary()
        } else {
            self.namespace_of(&table.name)
        };
    }

    /// A stored name, or one of the session's own where its rows are made: it may have a table of the same.
    pub(crate) fn own(&self, name: &str) -> String {
        if self.place.is_temporary() {
            [TEMPORARY, ".", name].concat()
        } else {
            name.to_owned()
        }
    }

    /// The number of a relation of that schema.
    pub(crate) fn own_oid(&mut self, name: &str) -> u32 {
        let name = self.own(name);
        self.oid("class", &name)
    }

    /// The number of a table of that schema; 0 where there is none of that name.
    pub(crate) fn table_oid(&self, name: &str) -> u32 {
        let key = self.own(&name.to_ascii_lowercase());
        self.tables.get(&key).copied().unwrap_or(0)
    }

    /// A table of that schema.
    pub(crate) fn table_named(&self, name: &str) -> Option<&'a TableInfo> {
        let temporary = self.place.is_temporary();
        self.input
            .tables
            .iter()
            .find(|table| table.temporary == temporary && table.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn push(&mut self, table: &'static str, values: &[(&str, Value)]) {
        let Some(definition) = tables::by_name(table) else {
            return;
        };
        let mut row = vec![Value::Null; definition.columns.len()];
        for (column, value) in values {
            if let Some(slot) = definition.position(column).and_then(|at| row.get_mut(at)) {
                *slot = value.clone();
            }
        }
        self.rows.entry(definition.name).or_default().push(row);
    }

    /// The number in the first column where the others have these values.
    pub(crate) fn find(
        &self,
        table: &'static str,
        number: &str,
        wanted: &[(&str, Value)],
    ) -> Option<i64> {
        let definition = tables::by_name(table)?;
        let at = definition.position(number)?;
        let wanted: Vec<(usize, &Value)> = wanted
            .iter()
            .map(|(column, value)| Some((definition.position(column)?, value)))
            .collect::<Option<_>>()?;
        let own = self.rows.get(table).into_iter().flatten();
        let fixed = fixed_rows().iter().filter(|rows| rows.table == table);
        let row = own.chain(fixed.flat_map(|rows| &rows.rows)).find(|row| {
            wanted
                .iter()
                .all(|(column, value)| row.get(*column) == Some(*value))
        })?;
        match row.get(at) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// Notes a relation for the functions that look one up.
    pub(crate) fn object(&mut self, oid: u32, name: &str, kind: char, definition: &str) {
        let definition = Text {
            full: definition.to_owned(),
            pretty: definition.to_owned(),
        };
        self.defined(oid, name, kind, definition);
    }

    /// The same of one that is shown in two ways.
    fn defined(&mut self, oid: u32, name: &str, kind: char, definition: Text) {
        let class = Class {
            schema: self.place.name.clone(),
            name: name.to_owned(),
            kind,
            definition,
            terms: Vec::new(),
            indexed: None,
        };
        self.objects.add_class(oid, class);
    }

    pub(crate) fn class(&mut self, oid: u32, name: &str, kind: &str, more: &[(&str, Value)]) {
        let access = match kind {
            "r" => HEAP,
            "i" => BTREE,
            _ => 0,
        };
        let persistence = if self.place.is_temporary() { "t" } else { "p" };
        let mut values = vec![
            ("oid", int(oid)),
            ("relname", text(name)),
            ("relnamespace", int(self.place.oid)),
            ("reltype", int(0)),
            ("reloftype", int(0)),
            ("relowner", int(OWNER)),
            ("relam", int(access)),
            ("relfilenode", int(oid)),
            ("reltablespace", int(0)),
            ("relpages", int(0)),
            ("reltuples", int(-1)),
            ("relallvisible", int(0)),
            ("reltoastrelid", int(0)),
            ("relisshared", truth(false)),
            ("relpersistence", text(persistence)),
            ("relkind", text(kind)),
            ("relhasrules", truth(false)),
            ("relhassubclass", truth(false)),
            ("relrowsecurity", truth(false)),
            ("relforcerowsecurity", truth(false)),
            ("relispopulated", truth(true)),
            ("relreplident", text(if kind == "r" { "d" } else { "n" })),
            ("relispartition", truth(false)),
            ("relrewrite", int(0)),
        ];
        values.extend(more.iter().cloned());
        self.push("pg_class", &values);
    }

    fn table(&mut self, table: &TableInfo) {
        let oid = self.table_oid(&table.name);
        let checks = table
            .constraints
            .iter()
            .filter(|constraint| matches!(constraint.kind, ConstraintKind::Check { .. }))
            .count();
        let keyed = table
            .constraints
            .iter()
            .any(|constraint| is_key(&constraint.kind));
        let indexed = keyed || !table.indexes.is_empty();
        let kind = if table.view.is_some() { "v" } else { "r" };
        let [owner, acl] = self.rights(Kind::Table, &table.name);
        let row_type = self.row_type(oid, table.shown_name(), owner.1.clone());
        let more = [
            ("reltype", int(row_type)),
            ("relnatts", count(table.columns.len())),
            ("relchecks", count(checks)),
            ("relhasindex", truth(indexed)),
            ("relhastriggers", truth(self.has_triggers(table))),
            owner,
            acl,
        ];
        self.class(oid, table.shown_name(), kind, &more);
        let readable = Readable {
            tables: &self.input.tables,
            sequences: &self.input.sequences,
            types: &self.input.types,
            schemas: &self.input.schemas,
            visible: &self.visible,
        };
        let view = table
            .view
            .as_deref()
            .map(|written| readable.text(table, written));
        let kind = if view.is_some() { 'v' } else { 'r' };
        let definition = view.clone().flatten().unwrap_or_default();
        self.defined(oid, table.shown_name(), kind, definition);
        let visible = Rc::clone(&self.visible);
        let definitions =
            Definitions::of(table, &self.input.sequences, &self.input.types).seen_by(&visible);
        self.columns(oid, table, &definitions);
        if table.view.is_none() {
            self.system_attributes(oid);
        }
        self.listed(table, indexed, view.as_ref());
        for constraint in &table.constraints {
            self.constraint(oid, table, constraint, &definitions);
        }
        for sql in &table.indexes {
            if let Some(index) = index::read(sql, &definitions) {
                self.index((oid, table), &index, false);
            }
        }
    }

    /// As PostgreSQL sees it, a foreign key is made of triggers on both of its tables; psql shows it only then.
    fn has_triggers(&self, table: &TableInfo) -> bool {
        let refers = |constraint: &Constraint, to: Option<&str>| match &constraint.kind {
            ConstraintKind::ForeignKey { table, .. } => {
                to.is_none_or(|to| table.eq_ignore_ascii_case(to))
            }
            _ => false,
        };
        !table.triggers.is_empty()
            || table.constraints.iter().any(|own| refers(own, None))
            || self
                .input
                .tables
                .iter()
                .filter(|other| other.temporary == table.temporary)
                .flat_map(|other| &other.constraints)
                .any(|constraint| refers(constraint, Some(&table.name)))
    }

    /// `pg_tables`, `pg_views` and their like in `information_schema`.
    fn listed(&mut self, table: &TableInfo, indexed: bool, view: Option<&Option<Text>>) {
        let owner = self.owner_of(Kind::Table, &table.name);
        if !table.temporary {
            self.granted(&table.name);
        }
        let database = self.input.database.clone();
        let names = [
            ("table_catalog", text(&database)),
            ("table_schema", text(&self.place.name)),
            ("table_name", text(table.shown_name())),
        ];
        let kind = if table.view.is_some() {
            "VIEW"
        } else if table.temporary {
            "LOCAL TEMPORARY"
        } else {
            "BASE TABLE"
        };
        let mut values = names.to_vec();
        values.extend([
            ("table_type", text(kind)),
            (
                "is_insertable_into",
                text(if table.view.is_some() { "NO" } else { "YES" }),
            ),
            ("is_typed", text("NO")),
        ]);
        self.push("information_schema.tables", &values);
        if let Some(view) = view {
            let definition = view.as_ref().map_or(Value::Null, |view| text(&view.full));
            self.push(
                "pg_views",
                &[
                    ("schemaname", text(&self.place.name)),
                    ("viewname", text(table.shown_name())),
                    ("viewowner", text(&owner)),
                    ("definition", definition.clone()),
                ],
            );
            let mut values = names.to_vec();
            values.push(("view_definition", definition));
            values.push(("check_option", text("NONE")));
            // A view takes no rows here.
            for column in [
                "is_updatable",
                "is_insertable_into",
                "is_trigger_updatable",
                "is_trigger_deletable",
                "is_trigger_insertable_into",
            ] {
                values.push((column, text("NO")));
            }
            self.push("information_schema.views", &values);
        } else {
            self.push(
                "pg_tables",
                &[
                    ("schemaname", text(&self.place.name)),
                    ("tablename", text(table.shown_name())),
                    ("tableowner", text(&owner)),
                    ("hasindexes", truth(indexed)),
                    ("hasrules", truth(false)),
                    ("hastriggers", truth(!table.triggers.is_empty())),
                    ("rowsecurity", truth(false)),
                ],
            );
        }
    }
}
