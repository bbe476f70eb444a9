//! Rows of `information_schema.columns`.

use pgtypes::{PgType, SqlValue as Value};

use crate::catalog::{Type, TypeId};
use crate::pg_catalog::fill::{Filler, count, int, text};
use crate::sequence::SequenceInfo;
use crate::stored_name;
use crate::table_info::{Identity, TableColumn, TableInfo};

/// How many bytes a character may have in UTF-8.
const BYTES: u32 = 4;

/// As many bytes as PostgreSQL says that a text without a limit has.
const ANY_LENGTH: u32 = 1 << 30;

fn given(number: Option<u32>) -> Value {
    number.map_or(Value::Null, int)
}

pub(crate) fn yes_or_no(yes: bool) -> Value {
    text(if yes { "YES" } else { "NO" })
}

impl Filler<'_> {
    /// The row of a column.
    pub(crate) fn information_column(
        &mut self,
        table: &TableInfo,
        index: usize,
        ty: &PgType,
        default: Option<String>,
    ) {
        let Some(column) = table.columns.get(index) else {
            return;
        };
        let database = self.input.database.clone();
        let shown = if column.computed {
            "generation_expression"
        } else {
            "column_default"
        };
        let domain = column.domain.as_ref();
        let mut domains = self.input.domains.iter();
        let domain = domain.and_then(|name| domains.find(|domain| domain.name == *name));
        let not_null = column.not_null || domain.is_some_and(|domain| domain.not_null);
        let mut row = vec![
            ("table_catalog", text(&database)),
            ("table_schema", text(&self.place.name)),
            ("table_name", text(table.shown_name())),
            ("column_name", text(&column.name)),
            ("ordinal_position", count(index + 1)),
            (shown, default.map_or(Value::Null, Value::Text)),
            ("is_nullable", yes_or_no(!not_null)),
            ("data_type", text(data_type(ty))),
            ("udt_catalog", text(&database)),
            ("udt_schema", text(udt_schema(ty))),
            ("udt_name", text(udt_name(ty))),
            ("dtd_identifier", text(&(index + 1).to_string())),
            ("is_self_referencing", text("NO")),
            (
                "is_generated",
                text(if column.computed { "ALWAYS" } else { "NEVER" }),
            ),
            ("is_updatable", yes_or_no(table.view.is_none())),
        ];
        if ty.oid().get() == TypeId::NAME.get() {
            row.extend([
                ("collation_catalog", text(&database)),
                ("collation_schema", text("pg_catalog")),
                ("collation_name", text("C")),
            ]);
        }
        if let Some(domain) = domain {
            row.extend([
                ("domain_catalog", text(&database)),
                ("domain_schema", text(stored_name::schema(&domain.name))),
                ("domain_name", text(stored_name::base(&domain.name))),
            ]);
        }
        row.extend(limits(ty));
        row.extend(self.identity(table, column));
        self.push("information_schema.columns", &row);
        if let Some(element) = ty.element() {
            self.information_element(table, index, element);
        }
    }

    /// What the elements of an array in a column are.
    fn information_element(&mut self, table: &TableInfo, index: usize, element: PgType) {
        let database = self.input.database.clone();
        let kind = if table.view.is_some() {
            "VIEW"
        } else {
            "TABLE"
        };
        let number = index + 1;
        self.push(
            "information_schema.element_types",
            &[
                ("object_catalog", text(&database)),
                ("object_schema", text(&self.place.name)),
                ("object_name", text(table.shown_name())),
                ("object_type", text(kind)),
                ("collection_type_identifier", text(&number.to_string())),
                ("data_type", text(data_type(&element))),
                ("udt_catalog", text(&database)),
                ("udt_schema", text("pg_catalog")),
                ("udt_name", text(udt_name(&element))),
                ("dtd_identifier", text(&format!("a{number}"))),
            ],
        );
    }

    fn identity(&self, table: &TableInfo, column: &TableColumn) -> Vec<(&'static str, Value)> {
        let mut row = vec![
            ("is_identity", yes_or_no(column.identity.is_some())),
            ("identity_cycle", text("NO")),
        ];
        let Some(identity) = column.identity else {
            return row;
        };
        let generation = match identity {
            Identity::Always => "ALWAYS",
            Identity::ByDefault => "BY DEFAULT",
        };
        row.push(("identity_generation", text(generation)));
        let owns = |sequence: &&SequenceInfo| {
            let owner = sequence.owner.as_ref();
            sequence.identity
                && owner.is_some_and(|(of, own)| *of == table.name && *own == column.name)
        };
        if let Some(sequence) = self.input.sequences.iter().find(owns) {
            let number = |number: i64| text(&number.to_string());
            row.extend([
                ("identity_start", number(sequence.start)),
                ("identity_increment", number(sequence.increment)),
                ("identity_maximum", number(sequence.max)),
                ("identity_minimum", number(sequence.min)),
                ("identity_cycle", yes_or_no(sequence.cycle)),
            ]);
        }
        row
    }
}

