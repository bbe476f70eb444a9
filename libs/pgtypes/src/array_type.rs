//! The types of arrays: what their elements are, and how their stored texts compare.

use crate::{ByteaOutput, Context, DateStyle, IntervalStyle, Oid, PgType, Zone};

/// Types of arrays and of their elements.
const ELEMENTS: &[(u32, u32)] = &[
    (22, 21),
    (30, 26),
    (199, 114),
    (651, 650),
    (1000, 16),
    (1001, 17),
    (1002, 18),
    (1003, 19),
    (1005, 21),
    (1007, 23),
    (1009, 25),
    (1014, 1042),
    (1015, 1043),
    (1016, 20),
    (1021, 700),
    (1022, 701),
    (1028, 26),
    (1041, 869),
    (1115, 1114),
    (1182, 1082),
    (1183, 1083),
    (1185, 1184),
    (1187, 1186),
    (1231, 1700),
    (1270, 1266),
    (2951, 2950),
    (3807, 3802),
];

impl PgType {
    /// How a column of arrays is declared: the number of its type follows, and the elements' modifier. The name has no
    /// syllable by which SQLite would take it for numbers.
    pub(crate) const ARRAY_DECLARATION: &'static str = "ARRAY_TEXT";

    /// The type of arrays of it, with its modifier; `None` where there are no such arrays here.
    #[must_use]
    pub fn array(self) -> Option<Self> {
        let own = self.oid().get();
        let is_plain = |(array, element): &&(u32, u32)| *element == own && !is_vector(*array);
        let (array, _) = ELEMENTS.iter().find(is_plain)?;
        (own != 0).then(|| Self::Composed(Oid::new(*array), self.typmod()))
    }

    /// The type of an array's elements, with the modifier.
    #[must_use]
    pub fn element(self) -> Option<Self> {
        let Self::Composed(array, typmod) = self else {
            return None;
        };
        let (_, element) = ELEMENTS.iter().find(|(known, _)| *known == array.get())?;
        Self::from_oid(Oid::new(*element), typmod)
    }

    /// Whether it is `int2vector` or `oidvector`, which the catalog has.
    pub(crate) const fn is_vector(self) -> bool {
        matches!(self, Self::Composed(array, _) if is_vector(array.get()))
    }

    /// Whether the text that a client sees of a value depends on settings of the session.
    pub const fn follows_settings(&self) -> bool {
        matches!(
            self,
            Self::Float4
                | Self::Float8
                | Self::Bytea
                | Self::Date
                | Self::Timestamp(_)
                | Self::Timestamptz(_)
                | Self::Interval(_)
        )
    }

    /// Whether a client with these settings sees another text of a value than the one by which arrays keep it.
    pub(crate) fn is_shown_otherwise(&self, context: &Context) -> bool {
        match self {
            Self::Float4 | Self::Float8 => context.extra_float_digits < 1,
            Self::Bytea => context.bytea_output != ByteaOutput::Hex,
            Self::Date | Self::Timestamp(_) => context.date_style != DateStyle::Iso,
            Self::Timestamptz(_) => {
                context.date_style != DateStyle::Iso || !matches!(context.zone, Zone::Fixed(0))
            }
            Self::Interval(_) => context.interval_style != IntervalStyle::Postgres,
            _ => false,
        }
    }
}

/// `int2vector` or `oidvector`, by its number.
const fn is_vector(array: u32) -> bool {
    matches!(array, 22 | 30)
}

/// The collation under which arrays of a type compare as their elements do; `None` where these have no order.
pub const fn array_collation(array: Oid) -> Option<&'static str> {
    Some(match array.get() {
        1005 | 1007 | 1016 | 1021 | 1022 | 1028 | 1231 => "pg_array_number",
        1000 | 1001 | 1003 | 1009 | 1015 | 1183 | 2951 => "pg_array_text",
        1002 => "pg_array_char",
        1014 => "pg_array_bpchar",
        1182 => "pg_array_date",
        1115 | 1185 => "pg_array_timestamp",
        1187 => "pg_array_interval",
        1270 => "pg_array_timetz",
        3807 => "pg_array_jsonb",
        651 | 1041 => "pg_array_inet",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_columns_has_arrays_that_lead_back_to_it() {
        for ty in PgType::ALL {
            let none = matches!(ty, PgType::Opaque(_) | PgType::Unknown | PgType::Void);
            assert_eq!(ty.array().is_none(), none, "{ty}");
            if let Some(array) = ty.array() {
                assert_eq!(array.element(), Some(*ty));
                let declared = array.declaration();
                assert_eq!(PgType::from_declared(&declared), Some(array), "{declared}");
                assert_eq!(array.to_string(), format!("{ty}[]"));
            }
        }
        let limited = PgType::Varchar(Some(20)).array().unwrap();
        assert_eq!(limited.declaration(), "ARRAY_TEXT(1015,24)");
        assert_eq!(PgType::from_declared("ARRAY_TEXT(1015,24)"), Some(limited));
        assert_eq!(limited.to_string(), "character varying(20)[]");
    }

    #[test]
    fn all_arrays_but_those_of_json_have_an_order() {
        for ty in PgType::ALL {
            if let Some(array) = ty.array() {
                assert_eq!(array.collation().is_none(), *ty == PgType::Json, "{ty}");
            }
        }
    }
}
