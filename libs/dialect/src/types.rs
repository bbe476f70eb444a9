//! PostgreSQL type names: their canonical form, and how they are declared to SQLite.
//!
//! SQLite derives a column's affinity from its declared type: INT → INTEGER; CHAR, CLOB, TEXT → TEXT; BLOB → none;
//! REAL, FLOA, DOUB → REAL; all else NUMERIC. Most PostgreSQL spellings land where they should and are kept as the
//! user wrote them. A type whose affinity would change stored values (`json` '1e5' would become 100000.0) is
//! declared under a name that holds the right word, and is recognised again by [`TypeName::from_declared`]:
//!
//! | PostgreSQL | declared as | PostgreSQL | declared as |
//! | --- | --- | --- | --- |
//! | json, jsonb | `JSON_TEXT`, `JSONB_TEXT` | interval | `ELAPSED_TEXT` (INTERVAL holds INT) |
//! | uuid | `UUID_TEXT` | name, xml | `NAME_TEXT`, `XML_TEXT` |
//! | bytea | `BYTEA_BLOB` | inet, cidr, macaddr | `INET_TEXT`, `CIDR_TEXT`, `MACADDR_TEXT` |

use std::fmt;

/// A PostgreSQL type by its internal name with modifiers: `int4`, `varchar(20)`, `numeric(10,2)`, `timestamptz`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypeName(String);

/// Spellings and the internal names they stand for.
const ALIASES: &[(&str, &str)] = &[
    ("int", "int4"),
    ("integer", "int4"),
    ("int4", "int4"),
    ("serial", "int4"),
    ("serial4", "int4"),
    ("mediumint", "int4"),
    ("bigint", "int8"),
    ("int8", "int8"),
    ("bigserial", "int8"),
    ("serial8", "int8"),
    ("smallint", "int2"),
    ("int2", "int2"),
    ("smallserial", "int2"),
    ("serial2", "int2"),
    ("tinyint", "int2"),
    ("boolean", "bool"),
    ("bool", "bool"),
    ("real", "float4"),
    ("float4", "float4"),
    ("double precision", "float8"),
    ("double", "float8"),
    ("float", "float8"),
    ("float8", "float8"),
    ("numeric", "numeric"),
    ("decimal", "numeric"),
    ("dec", "numeric"),
    ("text", "text"),
    ("clob", "text"),
    ("character varying", "varchar"),
    ("char varying", "varchar"),
    ("varchar", "varchar"),
    ("nvarchar", "varchar"),
    ("national character varying", "varchar"),
    ("national char varying", "varchar"),
    ("character", "bpchar"),
    ("char", "bpchar"),
    ("nchar", "bpchar"),
    ("national character", "bpchar"),
    ("national char", "bpchar"),
    ("bpchar", "bpchar"),
    ("bytea", "bytea"),
    ("blob", "bytea"),
    ("date", "date"),
    ("time", "time"),
    ("time without time zone", "time"),
    ("time with time zone", "timetz"),
    ("timetz", "timetz"),
    ("timestamp", "timestamp"),
    ("datetime", "timestamp"),
    ("timestamp without time zone", "timestamp"),
    ("timestamp with time zone", "timestamptz"),
    ("timestamptz", "timestamptz"),
];

/// Types with a declared name of their own: internal name, declared name.
const RENAMED: &[(&str, &str)] = &[
    ("json", "JSON_TEXT"),
    ("jsonb", "JSONB_TEXT"),
    ("uuid", "UUID_TEXT"),
    ("interval", "ELAPSED_TEXT"),
    ("bytea", "BYTEA_BLOB"),
    ("name", "NAME_TEXT"),
    ("xml", "XML_TEXT"),
    ("inet", "INET_TEXT"),
    ("cidr", "CIDR_TEXT"),
    ("macaddr", "MACADDR_TEXT"),
];

/// Internal name, name as `format_type` prints it, oid.
pub(crate) const BUILTIN: &[(&str, &str, u32)] = &[
    ("bool", "boolean", 16),
    ("bytea", "bytea", 17),
    ("char", "\"char\"", 18),
    ("name", "name", 19),
    ("int8", "bigint", 20),
    ("int2", "smallint", 21),
    ("int4", "integer", 23),
    ("text", "text", 25),
    ("oid", "oid", 26),
    ("json", "json", 114),
    ("xml", "xml", 142),
    ("float4", "real", 700),
    ("float8", "double precision", 701),
    ("cidr", "cidr", 650),
    ("unknown", "unknown", 705),
    ("macaddr", "macaddr", 829),
    ("inet", "inet", 869),
    ("bpchar", "character", 1042),
    ("varchar", "character varying", 1043),
    ("date", "date", 1082),
    ("time", "time without time zone", 1083),
    ("timestamp", "timestamp without time zone", 1114),
    ("timestamptz", "timestamp with time zone", 1184),
    ("interval", "interval", 1186),
    ("timetz", "time with time zone", 1266),
    ("numeric", "numeric", 1700),
    ("regproc", "regproc", 24),
    ("regclass", "regclass", 2205),
    ("regtype", "regtype", 2206),
    ("regnamespace", "regnamespace", 4089),
    ("uuid", "uuid", 2950),
    ("jsonb", "jsonb", 3802),
];

