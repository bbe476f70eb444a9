//! Rows of the catalog, made from what the server knows of its databases, users and tables.

use std::collections::{HashMap, HashSet};

use crate::catalog::describe::{self, Index};
use crate::catalog::{CatalogInput, CatalogRows, CatalogTable, definitions::TABLES};
use crate::functions::Value;
use crate::table_info::{Constraint, ConstraintKind, TableInfo};
use crate::types::{BUILTIN, TypeName};

const PG_CATALOG: u32 = 11;
const PUBLIC: u32 = 2200;
const INFORMATION_SCHEMA: u32 = 13_000;
const OWNER: u32 = 10;
const HEAP: u32 = 2;
const BTREE: u32 = 403;
/// The first oid that PostgreSQL gives to what users make.
const FIRST: u32 = 16_384;

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn int(value: impl Into<i64>) -> Value {
    Value::Integer(value.into())
}

fn count(value: usize) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(0))
}

fn truth(value: bool) -> Value {
    Value::Integer(i64::from(value))
}

/// Collects rows by column names; what is not named is NULL.
struct Filler<'a> {
    input: &'a CatalogInput,
    rows: HashMap<&'static str, Vec<Vec<Value>>>,
    taken: HashSet<u32>,
    tables: HashMap<String, u32>,
}

