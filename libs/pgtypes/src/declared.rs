//! From the type name in a table's declaration to the type a client sees.
//!
//! PostgreSQL's meaning wins where both SQL dialects know a name: `INTEGER` is 32 bits wide and
//! `REAL` has single precision. A value that is larger than its declared type allows is still
//! sent whole in text.

use crate::interval_fields::modifier;
use crate::{Oid, PgType};

impl PgType {
    /// The type of a declaration such as `VARCHAR(20)`, `timestamp(3) with time zone` or `CLOB`;
    /// `None` where nothing is declared.
    ///
    /// Upper and lower case are the same; a schema prefix `pg_catalog.` and array brackets are
    /// understood (arrays are text). A name nobody knows is text, unless SQLite would take it for a
    /// number or for bytes.
    pub fn from_declared(declared: &str) -> Option<Self> {
        let declaration = Declaration::parse(declared);
        if declaration.name.is_empty() {
            return None;
        }
        if declaration.array {
            return Some(Self::Text);
        }
        let known = declaration.known().or_else(|| declaration.of_sqlite());
        Some(known.unwrap_or_else(|| by_affinity(&declaration.name)))
    }

    /// The type that PostgreSQL calls by this name, with modifiers, or that a table declares by it;
    /// `None` for a name that neither has.
    pub fn parse(name: &str) -> Option<Self> {
        let declaration = Declaration::parse(name);
        let known = declaration.known();
        if declaration.array {
            return known.and_then(Self::array);
        }
        known
    }
}

/// A type name taken apart.
struct Declaration {
    /// Lower case, single spaces, without prefix, quotes, parameters and brackets.
    name: String,
    /// What stood in parentheses; `*` and whatever else is no number is none.
    parameters: Vec<Option<i32>>,
    /// Whether brackets followed.
    array: bool,
    /// Whether the name was in double quotes, which makes `"char"` another type than `char`.
    quoted: bool,
}

impl Declaration {
    fn parse(declared: &str) -> Self {
        let mut name = String::with_capacity(declared.len());
        let mut parameters = Vec::new();
        let mut array = false;
        let mut quoted = false;
        let mut rest = declared.trim().chars();
        while let Some(c) = rest.next() {
            match c {
                '(' => {
                    let inside: String = rest.by_ref().take_while(|c| *c != ')').collect();
                    parameters = inside.split(',').map(leading_number).collect();
                    name.push(' ');
                }
                '[' | ']' => array = true,
                '"' => quoted = true,
                c if c.is_whitespace() => name.push(' '),
                c => name.extend(c.to_lowercase()),
            }
        }
        let mut name = name.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(stem) = name.strip_suffix(" array") {
            array = true;
            name = stem.to_owned();
        }
        for prefix in ["pg_catalog.", "public."] {
            if let Some(stem) = name.strip_prefix(prefix) {
                name = stem.to_owned();
            }
        }
        Self {
            name,
            parameters,
            array,
            quoted,
        }
    }

    /// The type of a name in the table of types.
    fn known(&self) -> Option<PgType> {
        let name = self.name.as_str();
        let length: Option<u32> = self.parameter(0).filter(|n| *n > 0);
        let digits: Option<u8> = self.parameter(0).map(|n: u8| n.min(6));
        Some(match PgType::by_name(name) {
            Some(PgType::Bpchar(_)) if self.quoted && name == "char" => PgType::Char,
            Some(PgType::Bpchar(_)) if name != "bpchar" => PgType::Bpchar(length.or(Some(1))),
            Some(PgType::Bpchar(_)) => PgType::Bpchar(length),
            Some(PgType::Varchar(_)) => PgType::Varchar(length),
            Some(PgType::Time(_)) => PgType::Time(digits),
            Some(PgType::Timetz(_)) => PgType::Timetz(digits),
            Some(PgType::Timestamp(_)) => PgType::Timestamp(digits),
            Some(PgType::Timestamptz(_)) => PgType::Timestamptz(digits),
            Some(PgType::Numeric { .. }) => self.numeric(),
            Some(PgType::Float8)
                if name == "float" && matches!(self.parameter(0), Some(1..=24_u8)) =>
            {
                PgType::Float4
            }
            Some(PgType::Interval(_)) if name != "interval" => PgType::Interval(self.parameter(0)),
            Some(PgType::Interval(_)) => PgType::Interval(modifier("", self.parameter(0))),
            Some(ty) => ty,
            None if name.eq_ignore_ascii_case(PgType::ARRAY_DECLARATION) => {
                let oid: u32 = self.parameter(0)?;
                PgType::Composed(Oid::new(oid), self.parameter(1).unwrap_or(-1))
            }
            None if name.eq_ignore_ascii_case(PgType::ENUM_DECLARATION) => {
                PgType::Enum(Oid::new(self.parameter(0)?))
            }
            None if name.starts_with("interval ") => {
                let words = name.strip_prefix("interval ").unwrap_or_default();
                PgType::Interval(modifier(words.trim(), self.parameter(0)))
            }
            None => return None,
        })
    }