impl TypeName {
    /// An internal name, taken as it is.
    pub fn internal(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// From any of PostgreSQL's spellings, with modifiers, in any case, `pg_catalog.` allowed:
    /// `CHARACTER VARYING (20)` is `varchar(20)`. An unknown name stays as it is, in lower case.
    pub fn parse(text: &str) -> Self {
        let (words, modifiers) = normalise(text);
        let words = words.strip_prefix("pg_catalog.").unwrap_or(&words);
        let internal = ALIASES
            .iter()
            .find(|(spelling, _)| *spelling == words)
            .map_or(words, |(_, name)| *name);
        let mut name = internal.to_owned();
        match (internal, modifiers) {
            ("float8", Some(bits))
                if words == "float" && bits.parse::<u32>().is_ok_and(|bits| bits <= 24) =>
            {
                "float4".clone_into(&mut name);
            }
            ("bpchar", None) if words != "bpchar" => name.push_str("(1)"),
            ("varchar" | "bpchar" | "numeric", Some(modifiers)) => {
                name.push('(');
                name.push_str(&modifiers);
                name.push(')');
            }
            _ => {}
        }
        Self(name)
    }

    /// From SQLite's declared type, as translation declares it or as a user of SQLite would; `None` when there is
    /// no type.
    pub fn from_declared(declared: &str) -> Option<Self> {
        if declared.trim().is_empty() {
            return None;
        }
        let renamed = RENAMED
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(declared.trim()));
        Some(renamed.map_or_else(
            || Self::parse(declared),
            |(internal, _)| Self::internal(internal),
        ))
    }

