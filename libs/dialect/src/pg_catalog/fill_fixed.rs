//! Rows that do not depend on the schema: namespaces, types, databases, users, settings.

use pgtypes::{Oid, PgType};

use crate::pg_catalog::fill::{BTREE, Filler, HEAP, OWNER, PUBLIC, int, text, truth};

const PG_CATALOG: u32 = 11;
const INFORMATION_SCHEMA: u32 = 13_000;

impl Filler<'_> {
    /// What every database has.
    pub(crate) fn fixed(&mut self) {
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
                    ("collprovider", text("c")),
                    ("collisdeterministic", truth(true)),
                    ("collcollate", text("C")),
                    ("collctype", text("C")),
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
        for ty in PgType::ALL.iter().filter(|ty| ty.oid() != Oid::UNSPECIFIED) {
            self.built_in_type(ty);
        }
        self.databases();
    }

    fn databases(&mut self) {
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

    fn built_in_type(&mut self, ty: &PgType) {
        let (name, length) = (ty.typname(), ty.typlen());
        let collation = if ty.category() == 'S' { 100_u32 } else { 0 };
        self.push(
            "pg_type",
            &[
                ("oid", int(ty.oid().get())),
                ("typname", text(name)),
                ("typnamespace", int(PG_CATALOG)),
                ("typowner", int(OWNER)),
                ("typlen", int(length)),
                ("typbyval", truth((1..=8).contains(&length))),
                ("typtype", text("b")),
                ("typcategory", text(&ty.category().to_string())),
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

    pub(crate) fn users(&mut self) {
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
}