/// The name of a type, which for all arrays is the same.
pub(crate) fn data_type(ty: &PgType) -> &'static str {
    match (ty, ty.element()) {
        (_, Some(_)) => "ARRAY",
        (PgType::Enum(_), _) => "USER-DEFINED",
        _ => ty.name(),
    }
}

/// The schema of a type.
fn udt_schema(ty: &PgType) -> &'static str {
    match ty {
        PgType::Enum(_) => "public",
        _ => "pg_catalog",
    }
}

/// The catalog's name of a type.
pub(crate) fn udt_name(ty: &PgType) -> &'static str {
    let info = Type::from(*ty).id.info();
    info.map_or(ty.typname(), |info| info.catalog_name)
}

/// What a type says of lengths and precisions.
pub(crate) fn limits(ty: &PgType) -> Vec<(&'static str, Value)> {
    let (precision, radix) = match ty {
        PgType::Int2 => (Some(16), Some(2)),
        PgType::Int4 => (Some(32), Some(2)),
        PgType::Int8 => (Some(64), Some(2)),
        PgType::Float4 => (Some(24), Some(2)),
        PgType::Float8 => (Some(53), Some(2)),
        PgType::Numeric { .. } => (ty.precision(), Some(10)),
        _ => (None, None),
    };
    let bytes = match ty {
        PgType::Text | PgType::Varchar(None) => Some(ANY_LENGTH),
        _ => ty.length().map(|length| length.saturating_mul(BYTES)),
    };
    let mut row = vec![
        ("character_maximum_length", given(ty.length())),
        ("character_octet_length", given(bytes)),
        ("numeric_precision", given(precision)),
        ("numeric_precision_radix", given(radix)),
        ("numeric_scale", given(ty.scale())),
        ("datetime_precision", given(of_seconds(ty))),
    ];
    let declared = Type::from(*ty).to_string();
    let fields = declared.strip_prefix("interval").map(str::trim);
    if let Some(fields) = fields.filter(|fields| fields.starts_with(char::is_alphabetic)) {
        row.push(("interval_type", text(&fields.to_ascii_uppercase())));
    }
    row
}

/// How many digits of a second a type has.
fn of_seconds(ty: &PgType) -> Option<u32> {
    const ALL: u32 = 6;
    match ty {
        PgType::Date => Some(0),
        PgType::Time(None)
        | PgType::Timetz(None)
        | PgType::Timestamp(None)
        | PgType::Timestamptz(None) => Some(ALL),
        PgType::Time(_) | PgType::Timetz(_) | PgType::Timestamp(_) | PgType::Timestamptz(_) => {
            u32::try_from(ty.typmod()).ok()
        }
        PgType::Interval(_) => Some(match ty.typmod() & 0xffff {
            0xffff => ALL,
            digits => u32::try_from(digits).unwrap_or(ALL),
        }),
        _ => None,
    }
}