    /// How a column of this type is declared to SQLite, when PostgreSQL's own spelling will not do.
    pub(crate) fn renamed(&self) -> Option<&'static str> {
        RENAMED
            .iter()
            .find(|(internal, _)| *internal == self.base())
            .map(|(_, declared)| *declared)
    }

    /// The internal name with modifiers.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The internal name without modifiers.
    pub fn base(&self) -> &str {
        self.0.split('(').next().unwrap_or(&self.0)
    }

    /// The text between the parentheses: `10,2`.
    pub fn modifiers(&self) -> Option<&str> {
        self.0
            .split_once('(')
            .and_then(|(_, rest)| rest.strip_suffix(')'))
    }

    /// The digits behind the point, where the type says how many: those of `numeric(10,2)`, none for an integer.
    /// `numeric(*,2)`, which no client can write, is a result of known scale and any precision.
    pub(crate) fn scale(&self) -> Option<u32> {
        if self.is_integer() {
            return Some(0);
        }
        let modifiers = self.modifiers().filter(|_| self.base() == "numeric")?;
        let scale = modifiers.split_once(',').map_or("0", |(_, scale)| scale);
        scale.parse().ok()
    }

    /// The precision of a `numeric(p,s)`.
    pub(crate) fn precision(&self) -> Option<u32> {
        let modifiers = self.modifiers().filter(|_| self.base() == "numeric")?;
        modifiers.split(',').next()?.parse().ok()
    }

    /// The number of characters in a `varchar(n)` or `char(n)`.
    pub(crate) fn length(&self) -> Option<u32> {
        self.modifiers()
            .filter(|_| matches!(self.base(), "varchar" | "bpchar"))?
            .parse()
            .ok()
    }

    /// A numeric result whose scale is known or not.
    pub(crate) fn numeric(scale: Option<u32>) -> Self {
        Self(scale.map_or_else(
            || "numeric".to_owned(),
            |scale| format!("numeric(*,{scale})"),
        ))
    }

    /// `pg_type.oid`; 0 for a type that is not built in.
    pub fn oid(&self) -> u32 {
        BUILTIN
            .iter()
            .find(|(name, ..)| *name == self.base())
            .map_or(0, |(_, _, oid)| *oid)
    }

    /// `atttypmod` as PostgreSQL packs it: length + 4, or precision and scale + 4; -1 without modifiers.
    pub fn typmod(&self) -> i32 {
        let Some(modifiers) = self.modifiers() else {
            return -1;
        };
        let mut numbers = modifiers.split(',').map(|part| {
            part.trim()
                .parse::<i32>()
                .ok()
                .filter(|n| (0..=10_485_760).contains(n))
        });
        match (
            self.base(),
            numbers.next().flatten(),
            numbers.next().flatten(),
        ) {
            ("varchar" | "bpchar", Some(length), _) => length + 4,
            ("numeric", Some(precision), scale) => {
                ((precision & 0x7fff) << 16 | (scale.unwrap_or(0) & 0x7ff)) + 4
            }
            _ => -1,
        }
    }

    /// The name as `format_type` prints it: `character varying(20)`.
    pub fn sql_name(&self) -> String {
        let long = BUILTIN
            .iter()
            .find(|(name, ..)| *name == self.base())
            .map_or(self.base(), |(_, long, _)| *long);
        match self.modifiers().filter(|text| !text.starts_with('*')) {
            Some(modifiers) => format!("{long}({modifiers})"),
            None => long.to_owned(),
        }
    }

    /// int2, int4 or int8.
    pub fn is_integer(&self) -> bool {
        matches!(self.base(), "int2" | "int4" | "int8")
    }

    /// A type with PostgreSQL's arithmetic.
    pub fn is_number(&self) -> bool {
        self.is_integer() || matches!(self.base(), "numeric" | "float4" | "float8")
    }

    /// text, varchar, bpchar, name, citext.
    pub fn is_text(&self) -> bool {
        matches!(
            self.base(),
            "text" | "varchar" | "bpchar" | "name" | "citext"
        )
    }

    /// date, timestamp or timestamptz.
    pub fn is_date_or_timestamp(&self) -> bool {
        matches!(self.base(), "date" | "timestamp" | "timestamptz")
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Words in lower case with single blanks, and the modifiers of the first parentheses without blanks.
/// `timestamp(3) with time zone` gives `timestamp with time zone` and `3`.
fn normalise(text: &str) -> (String, Option<String>) {
    let mut words = String::new();
    let mut modifiers: Option<String> = None;
    let mut inside = false;
    for c in text.chars() {
        match (c, inside) {
            ('(', false) => {
                inside = true;
                modifiers.get_or_insert_default();
                words.push(' ');
            }
            (')', true) => inside = false,
            (c, true) => {
                if let Some(modifiers) = modifiers.as_mut().filter(|_| !c.is_whitespace()) {
                    modifiers.push(c);
                }
            }
            ('"', false) => {}
            (c, false) => words.push(c.to_ascii_lowercase()),
        }
    }
    let words = words.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    (words, modifiers.filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_have_one_internal_name() {
        for (spelling, internal) in [
            ("INT", "int4"),
            ("bigint", "int8"),
            ("CHARACTER VARYING (20)", "varchar(20)"),
            ("varchar", "varchar"),
            ("CHAR", "bpchar(1)"),
            ("char(3)", "bpchar(3)"),
            ("NUMERIC(10, 2)", "numeric(10,2)"),
            ("double  precision", "float8"),
            ("float(10)", "float4"),
            ("timestamp(3) with time zone", "timestamptz"),
            ("TIMESTAMP", "timestamp"),
            ("pg_catalog.int4", "int4"),
            ("Mood", "mood"),
        ] {
            assert_eq!(TypeName::parse(spelling).as_str(), internal, "{spelling}");
        }
    }

    #[test]
    fn a_renamed_type_is_recognised_from_its_declaration() {
        for (internal, declared) in RENAMED {
            let name = TypeName::internal(internal);
            assert_eq!(name.renamed(), Some(*declared));
            assert_eq!(TypeName::from_declared(declared), Some(name));
            assert!(declared.contains("TEXT") || declared.contains("BLOB"));
            assert!(
                !declared.contains("INT"),
                "INT wins over TEXT in SQLite's rules"
            );
        }
    }

    #[test]
    fn modifiers_are_packed_as_in_the_catalog() {
        assert_eq!(TypeName::parse("varchar(20)").typmod(), 24);
        assert_eq!(TypeName::parse("numeric(10,2)").typmod(), 655_366);
        assert_eq!(TypeName::parse("text").typmod(), -1);
        assert_eq!(TypeName::parse("varchar(99999999999)").typmod(), -1);
        assert_eq!(TypeName::parse("numeric(10,2)").sql_name(), "numeric(10,2)");
        assert_eq!(
            TypeName::parse("varchar(20)").sql_name(),
            "character varying(20)"
        );
    }
}