/// The rows of every table, an entry for each of [`crate::catalog::tables`].
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
    for table in &input.tables {
        let oid = filler.oid("class", &table.name);
        filler.tables.insert(table.name.to_ascii_lowercase(), oid);
    }
    for table in &input.tables {
        filler.table(table);
    }
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
    fn oid(&mut self, kind: &str, name: &str) -> u32 {
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

    fn push(&mut self, table: &'static str, values: &[(&str, Value)]) {
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

    fn owner(&self) -> String {
        self.input
            .users
            .first()
            .cloned()
            .unwrap_or_else(|| "dba".to_owned())
    }

    /// What every database has.
    fn fixed(&mut self) {
        for (oid, name) in [
            (PG_CATALOG, "pg_catalog"),
            (PUBLIC, "public"),
            (INFORMATION_SCHEMA, "information_schema"),
        ] {
            self.push(
                "pg_namespace",
                &[
                    ("oid", int(oid)),
                    ("nspname", text(name)),
                    ("nspowner", int(OWNER)),
                ],
            );
            let owner = self.owner();
            let database = self.input.database.clone();
            self.push(
                "information_schema_schemata",
                &[
                    ("catalog_name", text(&database)),
                    ("schema_name", text(name)),
                    ("schema_owner", text(&owner)),
                ],
            );
        }
        for (oid, name, kind) in [(HEAP, "heap", "t"), (BTREE, "btree", "i")] {
            self.push(
                "pg_am",
                &[
                    ("oid", int(oid)),
                    ("amname", text(name)),
                    ("amtype", text(kind)),
                ],
            );
        }
        for (oid, name) in [(100_u32, "default"), (950, "C"), (951, "POSIX")] {
            self.push(
                "pg_collation",
                &[
                    ("oid", int(oid)),
                    ("collname", text(name)),
                    ("collnamespace", int(PG_CATALOG)),
                    ("collencoding", int(-1)),
                ],
            );
        }
        self.push(
            "pg_tablespace",
            &[
                ("oid", int(1663)),
                ("spcname", text("pg_default")),
                ("spcowner", int(OWNER)),
            ],
        );
        for (name, _, oid) in BUILTIN {
            self.built_in_type(name, *oid);
        }
        for (index, name) in self.input.databases.clone().iter().enumerate() {
            let oid = u32::try_from(index).unwrap_or(0) + 5;
            self.push(
                "pg_database",
                &[
                    ("oid", int(oid)),
                    ("datname", text(name)),
                    ("datdba", int(OWNER)),
                    ("encoding", int(6)),
                    ("datlocprovider", text("c")),
                    ("datistemplate", truth(false)),
                    ("datallowconn", truth(true)),
                    ("datconnlimit", int(-1)),
                    ("dattablespace", int(1663)),
                    ("datcollate", text("C")),
                    ("datctype", text("C")),
                ],
            );
        }
        for (name, value, description) in self.input.settings.clone() {
            self.push(
                "pg_settings",
                &[
                    ("name", text(&name)),
                    ("setting", text(&value)),
                    ("short_desc", text(&description)),
                    ("context", text("user")),
                    ("vartype", text("string")),
                    ("source", text("session")),
                    ("boot_val", text(&value)),
                    ("reset_val", text(&value)),
                    ("pending_restart", truth(false)),
                ],
            );
        }
    }

    fn built_in_type(&mut self, name: &str, oid: u32) {
        let length = match name {
            "bool" | "char" => 1,
            "int2" => 2,
            "int4" | "float4" | "oid" | "date" | "regclass" | "regtype" | "regproc"
            | "regnamespace" => 4,
            "int8" | "float8" | "time" | "timestamp" | "timestamptz" => 8,
            "uuid" | "interval" => 16,
            "timetz" => 12,
            "name" => 64,
            _ => -1,
        };
        let category = match name {
            "bool" => "B",
            "text" | "varchar" | "bpchar" | "name" => "S",
            "date" | "time" | "timetz" | "timestamp" | "timestamptz" => "D",
            "interval" => "T",
            "inet" | "cidr" => "I",
            "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" | "oid" => "N",
            _ => "U",
        };
        let collation = if category == "S" { 100_u32 } else { 0 };
        self.push(
            "pg_type",
            &[
                ("oid", int(oid)),
                ("typname", text(name)),
                ("typnamespace", int(PG_CATALOG)),
                ("typowner", int(OWNER)),
                ("typlen", int(length)),
                ("typbyval", truth((1..=8).contains(&length))),
                ("typtype", text("b")),
                ("typcategory", text(category)),
                ("typisdefined", truth(true)),
                ("typdelim", text(",")),
                ("typrelid", int(0)),
                ("typelem", int(0)),
                ("typarray", int(0)),
                ("typinput", text(&format!("{name}in"))),
                ("typnotnull", truth(false)),
                ("typbasetype", int(0)),
                ("typtypmod", int(-1)),
                ("typndims", int(0)),
                ("typcollation", int(collation)),
            ],
        );
    }

    fn users(&mut self) {
        let users = if self.input.users.is_empty() {
            vec!["dba".to_owned()]
        } else {
            self.input.users.clone()
        };
        for (index, name) in users.iter().enumerate() {
            let oid = u32::try_from(index).unwrap_or(0) + OWNER;
            let first = truth(index == 0);
            self.push(
                "pg_roles",
                &[
                    ("oid", int(oid)),
                    ("rolname", text(name)),
                    ("rolsuper", first.clone()),
                    ("rolinherit", truth(true)),
                    ("rolcreaterole", first.clone()),
                    ("rolcreatedb", first.clone()),
                    ("rolcanlogin", truth(true)),
                    ("rolreplication", first.clone()),
                    ("rolconnlimit", int(-1)),
                    ("rolpassword", text("********")),
                    ("rolbypassrls", first.clone()),
                ],
            );
            self.push(
                "pg_user",
                &[
                    ("usename", text(name)),
                    ("usesysid", int(oid)),
                    ("usecreatedb", first.clone()),
                    ("usesuper", first.clone()),
                    ("userepl", first.clone()),
                    ("usebypassrls", first),
                    ("passwd", text("********")),
                ],
            );
        }
    }

    fn object(&mut self, oid: u32, name: &str, kind: &str, definition: &str) {
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

    fn class(&mut self, oid: u32, name: &str, kind: &str, columns: usize, more: &[(&str, Value)]) {
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
            ("relhasindex", truth(false)),
            ("relisshared", truth(false)),
            ("relpersistence", text("p")),
            ("relkind", text(kind)),
            ("relnatts", count(columns)),
            ("relchecks", int(0)),
            ("relhasrules", truth(false)),
            ("relhastriggers", truth(false)),
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
            ("relchecks", count(checks)),
            ("relhasindex", truth(indexed)),
        ];
        self.class(oid, &table.name, kind, table.columns.len(), &more);
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

    /// pg_tables, pg_views and their like in information_schema.
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
            let ty = column
                .type_name
                .clone()
                .unwrap_or_else(|| TypeName::internal("text"));
            let number = count(index + 1);
            let collation = if ty.is_text() { 100_u32 } else { 0 };
            let default = column.default.clone().or_else(|| {
                column
                    .generated
                    .then(|| format!("nextval('{}_{}_seq'::regclass)", table.name, column.name))
            });
            self.push(
                "pg_attribute",
                &[
                    ("attrelid", int(oid)),
                    ("attname", text(&column.name)),
                    ("atttypid", int(ty.oid())),
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
                    ("attidentity", text("")),
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
        ty: &TypeName,
        default: Option<String>,
    ) {
        let Some(column) = table.columns.get(index) else {
            return;
        };
        let database = self.input.database.clone();
        let modifiers = ty.modifiers().map(|text| {
            text.split(',')
                .filter_map(|part| part.trim().parse::<i64>().ok())
                .collect::<Vec<_>>()
        });
        let first = modifiers
            .as_ref()
            .and_then(|numbers| numbers.first().copied())
            .map_or(Value::Null, Value::Integer);
        let second = modifiers
            .as_ref()
            .and_then(|numbers| numbers.get(1).copied())
            .map_or(Value::Null, Value::Integer);
        let precision = match ty.base() {
            "int2" => int(16),
            "int4" => int(32),
            "int8" => int(64),
            "numeric" => first.clone(),
            "float8" => int(53),
            "float4" => int(24),
            _ => Value::Null,
        };
        let scale = if ty.is_integer() { int(0) } else { second };
        let length = if ty.is_text() { first } else { Value::Null };
        let long = TypeName::internal(ty.base()).sql_name();
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
                ("data_type", text(&long)),
                ("character_maximum_length", length),
                ("numeric_precision", precision),
                ("numeric_scale", scale),
                ("udt_schema", text("pg_catalog")),
                ("udt_name", text(ty.base())),
                ("is_identity", text("NO")),
                ("is_generated", text("NEVER")),
                (
                    "is_updatable",
                    text(if table.view.is_some() { "NO" } else { "YES" }),
                ),
            ],
        );
    }

    fn index(&mut self, table_oid: u32, table: &TableInfo, index: &Index, primary: bool) -> u32 {
        let oid = self.oid("class", &index.name);
        let definition = describe::index_definition(&table.name, index);
        self.class(oid, &index.name, "i", index.terms.len(), &[]);
        self.object(oid, &index.name, "class", &definition);
        let keys: Vec<String> = index
            .terms
            .iter()
            .map(|term| attribute(table, term).to_string())
            .collect();
        let all = |value: &str| vec![value; keys.len()].join(" ");
        self.push(
            "pg_index",
            &[
                ("indexrelid", int(oid)),
                ("indrelid", int(table_oid)),
                ("indnatts", count(keys.len())),
                ("indnkeyatts", count(keys.len())),
                ("indisunique", truth(index.unique)),
                ("indisprimary", truth(primary)),
                ("indisexclusion", truth(false)),
                ("indimmediate", truth(true)),
                ("indisclustered", truth(false)),
                ("indisvalid", truth(true)),
                ("indcheckxmin", truth(false)),
                ("indisready", truth(true)),
                ("indislive", truth(true)),
                ("indisreplident", truth(false)),
                ("indkey", text(&keys.join(" "))),
                ("indoption", text(&all("0"))),
                ("indcollation", text(&all("0"))),
                ("indclass", text(&all("0"))),
                ("indnullsnotdistinct", truth(false)),
                (
                    "indpred",
                    index.predicate.as_deref().map_or(Value::Null, text),
                ),
            ],
        );
        self.push(
            "pg_indexes",
            &[
                ("schemaname", text("public")),
                ("tablename", text(&table.name)),
                ("indexname", text(&index.name)),
                ("indexdef", text(&definition)),
            ],
        );
        oid
    }

    fn constraint(&mut self, table_oid: u32, table: &TableInfo, constraint: &Constraint) {
        let key = format!("{}.{}", table.name, constraint.name);
        let oid = self.oid("constraint", &key);
        let index = if is_key(&constraint.kind) {
            let primary = constraint.kind == ConstraintKind::PrimaryKey;
            let index = Index {
                name: constraint.name.clone(),
                unique: true,
                terms: constraint.columns.clone(),
                predicate: None,
            };
            self.index(table_oid, table, &index, primary)
        } else {
            0
        };
        let mut values = vec![
            ("oid", int(oid)),
            ("conname", text(&constraint.name)),
            ("connamespace", int(PUBLIC)),
            ("convalidated", truth(true)),
            ("conrelid", int(table_oid)),
            ("contypid", int(0)),
            ("conindid", int(index)),
            ("conparentid", int(0)),
            ("conislocal", truth(true)),
            ("coninhcount", int(0)),
            ("connoinherit", truth(true)),
            ("conkey", numbers(table, &constraint.columns)),
            ("confrelid", int(0)),
            ("condeferrable", truth(false)),
            ("condeferred", truth(false)),
            ("confupdtype", text(" ")),
            ("confdeltype", text(" ")),
            ("confmatchtype", text(" ")),
        ];
        let mut referenced = Vec::new();
        let kind = match &constraint.kind {
            ConstraintKind::PrimaryKey => "p",
            ConstraintKind::Unique => "u",
            ConstraintKind::Check { expression } => {
                values.push(("conbin", text(expression)));
                "c"
            }
            ConstraintKind::ForeignKey {
                table: other,
                columns,
                on_delete,
                on_update,
                deferrable,
                deferred,
            } => {
                let target = self
                    .input
                    .tables
                    .iter()
                    .find(|table| table.name.eq_ignore_ascii_case(other));
                referenced = target
                    .map(|target| referenced_columns(target, columns))
                    .unwrap_or_default();
                let other_oid = self
                    .tables
                    .get(&other.to_ascii_lowercase())
                    .copied()
                    .unwrap_or(0);
                values.extend([
                    ("confrelid", int(other_oid)),
                    ("confupdtype", text(action(on_update))),
                    ("confdeltype", text(action(on_delete))),
                    ("confmatchtype", text("s")),
                    ("condeferrable", truth(*deferrable)),
                    ("condeferred", truth(*deferred)),
                    (
                        "confkey",
                        target.map_or(Value::Null, |target| numbers(target, &referenced)),
                    ),
                ]);
                "f"
            }
        };
        values.push(("contype", text(kind)));
        self.push("pg_constraint", &values);
        let definition = describe::constraint(constraint, &referenced);
        self.object(oid, &constraint.name, "constraint", &definition);
        self.information_constraint(table, constraint, &referenced);
    }

    fn information_constraint(
        &mut self,
        table: &TableInfo,
        constraint: &Constraint,
        referenced: &[String],
    ) {
        let database = self.input.database.clone();
        let of = [
            ("constraint_catalog", text(&database)),
            ("constraint_schema", text("public")),
            ("constraint_name", text(&constraint.name)),
            ("table_catalog", text(&database)),
            ("table_schema", text("public")),
        ];
        let (kind, used_table) = match &constraint.kind {
            ConstraintKind::PrimaryKey => ("PRIMARY KEY", &table.name),
            ConstraintKind::Unique => ("UNIQUE", &table.name),
            ConstraintKind::Check { .. } => ("CHECK", &table.name),
            ConstraintKind::ForeignKey {
                table: other,
                on_delete,
                on_update,
                ..
            } => {
                let target = self
                    .input
                    .tables
                    .iter()
                    .find(|table| table.name.eq_ignore_ascii_case(other));
                let unique = target.and_then(|target| {
                    target
                        .constraints
                        .iter()
                        .find(|key| is_key(&key.kind) && key.columns == referenced)
                });
                let unique = unique.map_or(Value::Null, |key| text(&key.name));
                self.push(
                    "information_schema_referential_constraints",
                    &[
                        ("constraint_catalog", text(&database)),
                        ("constraint_schema", text("public")),
                        ("constraint_name", text(&constraint.name)),
                        ("unique_constraint_schema", text("public")),
                        ("unique_constraint_name", unique),
                        ("match_option", text("NONE")),
                        ("update_rule", text(on_update)),
                        ("delete_rule", text(on_delete)),
                    ],
                );
                ("FOREIGN KEY", other)
            }
        };
        let mut values = of.to_vec();
        values.extend([
            ("table_name", text(&table.name)),
            ("constraint_type", text(kind)),
            ("is_deferrable", text("NO")),
            ("initially_deferred", text("NO")),
        ]);
        self.push("information_schema_table_constraints", &values);
        for (index, column) in constraint.columns.iter().enumerate() {
            let mut values = of.to_vec();
            values.extend([
                ("table_name", text(&table.name)),
                ("column_name", text(column)),
                ("ordinal_position", count(index + 1)),
            ]);
            self.push("information_schema_key_column_usage", &values);
        }
        let used = if kind == "FOREIGN KEY" {
            referenced
        } else {
            &constraint.columns
        };
        for column in used {
            let mut values = of.to_vec();
            values.extend([
                ("table_name", text(used_table)),
                ("column_name", text(column)),
            ]);
            self.push("information_schema_constraint_column_usage", &values);
        }
    }
}

fn is_key(kind: &ConstraintKind) -> bool {
    matches!(kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique)
}

/// The columns that a foreign key refers to: those named, else the primary key.
fn referenced_columns(target: &TableInfo, named: &[String]) -> Vec<String> {
    if !named.is_empty() {
        return named.to_vec();
    }
    let key = target
        .constraints
        .iter()
        .find(|constraint| constraint.kind == ConstraintKind::PrimaryKey);
    key.map(|key| key.columns.clone()).unwrap_or_default()
}

/// The number of a column; 0 for an expression.
fn attribute(table: &TableInfo, column: &str) -> usize {
    table
        .columns
        .iter()
        .position(|known| known.name.eq_ignore_ascii_case(column))
        .map_or(0, |at| at + 1)
}

fn numbers(table: &TableInfo, columns: &[String]) -> Value {
    let numbers: Vec<String> = columns
        .iter()
        .map(|column| attribute(table, column).to_string())
        .collect();
    Value::Text(format!("{{{}}}", numbers.join(",")))
}

fn action(text: &str) -> &'static str {
    match text {
        "CASCADE" => "c",
        "RESTRICT" => "r",
        "SET NULL" => "n",
        "SET DEFAULT" => "d",
        _ => "a",
    }
}
