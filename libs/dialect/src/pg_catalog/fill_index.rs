//! Rows about indexes.

use acl::Kind;
use pgtypes::SqlValue as Value;

use crate::pg_catalog::describe::identifier;
use crate::pg_catalog::fill::{BTREE, Filler, count, int, text, truth, vector};
use crate::pg_catalog::fill_column::{Attribute, PG_CLASS};
use crate::pg_catalog::fill_constraint::attribute;
use crate::pg_catalog::index::{self, Index};
use crate::pg_catalog::objects::{Class, Text};
use crate::pg_catalog::support::default_class;
use crate::table_info::TableInfo;

impl Filler<'_> {
    pub(crate) fn index(
        &mut self,
        (table_oid, table): (u32, &TableInfo),
        index: &Index,
        primary: bool,
    ) -> u32 {
        let stored = self.in_place(&index.name);
        let known = self.keys.get(&self.own(&stored)).copied();
        let oid = known.unwrap_or_else(|| self.own_oid(&stored));
        let schema = identifier(table.schema());
        let full = format!("{schema}.{}", identifier(table.shown_name()));
        let alone = self.visible.relation(table.temporary, &table.name);
        let definition = Text {
            full: index::definition(&full, index, false),
            pretty: index::definition(&alone, index, true),
        };
        self.push(
            "pg_indexes",
            &[
                ("schemaname", text(&self.place.name)),
                ("tablename", text(table.shown_name())),
                ("indexname", text(&index.name)),
                ("indexdef", text(&definition.full)),
            ],
        );
        let [owner, _] = self.rights(Kind::Table, &table.name);
        let more = [
            owner,
            ("relnatts", count(index.terms.len())),
            ("relchecks", int(0)),
            ("relhasindex", truth(false)),
        ];
        self.class(oid, &index.name, "i", &more);
        let class = Class {
            schema: self.place.name.clone(),
            name: index.name.clone(),
            kind: 'i',
            definition,
            terms: index
                .terms
                .iter()
                .map(|term| Text {
                    full: term.text(false),
                    pretty: term.text(true),
                })
                .collect(),
            indexed: Some((
                table.name.clone(),
                index
                    .terms
                    .iter()
                    .filter_map(|term| term.column.clone())
                    .collect(),
            )),
        };
        self.objects.add_class(oid, class);
        self.index_columns(oid, table, index);
        self.index_row(oid, (table_oid, table), index, (primary, known.is_some()));
        oid
    }

    fn index_row(
        &mut self,
        oid: u32,
        (table_oid, table): (u32, &TableInfo),
        index: &Index,
        (primary, known_key): (bool, bool),
    ) {
        if let Some(shown) = &index.predicate {
            self.objects.add_expression(&shown.full, &shown.pretty);
        }
        let of_terms = |shown: &dyn Fn(&index::Term) -> String| {
            let terms = index.terms.iter().filter(|term| term.column.is_none());
            terms.map(shown).collect::<Vec<_>>().join(", ")
        };
        let full = of_terms(&|term| term.shown.full.clone());
        let pretty = of_terms(&|term| term.shown.pretty.clone());
        self.objects.add_expression(&full, &pretty);
        if !known_key {
            self.index_depends(oid, (table_oid, table), index);
        }
        let predicate = index.predicate.as_ref();
        let predicate = predicate.map_or(Value::Null, |shown| text(&shown.full));
        let of_each = |value: &dyn Fn(&index::Term) -> String| {
            let values: Vec<String> = index.terms.iter().map(value).collect();
            vector(&values)
        };
        self.push(
            "pg_index",
            &[
                ("indexrelid", int(oid)),
                ("indrelid", int(table_oid)),
                ("indnatts", count(index.terms.len())),
                ("indnkeyatts", count(index.terms.len())),
                ("indisunique", truth(index.unique)),
                ("indnullsnotdistinct", truth(false)),
                ("indisprimary", truth(primary)),
                ("indisexclusion", truth(false)),
                ("indimmediate", truth(true)),
                ("indisclustered", truth(false)),
                ("indisvalid", truth(true)),
                ("indcheckxmin", truth(false)),
                ("indisready", truth(true)),
                ("indislive", truth(true)),
                ("indisreplident", truth(false)),
                (
                    "indkey",
                    of_each(&|term| {
                        let column = term.column.as_ref();
                        let number = column.map_or(0, |name| attribute(table, name));
                        number.to_string()
                    }),
                ),
                // DESC puts NULLs first.
                (
                    "indoption",
                    of_each(&|term| if term.descending { "3" } else { "0" }.to_owned()),
                ),
                ("indcollation", of_each(&|_| "0".to_owned())),
                (
                    "indclass",
                    of_each(&|term| {
                        let (_, ty) = term.attribute(table);
                        default_class(BTREE, ty.id).to_string()
                    }),
                ),
                ("indpred", predicate),
                ("indexprs", expressions(index)),
            ],
        );
    }

    /// An index goes with the columns that it is about.
    fn index_depends(&mut self, oid: u32, (table_oid, table): (u32, &TableInfo), index: &Index) {
        for term in &index.terms {
            let number = term
                .column
                .as_ref()
                .map_or(0, |name| attribute(table, name));
            self.push(
                "pg_depend",
                &[
                    ("classid", int(PG_CLASS)),
                    ("objid", int(oid)),
                    ("objsubid", int(0)),
                    ("refclassid", int(PG_CLASS)),
                    ("refobjid", int(table_oid)),
                    ("refobjsubid", count(number)),
                    ("deptype", text("a")),
                ],
            );
        }
    }

    /// The columns of an index, which are attributes of its own.
    fn index_columns(&mut self, oid: u32, table: &TableInfo, index: &Index) {
        let mut names: Vec<String> = Vec::with_capacity(index.terms.len());
        for (place, term) in index.terms.iter().enumerate() {
            let (base, ty) = term.attribute(table);
            let mut name = base.clone();
            let mut number = 1;
            while names.contains(&name) {
                name = format!("{base}{number}");
                number += 1;
            }
            self.attribute(&Attribute {
                table: oid,
                name: &name,
                number: place + 1,
                ty,
                not_null: false,
                has_default: false,
                identity: "",
                generated: "",
            });
            names.push(name);
        }
    }
}

/// The terms that are no columns.
fn expressions(index: &Index) -> Value {
    let terms = index.terms.iter().filter(|term| term.column.is_none());
    let shown: Vec<&str> = terms.map(|term| term.shown.full.as_str()).collect();
    if shown.is_empty() {
        return Value::Null;
    }
    Value::Text(shown.join(", "))
}
