//! The schema as the analysis asks for it, from the texts that SQLite keeps.

use std::rc::Rc;

use pgtypes::PgType;

use crate::analysis::schema::{Column, Generated, Key, Relation, RelationKind, Schema};
use crate::catalog::{Type, TypeId};
use crate::pg_catalog;
use crate::schema::SchemaView;
use crate::sequence::SequenceInfo;
use crate::table_info::{ConstraintKind, Identity, TableInfo, parse_create_table};

/// A view of the schema through its texts.
pub(crate) struct KnownSchema<'a>(pub(crate) &'a dyn SchemaView);

impl Schema for KnownSchema<'_> {
    fn relation(&self, schema: Option<&str>, name: &str) -> Option<Rc<Relation>> {
        match schema {
            Some("pg_catalog") => catalog_table(name),
            Some("information_schema") => catalog_table(&format!("information_schema_{name}")),
            Some("public" | "pg_temp") => self.stored(name),
            Some(_) => None,
            // PostgreSQL's own tables come first on every search path.
            None => catalog_table(name).or_else(|| self.stored(name)),
        }
        .map(Rc::new)
    }

    fn is_sequence(&self, name: &str) -> bool {
        self.0.sequence(name).is_some()
    }
}

impl KnownSchema<'_> {
    fn stored(&self, name: &str) -> Option<Relation> {
        if name == SequenceInfo::TABLE {
            return None;
        }
        let columns = self.0.columns(name)?;
        let info = self
            .0
            .create_sql(name)
            .and_then(|sql| parse_create_table(&sql));
        let computed = info.as_ref().map(computed_columns).unwrap_or_default();
        let columns: Vec<Column> = columns
            .into_iter()
            .map(|column| Column {
                ty: column.type_name.map_or(Type::new(TypeId::TEXT), |ty| {
                    Type::from(PgType::sent_as(ty))
                }),
                not_null: column.not_null,
                default: column.default,
                generated: if computed.contains(&column.name) {
                    Generated::Computed
                } else {
                    match column.identity {
                        Some(Identity::Always) => Generated::Always,
                        Some(Identity::ByDefault) => Generated::ByDefault,
                        None => Generated::No,
                    }
                },
                name: column.name,
            })
            .collect();
        let keys = info
            .as_ref()
            .map_or_else(Vec::new, |info| keys(info, &columns));
        Some(Relation {
            schema: "main",
            name: info
                .as_ref()
                .map_or_else(|| name.to_owned(), |info| info.name.clone()),
            kind: if info.is_some() {
                RelationKind::Table
            } else {
                RelationKind::View
            },
            columns,
            keys,
            without_rowid: false,
        })
    }
}

fn computed_columns(_info: &TableInfo) -> Vec<String> {
    Vec::new()
}

fn keys(info: &TableInfo, columns: &[Column]) -> Vec<Key> {
    info.constraints
        .iter()
        .filter_map(|constraint| {
            let primary = match constraint.kind {
                ConstraintKind::PrimaryKey => true,
                ConstraintKind::Unique => false,
                ConstraintKind::ForeignKey { .. } | ConstraintKind::Check { .. } => return None,
            };
            let places = constraint
                .columns
                .iter()
                .map(|name| columns.iter().position(|column| column.name == *name))
                .collect::<Option<Vec<usize>>>()?;
            Some(Key {
                name: constraint.name.clone(),
                columns: places,
                primary,
            })
        })
        .collect()
}

fn catalog_table(name: &str) -> Option<Relation> {
    if pg_catalog::is_empty_table(name) {
        return Some(relation(name, Vec::new()));
    }
    let columns = pg_catalog::columns(name)?;
    Some(relation(
        name,
        columns
            .into_iter()
            .map(|column| Column {
                name: column.name.unwrap_or_default(),
                ty: column.ty.map_or(Type::new(TypeId::TEXT), Type::from),
                not_null: false,
                default: None,
                generated: Generated::No,
            })
            .collect(),
    ))
}

fn relation(name: &str, columns: Vec<Column>) -> Relation {
    Relation {
        schema: "temp",
        name: name.to_owned(),
        kind: RelationKind::Catalog,
        columns,
        keys: Vec::new(),
        without_rowid: false,
    }
}