    /// The type of a name that a user of SQLite would declare, where its syllables would mislead.
    fn of_sqlite(&self) -> Option<PgType> {
        let length: Option<u32> = self.parameter(0).filter(|n| *n > 0);
        match self.name.as_str() {
            "xid" | "cid" => Some(PgType::Oid),
            "point" => Some(PgType::Text),
            "nchar varying" | "varying character" | "varchar2" => Some(PgType::Varchar(length)),
            "native character" => Some(PgType::Bpchar(length.or(Some(1)))),
            _ => None,
        }
    }

    /// A parameter, if it is a number that fits.
    fn parameter<T: TryFrom<i32>>(&self, at: usize) -> Option<T> {
        let number = self.parameters.get(at).copied().flatten()?;
        T::try_from(number).ok()
    }

    /// `numeric(*,2)`, which no client can write, is a result whose scale is known.
    fn numeric(&self) -> PgType {
        let precision: Option<u16> = self.parameter(0);
        let scale: i16 = self.parameter(1).unwrap_or(0);
        match precision {
            Some(1..=1000) if (-1000..=1000).contains(&scale) => PgType::Numeric {
                precision,
                scale: Some(scale),
            },
            None if self.parameters.len() == 2 && (0..=1000).contains(&scale) => PgType::Numeric {
                precision,
                scale: Some(scale),
            },
            _ => PgType::NUMERIC,
        }
    }
}

/// What SQLite's own rules make of a name: they look for syllables in it.
fn by_affinity(name: &str) -> PgType {
    let has = |syllable: &str| name.contains(syllable);
    if has("int") {
        PgType::Int8
    } else if has("char") || has("clob") || has("text") {
        PgType::Text
    } else if has("blob") {
        PgType::Bytea
    } else if has("real") || has("floa") || has("doub") {
        PgType::Float8
    } else {
        PgType::Text
    }
}

