//! Rows of the catalog, made from what the server knows of its databases, users and tables.

use std::collections::{HashMap, HashSet};

use pgtypes::PgType;

use crate::ddl::comment::Comment;
use crate::functions::Value;
use crate::pg_catalog::describe;
use crate::pg_catalog::fill_constraint::is_key;
use crate::pg_catalog::{CatalogInput, CatalogRows, CatalogTable, definitions::TABLES};
use crate::sequence::SequenceInfo;
use crate::table_info::{Constraint, ConstraintKind, Identity, TableInfo};

pub(crate) const PUBLIC: u32 = 2200;
pub(crate) const OWNER: u32 = 10;
pub(crate) const HEAP: u32 = 2;
pub(crate) const BTREE: u32 = 403;
/// The first oid that PostgreSQL gives to what users make.
const FIRST: u32 = 16_384;

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

/// Collects rows by column names; what is not named is NULL.
pub(crate) struct Filler<'a> {
    pub(crate) input: &'a CatalogInput,
    rows: HashMap<&'static str, Vec<Vec<Value>>>,
    taken: HashSet<u32>,
    pub(crate) tables: HashMap<String, u32>,
}

/// The rows of every table, an entry for each of [`crate::pg_catalog::tables`].
///
/// Object identifiers come from names, so that they stay when other objects come and go.
pub fn rows(input: &CatalogInput) -> Vec<CatalogRows> {
    let mut filler = Filler {
        input,
        rows: HashMap::new(),
        taken: HashSet::new(),
        tables: HashMap::new(),
    };
    filler.fixed();
    filler.users();
    // The view of a sequence is no view in PostgreSQL's eyes.
    let shown = |table: &&TableInfo| {
        table.name != SequenceInfo::TABLE
            && table.name != Comment::TABLE
            && !input
                .sequences
                .iter()
                .any(|sequence| sequence.name == table.name)
    };
    for table in input.tables.iter().filter(shown) {
        let oid = filler.oid("class", &table.name);
        filler.tables.insert(table.name.to_ascii_lowercase(), oid);
    }
    for table in input.tables.iter().filter(shown) {
        filler.table(table);
    }
    for sequence in &input.sequences {
        filler.sequence(sequence);
    }
    filler.comments();
    TABLES
        .iter()
        .map(|table| CatalogRows {
            table: table.name,
            rows: filler.rows.remove(table.name).unwrap_or_default(),
        })
        .collect()
}

fn position(table: &CatalogTable, column: &str) -> Option<usize> {
    table
        .columns
        .split(',')
        .position(|spec| spec.split_ascii_whitespace().next() == Some(column))
}

