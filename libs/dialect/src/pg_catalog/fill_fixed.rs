//! Rows that do not depend on the schema: namespaces, types, databases, users, settings.

use acl::Kind;
use pgtypes::SqlValue as Value;

use crate::catalog::{Type, TypeId, TypeInfo, TypeKind, multirange_of, types};
use crate::pg_catalog::CatalogSetting;
use crate::pg_catalog::fill::{
    BTREE, C_COLLATION, DEFAULT_COLLATION, Filler, HEAP, OWNER, PUBLIC, count, int, text, truth,
};
use crate::pg_catalog::fill_column::Attribute;
use crate::pg_catalog::objects::{Class, Text};
use crate::pg_catalog::support::{self, TypeSupport};
use crate::pg_catalog::tables::{self, CatalogTable};
use crate::stored_name;

pub(crate) const PG_CATALOG: u32 = 11;
pub(crate) const INFORMATION_SCHEMA: u32 = 13_000;
/// The other method that indexes can have.
const HASH: u32 = 405;
/// What CREATE EXTENSION finds to be there: number, name, version.
pub const EXTENSIONS: &[(u32, &str, &str)] = &[
    (13_559, "plpgsql", "1.0"),
    (15_992, "pg_stat_statements", "1.10"),
];
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
        for (oid, name, handler, kind) in [
            (HEAP, "heap", 3, "t"),
            (BTREE, "btree", 330, "i"),
            (HASH, "hash", 331, "i"),
        ] {
            self.push(
                "pg_am",
                &[
                    ("oid", int(oid)),
                    ("amname", text(name)),
                    ("amhandler", int(handler)),
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
        for (oid, name) in [(1663, "pg_default"), (1664, "pg_global")] {
            self.push(
                "pg_tablespace",
                &[
                    ("oid", int(oid)),
                    ("spcname", text(name)),
                    ("spcowner", int(OWNER)),
                ],
            );
        }
        self.languages_and_extensions();
        for info in types() {
            self.built_in_type(info);
            self.range(info);
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
                schema: schema.to_owned(),
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
        self.schema(PUBLIC, stored_name::PUBLIC);
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
        for setting in &self.input.settings {
            self.setting(setting);
        }
    }

    fn setting(&mut self, setting: &CatalogSetting) {
        let (context, category) = if setting.fixed {
            ("internal", "Preset Options")
        } else {
            ("user", "Client Connection Defaults")
        };
        let changed = setting.value != setting.default;
        let mut values = vec![
            ("name", text(setting.name)),
            ("setting", text(&setting.value)),
            ("unit", setting.unit.map_or(Value::Null, text)),
            ("category", text(category)),
            ("short_desc", text(setting.meaning)),
            ("context", text(context)),
            ("vartype", text(setting.kind)),
            ("source", text(if changed { "session" } else { "default" })),
            ("boot_val", text(&setting.default)),
            ("reset_val", text(&setting.default)),
            ("pending_restart", truth(false)),
        ];
        if let Some((least, most)) = setting.range {
            values.push(("min_val", text(&least.to_string())));
            values.push(("max_val", text(&most.to_string())));
        }
        if !setting.words.is_empty() {
            let words = setting.words.iter().map(|word| Some(*word));
            values.push(("enumvals", text(&pgtypes::array::text_of(words))));
        }
        self.push("pg_settings", &values);
    }

    fn built_in_type(&mut self, info: &TypeInfo) {
        let support = support::of_type(info.id);
        let collation = match info.id {
            TypeId::NAME => C_COLLATION,
            _ if info.collatable => DEFAULT_COLLATION,
            _ => 0,
        };
        let number = |id: Option<TypeId>| int(id.map_or(0, TypeId::get));
        let mut values = vec![
            ("oid", int(info.id.get())),
            ("typname", text(info.catalog_name)),
            ("typnamespace", int(PG_CATALOG)),
            ("typowner", int(OWNER)),
            ("typtype", text(kind_letter(info.kind))),
            ("typcategory", text(&info.category.to_string())),
            ("typispreferred", truth(info.preferred)),
            ("typrelid", int(0)),
            ("typelem", number(info.element)),
            ("typarray", number(info.array)),
            ("typnotnull", truth(false)),
            ("typbasetype", int(0)),
            ("typtypmod", int(-1)),
            ("typndims", int(0)),
            ("typcollation", int(collation)),
        ];
        values.extend(kept_as(support));
        self.push("pg_type", &values);
    }

    /// What a range type is of.
    fn range(&mut self, info: &TypeInfo) {
        if info.kind != TypeKind::Range {
            return;
        }
        let (Some(subtype), Some(multirange)) = (info.spans, multirange_of(info.id)) else {
            return;
        };
        self.push(
            "pg_range",
            &[
                ("rngtypid", int(info.id.get())),
                ("rngsubtype", int(subtype.get())),
                ("rngmultitypid", int(multirange.get())),
                ("rngcollation", int(0)),
                ("rngsubopc", int(support::default_class(BTREE, subtype))),
                ("rngcanonical", int(0)),
                ("rngsubdiff", int(0)),
            ],
        );
    }

    /// The languages that PostgreSQL's scripts expect, and the extensions that are part of the server.
    fn languages_and_extensions(&mut self) {
        for (oid, name, user, trusted, [call, inline, validate]) in [
            (12, "internal", false, false, [0, 0, 2246]),
            (13, "c", false, false, [0, 0, 2247]),
            (14, "sql", false, true, [0, 0, 2248]),
            (13_563, "plpgsql", true, true, [13_560, 13_561, 13_562]),
        ] {
            self.push(
                "pg_language",
                &[
                    ("oid", int(oid)),
                    ("lanname", text(name)),
                    ("lanowner", int(OWNER)),
                    ("lanispl", truth(user)),
                    ("lanpltrusted", truth(trusted)),
                    ("lanplcallfoid", int(call)),
                    ("laninline", int(inline)),
                    ("lanvalidator", int(validate)),
                ],
            );
        }
        for (oid, name, version) in EXTENSIONS {
            self.push(
                "pg_extension",
                &[
                    ("oid", int(*oid)),
                    ("extname", text(name)),
                    ("extowner", int(OWNER)),
                    ("extnamespace", int(PG_CATALOG)),
                    ("extrelocatable", truth(false)),
                    ("extversion", text(version)),
                ],
            );
        }
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
        TypeKind::Composite => "c",
    }
}

/// The columns of `pg_type` about how values are kept.
pub(crate) fn kept_as(support: TypeSupport) -> Vec<(&'static str, Value)> {
    const FUNCTIONS: [&str; 8] = [
        "typinput",
        "typoutput",
        "typreceive",
        "typsend",
        "typmodin",
        "typmodout",
        "typanalyze",
        "typsubscript",
    ];
    let mut values = vec![
        ("typlen", int(support.length)),
        ("typbyval", truth(support.by_value)),
        ("typalign", text(support.align)),
        ("typstorage", text(support.storage)),
        ("typisdefined", truth(true)),
        ("typdelim", text(",")),
    ];
    let functions = FUNCTIONS.into_iter().zip(support.functions);
    values.extend(functions.map(|(column, oid)| (column, int(oid))));
    values
}
