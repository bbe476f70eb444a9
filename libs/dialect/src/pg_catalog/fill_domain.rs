//! Rows about domains.

use crate::catalog::{Type, TypeId};
use crate::domain::Domain;
use crate::lexer::{Kind, tokens};
use crate::pg_catalog::describe::identifier;
use crate::pg_catalog::fill::{Filler, int, text, truth};
use crate::pg_catalog::fill_fixed::kept_as;
use crate::pg_catalog::fill_information_column::{data_type, limits, udt_name};
use crate::pg_catalog::objects::Text;
use crate::pg_catalog::support;
use crate::pg_catalog::written::{Definitions, Shown};
use crate::stored_name;
use crate::table_info::{TableColumn, parse_create_table};

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
            let mut row = vec![
                ("domain_catalog", text(&database)),
                ("domain_schema", text(stored_name::schema(&domain.name))),
                ("domain_name", text(stored_name::base(&domain.name))),
                ("data_type", text(data_type(&domain.base))),
                ("domain_default", optional(domain.default.as_deref())),
                ("udt_catalog", text(&database)),
                ("udt_schema", text("pg_catalog")),
                ("udt_name", text(udt_name(&domain.base))),
            ];
            row.extend(limits(&domain.base));
            self.push("information_schema.domains", &row);
            for (name, condition) in &domain.checks {
                self.domain_check(domain, name, condition);
            }
        }
    }

    fn domain_type(&mut self, domain: &Domain) {
        let base = Type::from(domain.base);
        let category = base.id.category().to_string();
        let mut values = vec![
            ("oid", int(domain.oid)),
            ("typname", text(stored_name::base(&domain.name))),
            ("typnamespace", int(self.namespace_of(&domain.name).oid)),
            self.type_owner(&domain.name),
            ("typtype", text("d")),
            ("typcategory", text(&category)),
            ("typispreferred", truth(false)),
            ("typrelid", int(0)),
            ("typelem", int(0)),
            ("typarray", int(0)),
            ("typnotnull", truth(domain.not_null)),
            ("typbasetype", int(base.id.get())),
            ("typtypmod", int(base.typmod)),
            ("typndims", int(i64::from(base.id.is_array()))),
            ("typcollation", int(0)),
            ("typdefaultbin", optional(domain.default.as_deref())),
            ("typdefault", optional(domain.default.as_deref())),
        ];
        values.extend(kept_as(support::of_type(base.id).of_domain()));
        self.push("pg_type", &values);
    }

    fn domain_check(&mut self, domain: &Domain, name: &str, condition: &str) {
        let key = format!("{}.{name}", identifier(&domain.name));
        let oid = self.oid("domain constraint", &key);
        self.push(
            "pg_constraint",
            &[
                ("oid", int(oid)),
                ("conname", text(name)),
                ("connamespace", int(self.namespace_of(&domain.name).oid)),
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
        let shown = self.condition(domain, condition);
        self.objects.add_constraint(
            oid,
            Text {
                full: format!("CHECK ({})", shown.full),
                pretty: format!("CHECK ({})", shown.pretty),
            },
        );
    }

    /// A condition as PostgreSQL shows it: as one on a column that is called VALUE.
    fn condition(&self, domain: &Domain, condition: &str) -> Shown {
        let table = parse_create_table("CREATE TABLE domain (value TEXT)").map(|mut table| {
            for column in &mut table.columns {
                column.type_name = Some(domain.base);
            }
            table
        });
        let shown = table
            .and_then(|table| Definitions::of(&table, &[], &self.input.types).of_domain(condition));
        let shown = shown.unwrap_or_else(|| Shown {
            full: format!("({condition})"),
            ..Shown::plain(condition)
        });
        Shown {
            full: in_capitals(&shown.full),
            pretty: in_capitals(&shown.pretty),
            ..shown
        }
    }
}

/// With the word VALUE as PostgreSQL writes it.
fn in_capitals(text: &str) -> String {
    let mut out = text.to_owned();
    for token in tokens(text).unwrap_or_default() {
        let place = token.start..token.end;
        if token.kind == Kind::Word && text.get(place.clone()) == Some("value") {
            out.replace_range(place, "VALUE");
        }
    }
    out
}

fn optional(given: Option<&str>) -> pgtypes::SqlValue {
    given.map_or(pgtypes::SqlValue::Null, text)
}