impl Filler<'_> {
    /// A number from 16384 on, from a hash of the name (FNV-1a).
    pub(crate) fn oid(&mut self, kind: &str, name: &str) -> u32 {
        let mut hash = 0x811c_9dc5_u32;
        for byte in kind.bytes().chain([0]).chain(name.bytes()) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
        let mut oid = FIRST + hash % 0x3fff_0000;
        while !self.taken.insert(oid) {
            oid += 1;
        }
        oid
    }

    pub(crate) fn push(&mut self, table: &'static str, values: &[(&str, Value)]) {
        let Some(definition) = TABLES.iter().find(|known| known.name == table) else {
            return;
        };
        let width = definition.columns.split(',').count();
        let mut row = vec![Value::Null; width];
        for (column, value) in values {
            if let Some(slot) = position(definition, column).and_then(|at| row.get_mut(at)) {
                *slot = value.clone();
            }
        }
        self.rows.entry(table).or_default().push(row);
    }

    /// The number in the first column where the others have these values.
    pub(crate) fn find(
        &self,
        table: &'static str,
        number: &str,
        wanted: &[(&str, Value)],
    ) -> Option<i64> {
        let definition = TABLES.iter().find(|known| known.name == table)?;
        let at = position(definition, number)?;
        let wanted: Vec<(usize, &Value)> = wanted
            .iter()
            .map(|(column, value)| Some((position(definition, column)?, value)))
            .collect::<Option<_>>()?;
        let row = self.rows.get(table)?.iter().find(|row| {
            wanted
                .iter()
                .all(|(column, value)| row.get(*column) == Some(*value))
        })?;
        match row.get(at) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn owner(&self) -> String {
        self.input
            .users
            .first()
            .cloned()
            .unwrap_or_else(|| "dba".to_owned())
    }

    pub(crate) fn object(&mut self, oid: u32, name: &str, kind: &str, definition: &str) {
        self.push(
            "eq_object",
            &[
                ("eq_oid", int(oid)),
                ("eq_name", text(name)),
                ("eq_kind", text(kind)),
                ("eq_def", text(definition)),
            ],
        );
    }

    pub(crate) fn class(&mut self, oid: u32, name: &str, kind: &str, more: &[(&str, Value)]) {
        let access = match kind {
            "r" => HEAP,
            "i" => BTREE,
            _ => 0,
        };
        let mut values = vec![
            ("oid", int(oid)),
            ("relname", text(name)),
            ("relnamespace", int(PUBLIC)),
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
            ("relpersistence", text("p")),
            ("relkind", text(kind)),
            ("relhasrules", truth(false)),
            ("relhassubclass", truth(false)),
            ("relrowsecurity", truth(false)),
            ("relforcerowsecurity", truth(false)),
            ("relispopulated", truth(true)),
            ("relreplident", text(if kind == "r" { "d" } else { "n" })),
            ("relispartition", truth(false)),
            ("relrewrite", int(0)),
            ("relhasoids", truth(false)),
        ];
        values.extend(more.iter().cloned());
        self.push("pg_class", &values);
    }

    fn table(&mut self, table: &TableInfo) {
        let oid = self
            .tables
            .get(&table.name.to_ascii_lowercase())
            .copied()
            .unwrap_or(0);
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
        let more = [
            ("relnatts", count(table.columns.len())),
            ("relchecks", count(checks)),
            ("relhasindex", truth(indexed)),
            ("relhastriggers", truth(self.has_triggers(table))),
        ];
        self.class(oid, &table.name, kind, &more);
        self.object(
            oid,
            &table.name,
            "class",
            table.view.as_deref().unwrap_or(""),
        );
        self.columns(oid, table);
        self.listed(table, indexed);
        for constraint in &table.constraints {
            self.constraint(oid, table, constraint);
        }
        for sql in &table.indexes {
            if let Some(index) = describe::index(sql) {
                self.index(oid, table, &index, false);
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
                .flat_map(|other| &other.constraints)
                .any(|constraint| refers(constraint, Some(&table.name)))
    }

    /// `pg_tables`, `pg_views` and their like in `information_schema`.
    fn listed(&mut self, table: &TableInfo, indexed: bool) {
        let (owner, database) = (self.owner(), self.input.database.clone());
        let names = [
            ("table_catalog", text(&database)),
            ("table_schema", text("public")),
            ("table_name", text(&table.name)),
        ];
        let kind = if table.view.is_some() {
            "VIEW"
        } else {
            "BASE TABLE"
        };
        let mut values = names.to_vec();
        values.extend([
            ("table_type", text(kind)),
            ("is_insertable_into", text("YES")),
            ("is_typed", text("NO")),
        ]);
        self.push("information_schema_tables", &values);
        if let Some(view) = &table.view {
            self.push(
                "pg_views",
                &[
                    ("schemaname", text("public")),
                    ("viewname", text(&table.name)),
                    ("viewowner", text(&owner)),
                    ("definition", text(view)),
                ],
            );
            let mut values = names.to_vec();
            values.push(("view_definition", text(view)));
            self.push("information_schema_views", &values);
        } else {
            self.push(
                "pg_tables",
                &[
                    ("schemaname", text("public")),
                    ("tablename", text(&table.name)),
                    ("tableowner", text(&owner)),
                    ("hasindexes", truth(indexed)),
                    ("hasrules", truth(false)),
                    ("hastriggers", truth(!table.triggers.is_empty())),
                    ("rowsecurity", truth(false)),
                ],
            );
        }
    }

    fn columns(&mut self, oid: u32, table: &TableInfo) {
        for (index, column) in table.columns.iter().enumerate() {
            let ty = column.type_name.unwrap_or(PgType::Text);
            let number = count(index + 1);
            let collation = if ty.is_text() { 100_u32 } else { 0 };
            let written = column.default.as_deref();
            let default = written
                .filter(|_| column.identity.is_none())
                .map(|text| describe::default(text, &ty));
            let identity = match column.identity {
                Some(Identity::Always) => "a",
                Some(Identity::ByDefault) => "d",
                None => "",
            };
            self.push(
                "pg_attribute",
                &[
                    ("attrelid", int(oid)),
                    ("attname", text(&column.name)),
                    ("atttypid", int(ty.oid().get())),
                    ("attstattarget", int(-1)),
                    ("attlen", int(-1)),
                    ("attnum", number.clone()),
                    ("attndims", int(0)),
                    ("atttypmod", int(ty.typmod())),
                    ("attstorage", text(if collation == 0 { "p" } else { "x" })),
                    ("attcompression", text("")),
                    ("attnotnull", truth(column.not_null)),
                    ("atthasdef", truth(default.is_some())),
                    ("atthasmissing", truth(false)),
                    ("attidentity", text(identity)),
                    ("attgenerated", text("")),
                    ("attisdropped", truth(false)),
                    ("attislocal", truth(true)),
                    ("attinhcount", int(0)),
                    ("attcollation", int(collation)),
                ],
            );
            if let Some(default) = &default {
                let key = format!("{}.{}", table.name, column.name);
                let own = self.oid("default", &key);
                self.push(
                    "pg_attrdef",
                    &[
                        ("oid", int(own)),
                        ("adrelid", int(oid)),
                        ("adnum", number.clone()),
                        ("adbin", text(default)),
                    ],
                );
            }
            self.information_column(table, index, &ty, default);
        }
    }

    fn information_column(
        &mut self,
        table: &TableInfo,
        index: usize,
        ty: &PgType,
        default: Option<String>,
    ) {
        let Some(column) = table.columns.get(index) else {
            return;
        };
        let database = self.input.database.clone();
        let given = |number: Option<u32>| number.map_or(Value::Null, int);
        let precision = match ty {
            PgType::Int2 => int(16),
            PgType::Int4 => int(32),
            PgType::Int8 => int(64),
            PgType::Float8 => int(53),
            PgType::Float4 => int(24),
            _ => given(ty.precision()),
        };
        self.push(
            "information_schema_columns",
            &[
                ("table_catalog", text(&database)),
                ("table_schema", text("public")),
                ("table_name", text(&table.name)),
                ("column_name", text(&column.name)),
                ("ordinal_position", count(index + 1)),
                ("column_default", default.map_or(Value::Null, Value::Text)),
                (
                    "is_nullable",
                    text(if column.not_null { "NO" } else { "YES" }),
                ),
                ("data_type", text(ty.name())),
                ("character_maximum_length", given(ty.length())),
                ("numeric_precision", precision),
                ("numeric_scale", given(ty.scale())),
                ("udt_schema", text("pg_catalog")),
                ("udt_name", text(ty.typname())),
                (
                    "is_identity",
                    text(if column.identity.is_some() {
                        "YES"
                    } else {
                        "NO"
                    }),
                ),
                (
                    "identity_generation",
                    match column.identity {
                        Some(Identity::Always) => text("ALWAYS"),
                        Some(Identity::ByDefault) => text("BY DEFAULT"),
                        None => Value::Null,
                    },
                ),
                ("is_generated", text("NEVER")),
                (
                    "is_updatable",
                    text(if table.view.is_some() { "NO" } else { "YES" }),
                ),
            ],
        );
    }
}
