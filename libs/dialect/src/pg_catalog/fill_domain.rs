//! Rows about domains.

use crate::catalog::{Type, TypeId};
use crate::domain::Domain;
use crate::pg_catalog::describe::identifier;
use crate::pg_catalog::fill::{Filler, OWNER, PUBLIC, int, text, truth};
use crate::pg_catalog::fill_information_column::{data_type, udt_name};
use crate::pg_catalog::objects::Text;
use crate::table_info::TableColumn;

impl Filler<'_> {
    /// The type of a column that is of a domain.
    pub(crate) fn domain_of(&self, column: &TableColumn) -> Option<Type> {
        let name = column.domain.as_ref()?;
        let mut domains = self.input.domains.iter();
        let found = domains.find(|domain| domain.name == *name)?;
        Some(Type::new(TypeId::new(found.oid)))
    }

    /// The domains, and what each demands.
    pub(crate) fn domains(&mut self) {
        for domain in &self.input.domains {
            self.domain_type(domain);
            let database = self.input.database.clone();
            self.push(
                "information_schema.domains",
                &[
                    ("domain_catalog", text(&database)),
                    ("domain_schema", text("public")),
                    ("domain_name", text(&domain.name)),
                    ("data_type", text(data_type(&domain.base))),
                    ("domain_default", optional(domain.default.as_deref())),
                    ("udt_catalog", text(&database)),
                    ("udt_schema", text("pg_catalog")),
                    ("udt_name", text(udt_name(&domain.base))),
                ],
            );
            for (name, condition) in &domain.checks {
                self.domain_check(domain, name, condition);
            }
        }
    }

    fn domain_type(&mut self, domain: &Domain) {
        let base = Type::from(domain.base);
        let category = base.id.category().to_string();
        self.push(
            "pg_type",
            &[
                ("oid", int(domain.oid)),
                ("typname", text(&domain.name)),
                ("typnamespace", int(PUBLIC)),
                ("typowner", int(OWNER)),
                ("typlen", int(domain.base.typlen())),
                ("typbyval", truth((1..=8).contains(&domain.base.typlen()))),
                ("typtype", text("d")),
                ("typcategory", text(&category)),
                ("typispreferred", truth(false)),
                ("typisdefined", truth(true)),
                ("typdelim", text(",")),
                ("typrelid", int(0)),
                ("typsubscript", int(0)),
                ("typelem", int(0)),
                ("typarray", int(0)),
                ("typinput", int(0)),
                ("typoutput", int(0)),
                ("typreceive", int(0)),
                ("typsend", int(0)),
                ("typmodin", int(0)),
                ("typmodout", int(0)),
                ("typanalyze", int(0)),
                ("typalign", text("i")),
                ("typstorage", text("p")),
                ("typnotnull", truth(domain.not_null)),
                ("typbasetype", int(base.id.get())),
                ("typtypmod", int(base.typmod)),
                ("typndims", int(i64::from(base.id.is_array()))),
                ("typcollation", int(0)),
                ("typdefault", optional(domain.default.as_deref())),
            ],
        );
    }

    fn domain_check(&mut self, domain: &Domain, name: &str, condition: &str) {
        let key = format!("{}.{name}", identifier(&domain.name));
        let oid = self.oid("domain constraint", &key);
        self.push(
            "pg_constraint",
            &[
                ("oid", int(oid)),
                ("conname", text(name)),
                ("connamespace", int(PUBLIC)),
                ("contype", text("c")),
                ("condeferrable", truth(false)),
                ("condeferred", truth(false)),
                ("convalidated", truth(true)),
                ("conrelid", int(0)),
                ("contypid", int(domain.oid)),
                ("conindid", int(0)),
                ("conparentid", int(0)),
                ("confrelid", int(0)),
                ("confupdtype", text(" ")),
                ("confdeltype", text(" ")),
                ("confmatchtype", text(" ")),
                ("conislocal", truth(true)),
                ("coninhcount", int(0)),
                ("connoinherit", truth(false)),
                ("conbin", text(condition)),
            ],
        );
        let shown = format!("CHECK (({condition}))");
        self.objects.add_constraint(
            oid,
            Text {
                full: shown,
                pretty: format!("CHECK ({condition})"),
            },
        );
    }
}

fn optional(given: Option<&str>) -> pgtypes::SqlValue {
    given.map_or(pgtypes::SqlValue::Null, text)
}
