//! Rows about columns.

use pgtypes::PgType;

use crate::analysis::Purpose;
use crate::catalog::{Type, TypeId};
use crate::pg_catalog::describe;
use crate::pg_catalog::fill::{C_COLLATION, DEFAULT_COLLATION, Filler, count, int, text, truth};
use crate::pg_catalog::number::FIRST;
use crate::pg_catalog::visible::Visible;
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

/// The tables of the catalog that have defaults, and relations.
const PG_ATTRDEF: u32 = 2604;
pub(crate) const PG_CLASS: u32 = 1259;

/// How PostgreSQL would keep a type's values: as they are, or apart where they are long.
pub(crate) fn storage(id: TypeId, length: i16) -> &'static str {
    match id {
        TypeId::NUMERIC | TypeId::INET | TypeId::CIDR => "m",
        TypeId::INT2VECTOR | TypeId::OIDVECTOR => "p",
        _ if length < 0 => "x",
        _ => "p",
    }
}

/// The default of a column, or what a computed column is computed from.
fn shown_value(
    column: &TableColumn,
    ty: PgType,
    (definitions, visible): (&Definitions<'_>, &Visible),
) -> Option<Shown> {
    // What no client has written at a column of a domain is the domain's.
    let of_domain = column.domain.is_some() && column.written.is_none();
    if column.identity.is_some() || of_domain {
        return None;
    }
    let default = column.default.as_deref();
    if let Some(counting) = default.and_then(|text| describe::counting_default(text, visible)) {
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
        let mut domains = self.input.domains.iter();
        let domain = domains.find(|domain| domain.oid == column.ty.id.get());
        let base = domain.map_or(column.ty.id, |domain| Type::from(domain.base).id);
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
                ("attstorage", text(storage(base, length))),
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

    /// The columns that each table has unseen.
    pub(crate) fn system_attributes(&mut self, table: u32) {
        for (number, name, ty, length) in [
            (-1, "ctid", TypeId::TID, 6),
            (-2, "xmin", TypeId::XID, 4),
            (-3, "cmin", TypeId::CID, 4),
            (-4, "xmax", TypeId::XID, 4),
            (-5, "cmax", TypeId::CID, 4),
            (-6, "tableoid", TypeId::OID, 4),
        ] {
            self.push(
                "pg_attribute",
                &[
                    ("attrelid", int(table)),
                    ("attname", text(name)),
                    ("atttypid", int(ty.get())),
                    ("attstattarget", int(0)),
                    ("attlen", int(length)),
                    ("attnum", int(number)),
                    ("attndims", int(0)),
                    ("attcacheoff", int(-1)),
                    ("atttypmod", int(-1)),
                    ("attbyval", truth(number != -1)),
                    ("attalign", text(if number == -1 { "s" } else { "i" })),
                    ("attstorage", text("p")),
                    ("attcompression", text("")),
                    ("attnotnull", truth(true)),
                    ("atthasdef", truth(false)),
                    ("atthasmissing", truth(false)),
                    ("attidentity", text("")),
                    ("attgenerated", text("")),
                    ("attisdropped", truth(false)),
                    ("attislocal", truth(true)),
                    ("attinhcount", int(0)),
                    ("attcollation", int(0)),
                ],
            );
        }
    }

    /// On what a default depends: its column, and a sequence.
    fn default_depends(&mut self, own: u32, (table, number): (u32, usize), column: &TableColumn) {
        let default = column.default.as_deref();
        let sequence = default.and_then(crate::sequence::default_name);
        let sequence = sequence.map(|name| self.table_oid(&name));
        let on_column = (table, number, "a");
        let on_sequence = sequence.filter(|oid| *oid > 0).map(|oid| (oid, 0, "n"));
        for (on, part, kind) in std::iter::once(on_column).chain(on_sequence) {
            self.push(
                "pg_depend",
                &[
                    ("classid", int(PG_ATTRDEF)),
                    ("objid", int(own)),
                    ("objsubid", int(0)),
                    ("refclassid", int(PG_CLASS)),
                    ("refobjid", int(on)),
                    ("refobjsubid", count(part)),
                    ("deptype", text(kind)),
                ],
            );
        }
    }

    pub(crate) fn columns(&mut self, oid: u32, table: &TableInfo, definitions: &Definitions<'_>) {
        for (index, column) in table.columns.iter().enumerate() {
            let ty = column.type_name.unwrap_or(PgType::Text);
            let number = count(index + 1);
            let default = shown_value(column, ty, (definitions, &self.visible));
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
                self.default_depends(own, (oid, index + 1), column);
            }
            self.information_column(table, index, &ty, default);
        }
    }
}
