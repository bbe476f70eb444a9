//! Rows about columns.

use pgtypes::PgType;

use crate::analysis::Purpose;
use crate::catalog::{Type, TypeId};
use crate::pg_catalog::describe;
use crate::pg_catalog::fill::{C_COLLATION, DEFAULT_COLLATION, Filler, count, int, text, truth};
use crate::pg_catalog::number::FIRST;
use crate::pg_catalog::written::{Definitions, Shown};
use crate::table_info::{Identity, TableColumn, TableInfo};

/// A column of a table.
pub(crate) struct Attribute<'a> {
    pub(crate) table: u32,
    pub(crate) name: &'a str,
    pub(crate) number: usize,
    pub(crate) ty: Type,
    pub(crate) not_null: bool,
    pub(crate) has_default: bool,
    pub(crate) identity: &'a str,
    pub(crate) generated: &'a str,
}

/// How PostgreSQL would keep a type's values: as they are, or apart where they are long.
fn storage(id: TypeId, length: i16) -> &'static str {
    match id {
        TypeId::NUMERIC | TypeId::INET | TypeId::CIDR => "m",
        TypeId::INT2VECTOR | TypeId::OIDVECTOR => "p",
        _ if length < 0 => "x",
        _ => "p",
    }
}

/// The default of a column, or what a computed column is computed from.
fn shown_value(column: &TableColumn, ty: PgType, definitions: &Definitions<'_>) -> Option<Shown> {
    if column.identity.is_some() {
        return None;
    }
    if let Some(counting) = column
        .default
        .as_deref()
        .and_then(describe::counting_default)
    {
        return Some(Shown::plain(counting));
    }
    let purpose = if column.computed {
        Purpose::Generated("", ty.into())
    } else {
        Purpose::Default("", ty.into())
    };
    let shown = column
        .written
        .as_ref()
        .and_then(|written| definitions.shown(written, purpose));
    // DEFAULT NULL is none.
    if shown.as_ref().is_some_and(|shown| shown.null) {
        return None;
    }
    let stored = || {
        let written = column.written.as_ref().map(|written| &written.sqlite);
        written.or(column.default.as_ref()).map(Shown::plain)
    };
    shown.or_else(stored)
}

impl Filler<'_> {
    /// A column in `pg_attribute`.
    pub(crate) fn attribute(&mut self, column: &Attribute<'_>) {
        let collatable = column.ty.id.is_collatable();
        let length = match column.ty.pg_type() {
            Some(ty) => ty.typlen(),
            None => -1,
        };
        let collation = match column.ty.id {
            TypeId::NAME => C_COLLATION,
            // The catalog itself is compared by bytes.
            _ if collatable && column.table < FIRST => C_COLLATION,
            _ if collatable => DEFAULT_COLLATION,
            _ => 0,
        };
        self.push(
            "pg_attribute",
            &[
                ("attrelid", int(column.table)),
                ("attname", text(column.name)),
                ("atttypid", int(column.ty.id.get())),
                ("attstattarget", int(-1)),
                ("attlen", int(length)),
                ("attnum", count(column.number)),
                ("attndims", int(i64::from(column.ty.id.is_array()))),
                ("attcacheoff", int(-1)),
                ("atttypmod", int(column.ty.typmod)),
                ("attbyval", truth((1..=8).contains(&length))),
                ("attalign", text(if length == 8 { "d" } else { "i" })),
                ("attstorage", text(storage(column.ty.id, length))),
                ("attcompression", text("")),
                ("attnotnull", truth(column.not_null)),
                ("atthasdef", truth(column.has_default)),
                ("atthasmissing", truth(false)),
                ("attidentity", text(column.identity)),
                ("attgenerated", text(column.generated)),
                ("attisdropped", truth(false)),
                ("attislocal", truth(true)),
                ("attinhcount", int(0)),
                ("attcollation", int(collation)),
            ],
        );
    }

    pub(crate) fn columns(&mut self, oid: u32, table: &TableInfo, definitions: &Definitions<'_>) {
        for (index, column) in table.columns.iter().enumerate() {
            let ty = column.type_name.unwrap_or(PgType::Text);
            let number = count(index + 1);
            let default = shown_value(column, ty, definitions);
            if let Some(shown) = &default {
                self.objects.add_expression(&shown.full, &shown.pretty);
            }
            let default = default.map(|shown| shown.full);
            let identity = match column.identity {
                Some(Identity::Always) => "a",
                Some(Identity::ByDefault) => "d",
                None => "",
            };
            self.attribute(&Attribute {
                table: oid,
                name: &column.name,
                number: index + 1,
                ty: self.domain_of(column).unwrap_or_else(|| ty.into()),
                not_null: column.not_null,
                has_default: default.is_some(),
                identity,
                generated: if column.computed { "s" } else { "" },
            });
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
}
