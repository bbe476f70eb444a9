//! Rows that do not depend on the schema: namespaces, types, databases, users, settings.

use acl::Kind;
use pgtypes::SqlValue as Value;

use crate::catalog::{Type, TypeId, TypeInfo, TypeKind, functions_named, types};
use crate::pg_catalog::fill::{
    BTREE, C_COLLATION, DEFAULT_COLLATION, Filler, HEAP, OWNER, PUBLIC, count, int, text, truth,
};
use crate::pg_catalog::fill_column::Attribute;
use crate::pg_catalog::objects::{Class, Text};
use crate::pg_catalog::tables::{self, CatalogTable};

const PG_CATALOG: u32 = 11;
const INFORMATION_SCHEMA: u32 = 13_000;
const NAMESPACES: &[(u32, &str)] = &[
    (PG_CATALOG, "pg_catalog"),
    (99, "pg_toast"),
    (PUBLIC, "public"),
    (INFORMATION_SCHEMA, "information_schema"),
];

impl Filler<'_> {
    /// What every database has.
    pub(crate) fn fixed(&mut self) {
        for (oid, name) in NAMESPACES.iter().filter(|(oid, _)| *oid != PUBLIC) {
            self.push(
                "pg_namespace",
                &[
                    ("oid", int(*oid)),
                    ("nspname", text(name)),
                    ("nspowner", int(OWNER)),
                ],
            );
        }
        for (oid, name, kind) in [(HEAP, "heap", "t"), (BTREE, "btree", "i")] {
            self.push(
                "pg_am",
                &[
                    ("oid", int(oid)),
                    ("amname", text(name)),
                    ("amhandler", int(0)),
                    ("amtype", text(kind)),
                ],
            );
        }
        for (oid, name, provider) in [
            (100_u32, "default", "d"),
            (950, "C", "c"),
            (951, "POSIX", "c"),
        ] {
            let locale = if provider == "d" {
                Value::Null
            } else {
                text(name)
            };
            self.push(
                "pg_collation",
                &[
                    ("oid", int(oid)),
                    ("collname", text(name)),
                    ("collnamespace", int(PG_CATALOG)),
                    ("collowner", int(OWNER)),
                    ("collencoding", int(-1)),
                    ("collprovider", text(provider)),
                    ("collisdeterministic", truth(true)),
                    ("collcollate", locale.clone()),
                    ("collctype", locale),
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
        for info in types() {
            self.built_in_type(info);
        }
        for table in tables::all() {
            self.system_table(table);
        }
    }

    /// The same for the functions that look objects up.
    pub(crate) fn system_objects(&mut self) {
        for (oid, name) in NAMESPACES {
            self.objects.add_namespace(*oid, name);
        }
        for table in tables::all() {
            let (schema, name) = table.path();
            let class = Class {
                schema,
                name: name.to_owned(),
                kind: if table.view { 'v' } else { 'r' },
                definition: Text::default(),
                terms: Vec::new(),
                indexed: None,
            };
            self.objects.add_class(table.oid, class);
        }
    }

    fn system_table(&mut self, table: &CatalogTable) {
        let (schema, name) = table.path();
        let namespace = if schema == "pg_catalog" {
            PG_CATALOG
        } else {
            INFORMATION_SCHEMA
        };
        let kind = if table.view { "v" } else { "r" };
        let more = [
            ("relnamespace", int(namespace)),
            ("relnatts", count(table.columns.len())),
            ("relchecks", int(0)),
            ("relhasindex", truth(false)),
            ("relhastriggers", truth(false)),
        ];
        self.class(table.oid, name, kind, &more);
        for (index, column) in table.columns.iter().enumerate() {
            self.attribute(&Attribute {
                table: table.oid,
                name: column.name,
                number: index + 1,
                ty: Type::new(column.ty),
                not_null: column.not_null,
                has_default: false,
                identity: "",
                generated: "",
            });
        }
    }

    /// The server's databases and settings.
    pub(crate) fn server(&mut self) {
        self.public_schema();
        let database = self.input.database.clone();
        for (oid, name) in NAMESPACES {
            let owner = match *oid {
                PUBLIC => self.owner_of(Kind::Schema, name),
                _ => "dba".to_owned(),
            };
            self.push(
                "information_schema.schemata",
                &[
                    ("catalog_name", text(&database)),
                    ("schema_name", text(name)),
                    ("schema_owner", text(&owner)),
                ],
            );
        }
        self.push(
            "information_schema.information_schema_catalog_name",
            &[("catalog_name", text(&database))],
        );
        self.databases();
    }

    fn databases(&mut self) {
        for (index, (name, rights)) in self.input.databases.clone().iter().enumerate() {
            let oid = u32::try_from(index).unwrap_or(0) + 5;
            self.objects.add_database(oid, name);
            let [owner, acl, limit] = self.database_rights(rights);
            self.push(
                "pg_database",
                &[
                    ("oid", int(oid)),
                    ("datname", text(name)),
                    owner,
                    acl,
                    limit,
                    ("encoding", int(6)),
                    ("datlocprovider", text("c")),
                    ("datistemplate", truth(false)),
                    ("datallowconn", truth(true)),
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

    fn built_in_type(&mut self, info: &TypeInfo) {
        let known = Type::new(info.id).pg_type();
        let length = match (info.element, &known) {
            (None, Some(ty)) => ty.typlen(),
            _ => -1,
        };
        let collation = match info.id {
            TypeId::NAME => C_COLLATION,
            _ if info.collatable => DEFAULT_COLLATION,
            _ => 0,
        };
        let number = |id: Option<TypeId>| int(id.map_or(0, TypeId::get));
        let (input, output) = if info.element.is_some() && info.catalog_name.starts_with('_') {
            (750, 751)
        } else {
            io_functions(info.catalog_name)
        };
        self.push(
            "pg_type",
            &[
                ("oid", int(info.id.get())),
                ("typname", text(info.catalog_name)),
                ("typnamespace", int(PG_CATALOG)),
                ("typowner", int(OWNER)),
                ("typlen", int(length)),
                ("typbyval", truth((1..=8).contains(&length))),
                ("typtype", text(kind_letter(info.kind))),
                ("typcategory", text(&info.category.to_string())),
                ("typispreferred", truth(info.preferred)),
                ("typisdefined", truth(true)),
                ("typdelim", text(",")),
                ("typrelid", int(0)),
                ("typsubscript", int(0)),
                ("typelem", number(info.element)),
                ("typarray", number(info.array)),
                ("typinput", int(input)),
                ("typoutput", int(output)),
                ("typreceive", int(0)),
                ("typsend", int(0)),
                ("typmodin", int(0)),
                ("typmodout", int(0)),
                ("typanalyze", int(0)),
                ("typalign", text(if length == 8 { "d" } else { "i" })),
                ("typstorage", text(if length < 0 { "x" } else { "p" })),
                ("typnotnull", truth(false)),
                ("typbasetype", int(0)),
                ("typtypmod", int(-1)),
                ("typndims", int(0)),
                ("typcollation", int(collation)),
            ],
        );
    }

    /// What sessions begin with; the databases and users are known by now.
    pub(crate) fn defaults(&mut self) {
        for default in self.input.defaults.clone() {
            let database = default.database.as_deref();
            let role = default.role.as_deref();
            let database = database.map_or(Some(0), |name| self.objects.database_number(name));
            let role = role.map_or(Some(0), |name| self.objects.role_number(name));
            let (Some(database), Some(role)) = (database, role) else {
                continue;
            };
            let settings = default
                .settings
                .iter()
                .map(|setting| Some(setting.as_str()));
            self.push(
                "pg_db_role_setting",
                &[
                    ("setdatabase", int(database)),
                    ("setrole", int(role)),
                    ("setconfig", text(&pgtypes::array::text_of(settings))),
                ],
            );
        }
    }
}

fn kind_letter(kind: TypeKind) -> &'static str {
    match kind {
        TypeKind::Base => "b",
        TypeKind::Pseudo => "p",
        TypeKind::Range => "r",
        TypeKind::Multirange => "m",
        TypeKind::Enum => "e",
        TypeKind::Domain => "d",
    }
}

/// The functions that read and write a type's texts: `int4in` and `int4out`, `numeric_in` and `numeric_out`.
fn io_functions(name: &str) -> (u32, u32) {
    let find = |word: &str| {
        let joined = functions_named(&format!("{name}{word}"));
        let parted = || functions_named(&format!("{name}_{word}"));
        let found = joined.first().or_else(|| parted().first());
        found.map_or(0, |function| function.oid)
    };
    (find("in"), find("out"))
}
