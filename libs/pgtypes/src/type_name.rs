//! The names of types with their modifiers: as a table declares them, and as they are shown.

use std::fmt;

use crate::PgType;
use crate::interval_fields::interval_name;

impl PgType {
    /// How a column of an enum is declared: the number of its type follows. It has no syllable of SQLite's affinities, so
    /// that numbers stay what they are.
    pub(crate) const ENUM_DECLARATION: &'static str = "ENUMERATED";

    /// A declaration that gives the type again, and its affinity to SQLite. The digits of a result, which are known
    /// and not limited, are those of `numeric(*,2)`.
    pub fn declaration(&self) -> String {
        let name = self.declared_as().unwrap_or(self.typname());
        match *self {
            Self::Varchar(Some(length)) | Self::Bpchar(Some(length)) => format!("{name}({length})"),
            Self::Numeric {
                precision: Some(precision),
                scale,
            } => format!("{name}({precision},{})", scale.unwrap_or(0)),
            Self::Numeric {
                precision: None,
                scale: Some(scale),
            } => format!("{name}(*,{scale})"),
            Self::Time(Some(digits))
            | Self::Timetz(Some(digits))
            | Self::Timestamp(Some(digits))
            | Self::Timestamptz(Some(digits)) => format!("{name}({digits})"),
            Self::Interval(Some(modifier)) => format!("{name}({modifier})"),
            Self::Enum(oid) => format!("{}({oid})", Self::ENUM_DECLARATION),
            Self::Composed(oid, -1) => format!("{}({oid})", Self::ARRAY_DECLARATION),
            Self::Composed(oid, typmod) => format!("{}({oid},{typmod})", Self::ARRAY_DECLARATION),
            _ => name.to_owned(),
        }
    }
}

/// The name with its modifiers, as `format_type` gives it: `character varying(20)`.
impl fmt::Display for PgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Varchar(Some(length)) | Self::Bpchar(Some(length)) => {
                write!(f, "{}({length})", self.name())
            }
            Self::Bpchar(None) => f.write_str("bpchar"),
            Self::Numeric {
                precision: Some(precision),
                scale,
            } => {
                write!(f, "numeric({precision},{})", scale.unwrap_or(0))
            }
            Self::Time(Some(digits)) => write!(f, "time({digits}) without time zone"),
            Self::Timetz(Some(digits)) => write!(f, "time({digits}) with time zone"),
            Self::Timestamp(Some(digits)) => write!(f, "timestamp({digits}) without time zone"),
            Self::Timestamptz(Some(digits)) => write!(f, "timestamp({digits}) with time zone"),
            Self::Interval(Some(modifier)) => f.write_str(&interval_name(modifier.cast_unsigned())),
            Self::Enum(oid) => write!(f, "type {oid}"),
            Self::Composed(oid, _) => match self.element() {
                Some(element) if !self.is_vector() => write!(f, "{element}[]"),
                _ => write!(f, "type {oid}"),
            },
            _ => f.write_str(self.name()),
        }
    }
}