/// The number at the start of a parameter; `20 char` is 20.
fn leading_number(parameter: &str) -> Option<i32> {
    let parameter = parameter.trim();
    let end = parameter
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || (*at == 0 && matches!(c, '-' | '+'))))
        .map_or(parameter.len(), |(at, _)| at);
    parameter.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::PgType;

    fn check(cases: &[(&str, PgType)]) {
        for (declared, expected) in cases {
            assert_eq!(
                PgType::from_declared(declared),
                Some(*expected),
                "{declared}"
            );
        }
    }

    #[test]
    fn every_spelling_of_a_number_gives_its_type() {
        check(&[
            ("bool", PgType::Bool),
            ("BOOLEAN", PgType::Bool),
            ("smallint", PgType::Int2),
            ("INT", PgType::Int4),
            ("integer", PgType::Int4),
            ("pg_catalog.int4", PgType::Int4),
            ("bigserial", PgType::Int8),
            ("serial", PgType::Int4),
            ("oid", PgType::Oid),
            ("real", PgType::Float4),
            ("float(24)", PgType::Float4),
            ("float(25)", PgType::Float8),
            ("float", PgType::Float8),
            ("double precision", PgType::Float8),
            ("numeric", PgType::NUMERIC),
            (
                "decimal(8)",
                PgType::Numeric {
                    precision: Some(8),
                    scale: Some(0),
                },
            ),
            (
                "NUMERIC( 10 , 2 )",
                PgType::Numeric {
                    precision: Some(10),
                    scale: Some(2),
                },
            ),
            (
                "numeric(3,-2)",
                PgType::Numeric {
                    precision: Some(3),
                    scale: Some(-2),
                },
            ),
            ("numeric(2000,2)", PgType::NUMERIC),
            ("numeric(*,2)", PgType::numeric(Some(2))),
            (
                "NUMERIC_TEXT(10,2)",
                PgType::Numeric {
                    precision: Some(10),
                    scale: Some(2),
                },
            ),
            ("numeric_text", PgType::NUMERIC),
        ]);
    }

    #[test]
    fn every_spelling_of_a_text_gives_its_type() {
        check(&[
            ("varchar(20)", PgType::Varchar(Some(20))),
            ("character varying (20)", PgType::Varchar(Some(20))),
            ("varchar", PgType::Varchar(None)),
            ("char", PgType::Bpchar(Some(1))),
            ("character(3)", PgType::Bpchar(Some(3))),
            ("bpchar", PgType::Bpchar(None)),
            ("\"char\"", PgType::Char),
            ("name", PgType::Name),
            ("bytea", PgType::Bytea),
        ]);
    }

    #[test]
    fn every_other_spelling_gives_its_type() {
        check(&[
            ("date", PgType::Date),
            ("time", PgType::Time(None)),
            ("time(3) with time zone", PgType::Timetz(Some(3))),
            ("timestamp", PgType::Timestamp(None)),
            ("timestamp(3) without time zone", PgType::Timestamp(Some(3))),
            ("TIMESTAMP WITH TIME ZONE", PgType::Timestamptz(None)),
            ("timestamp(0) with time zone", PgType::Timestamptz(Some(0))),
            ("timestamptz(9)", PgType::Timestamptz(Some(6))),
            ("interval", PgType::Interval(None)),
            (
                "interval day to second(3)",
                PgType::Interval(Some(470_286_339)),
            ),
            ("uuid", PgType::Uuid),
            ("json", PgType::Json),
            ("JSON_TEXT", PgType::Json),
            ("jsonb_text", PgType::Jsonb),
            ("ELAPSED_TEXT", PgType::Interval(None)),
            ("UUID_TEXT", PgType::Uuid),
            ("NAME_TEXT", PgType::Name),
            ("INET_TEXT", PgType::Inet),
            ("TIMETZ_TEXT(3)", PgType::Timetz(Some(3))),
            ("MONEY_TEXT", PgType::Opaque(crate::Opaque::Money)),
            ("BYTEA_BLOB", PgType::Bytea),
            ("text[]", PgType::Text),
            ("integer array", PgType::Text),
            ("point", PgType::Text),
            ("void", PgType::Void),
        ]);
    }

    #[test]
    fn sqlites_own_spellings_give_the_nearest_type() {
        check(&[
            ("TEXT", PgType::Text),
            ("CLOB", PgType::Text),
            ("BLOB", PgType::Bytea),
            ("DATETIME", PgType::Timestamp(None)),
            ("UNSIGNED BIG INT", PgType::Int8),
            ("MEDIUMINT", PgType::Int4),
            ("INT UNSIGNED", PgType::Int8),
            ("VARYING CHARACTER(255)", PgType::Varchar(Some(255))),
            ("NATIVE CHARACTER(70)", PgType::Bpchar(Some(70))),
            ("NVARCHAR(100)", PgType::Varchar(Some(100))),
            ("DOUBLE", PgType::Float8),
            ("LONGTEXT", PgType::Text),
            ("LONGBLOB", PgType::Bytea),
            ("order_state", PgType::Text),
        ]);
    }

    #[test]
    fn the_printed_name_is_read_back_as_the_same_type() {
        let with_modifiers = [
            PgType::Varchar(Some(7)),
            PgType::Bpchar(Some(7)),
            PgType::Numeric {
                precision: Some(12),
                scale: Some(4),
            },
            PgType::Time(Some(2)),
            PgType::Timetz(Some(2)),
            PgType::Timestamp(Some(2)),
            PgType::Timestamptz(Some(2)),
        ];
        for ty in PgType::ALL.iter().copied().chain(with_modifiers) {
            assert_eq!(PgType::from_declared(&ty.to_string()), Some(ty), "{ty}");
            assert_eq!(PgType::parse(&ty.to_string()), Some(ty), "{ty}");
            assert_eq!(PgType::parse(&ty.declaration()), Some(ty), "{ty}");
        }
    }

    #[test]
    fn a_declared_name_keeps_sqlites_affinity_and_gives_its_type_again() {
        for ty in PgType::ALL {
            let Some(declared) = ty.declared_as() else {
                continue;
            };
            assert_eq!(PgType::parse(declared), Some(*ty), "{declared}");
            assert!(
                declared.ends_with("TEXT") || declared.ends_with("BLOB"),
                "{declared}"
            );
            assert!(
                !declared.contains("INT"),
                "INT wins over TEXT in SQLite's rules"
            );
        }
    }

    #[test]
    fn what_is_stored_as_text_is_declared_as_text() {
        for ty in PgType::ALL {
            let declaration = ty.declaration().to_ascii_uppercase();
            let has = |syllable: &str| declaration.contains(syllable);
            let is_text = !has("INT") && (has("CHAR") || has("CLOB") || has("TEXT"));
            let expected = match ty {
                PgType::Bool
                | PgType::Oid
                | PgType::Bytea
                | PgType::Date
                | PgType::Time(_)
                | PgType::Timestamp(_)
                | PgType::Timestamptz(_)
                | PgType::Void => false,
                PgType::Opaque(opaque) => !opaque.is_oid(),
                ty => !ty.is_integer() && !matches!(ty, PgType::Float4 | PgType::Float8),
            };
            assert_eq!(is_text, expected, "{declaration}");
            assert!(is_text || ty.collation().is_none(), "{declaration}");
        }
    }

    #[test]
    fn what_is_no_type_of_postgresql_is_not_parsed() {
        for name in ["", "mood", "varchar2(3)", "point", "int unsigned", "mood[]"] {
            assert_eq!(PgType::parse(name), None, "{name}");
        }
        let limited = PgType::Timestamp(Some(3)).array();
        assert!(limited.is_some());
        assert_eq!(
            PgType::from_declared("ENUMERATED(16999)"),
            Some(PgType::Enum(crate::Oid::new(16_999)))
        );
        assert_eq!(PgType::parse("timestamp(3) without time zone[]"), limited);
    }

    #[test]
    fn hostile_declarations_do_no_harm() {
        for declared in [
            "(",
            ")",
            "((((",
            "varchar(",
            "varchar(-1)",
            "varchar(99999999999)",
            "\"",
            "[",
            "é(ß)",
        ] {
            let typmod = PgType::from_declared(declared).map_or(-1, |ty| ty.typmod());
            assert!(typmod >= -1, "{declared}: {typmod}");
        }
    }
}
