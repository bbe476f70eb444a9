//! The types a client sees, and what the protocol says about each.

use crate::{Oid, SqlValueRef, array_collation};

/// A PostgreSQL type with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PgType {
    /// `boolean`; stored as 0 or 1.
    Bool,
    /// `smallint`.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `oid`: an unsigned number of 32 bits.
    Oid,
    /// `real`.
    Float4,
    /// `double precision`.
    Float8,
    /// `numeric`: exact decimal numbers.
    Numeric {
        /// Digits in all, 1 to 1000; none: any number.
        precision: Option<u16>,
        /// Digits behind the point, -1000 to 1000. Without a precision it is no limit but what is
        /// known of a result, as that a sum of prices has two: they are shown, unless it is 0.
        scale: Option<i16>,
    },
    /// `text`.
    Text,
    /// `character varying`, with its limit in characters.
    Varchar(Option<u32>),
    /// `character`, blank-padded to its length; stored without the padding.
    Bpchar(Option<u32>),
    /// `name`: an identifier of at most 63 bytes.
    Name,
    /// `"char"`: one byte.
    Char,
    /// `bytea`.
    Bytea,
    /// `date`; stored as days since 2000-01-01.
    Date,
    /// `time without time zone`, with its digits of a second; stored as
    /// microseconds since midnight.
    Time(Option<u8>),
    /// `time with time zone`, with its digits of a second; stored as `HH:MM:SS[.ffffff]±HH[:MM]`.
    Timetz(Option<u8>),
    /// `timestamp without time zone`; stored as microseconds since 2000-01-01 00:00.
    Timestamp(Option<u8>),
    /// `timestamp with time zone`; stored like `timestamp`, in UTC.
    Timestamptz(Option<u8>),
    /// `interval`, with the fields and digits that it keeps, as the catalog packs them; stored as text in style
    /// `postgres`, `1 day 02:03:04`.
    Interval(Option<i32>),
    /// `uuid`; stored as 36 lower-case characters.
    Uuid,
    /// `json`; stored as the client wrote it.
    Json,
    /// `jsonb`; stored in the form in which it is printed.
    Jsonb,
    /// `inet`: an address of a host, which may say its network; stored as it is printed.
    Inet,
    /// `cidr`: an address of a network; stored as it is printed.
    Cidr,
    /// `void`: the result of a function that has none.
    Void,
    /// `unknown`: no type was declared or asked for. Values go as text.
    Unknown,
    /// A type of which no more is known than its name. Values go as text.
    Opaque(Opaque),
    /// An array or a row, by the number of its type and the modifier of its elements; stored as PostgreSQL's default
    /// settings print it, in UTC.
    Composed(Oid, i32),
    /// An enum of a user's, by its number. A value is stored as a number, and comes and goes as its label, which only a
    /// statement knows.
    Enum(Oid),
}

/// The types that are kept as text, or as an oid, without rules of their own. Those of oids are stored as
/// integers where they are given as such; a name stays text, for only the catalog knows its oid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opaque {
    /// `citext`: text that is compared without case.
    Citext,
    /// `xml`.
    Xml,
    /// `macaddr`.
    Macaddr,
    /// `money`.
    Money,
    /// `jsonpath`: as PostgreSQL prints it.
    Jsonpath,
    /// `regclass`: a table by its oid.
    Regclass,
    /// `regtype`.
    Regtype,
    /// `regproc`.
    Regproc,
    /// `regnamespace`.
    Regnamespace,
    /// `regrole`.
    Regrole,
}

/// What the catalog and the protocol say about a type.
struct Entry {
    /// Without modifiers.
    ty: PgType,
    oid: Oid,
    /// Bytes of a binary value: a fixed number, -1 for variable, -2 for a C string.
    length: i16,
    category: char,
    /// The name in the catalog, `varchar`.
    typname: &'static str,
    /// The name in messages, `character varying`.
    name: &'static str,
    /// The name in a table's declaration, where SQLite would take another affinity from the catalog's: NUMERIC
    /// would make 1.5 of `1.50`, and INTERVAL holds INT.
    declared: Option<&'static str>,
    /// Other names, PostgreSQL's and those that SQLite documents.
    spellings: &'static [&'static str],
}

macro_rules! types {
    ($($ty:expr, $oid:literal, $length:literal, $category:literal, $typname:literal, $name:literal,
       $declared:expr, [$($spelling:literal)*];)*) => {
        impl PgType {
            /// Every type once, without modifiers, in the order of a catalog listing.
            pub const ALL: &'static [Self] = &[$($ty),*];
        }

        const ENTRIES: &[Entry] = &[$(Entry {
            ty: $ty,
            oid: Oid::new($oid),
            length: $length,
            category: $category,
            typname: $typname,
            name: $name,
            declared: $declared,
            spellings: &[$($spelling),*],
        }),*];
    };
}

types! {
    PgType::Bool, 16, 1, 'B', "bool", "boolean", None, [];
    PgType::Bytea, 17, -1, 'U', "bytea", "bytea", Some("BYTEA_BLOB"), ["blob"];
    PgType::Char, 18, 1, 'Z', "char", "\"char\"", Some("CHAR_TEXT"), [];
    PgType::Name, 19, 64, 'S', "name", "name", Some("NAME_TEXT"), [];
    PgType::Int8, 20, 8, 'N', "int8", "bigint", None, ["bigserial" "serial8"];
    PgType::Int2, 21, 2, 'N', "int2", "smallint", None, ["smallserial" "serial2" "tinyint"];
    PgType::Int4, 23, 4, 'N', "int4", "integer", None, ["int" "serial" "serial4" "mediumint"];
    PgType::Opaque(Opaque::Regproc), 24, 4, 'N', "regproc", "regproc", None, [];
    PgType::Text, 25, -1, 'S', "text", "text", None, ["clob"];
    PgType::Oid, 26, 4, 'N', "oid", "oid", None, [];
    PgType::Json, 114, -1, 'U', "json", "json", Some("JSON_TEXT"), [];
    PgType::Opaque(Opaque::Xml), 142, -1, 'U', "xml", "xml", Some("XML_TEXT"), [];
    PgType::Cidr, 650, -1, 'I', "cidr", "cidr", Some("CIDR_TEXT"), [];
    PgType::Float4, 700, 4, 'N', "float4", "real", None, [];
    PgType::Float8, 701, 8, 'N', "float8", "double precision", None, ["double" "float"];
    PgType::Unknown, 705, -2, 'X', "unknown", "unknown", Some("UNKNOWN_TEXT"), [];
    PgType::Opaque(Opaque::Money), 790, 8, 'N', "money", "money", Some("MONEY_TEXT"), [];
    PgType::Opaque(Opaque::Macaddr), 829, 6, 'U', "macaddr", "macaddr", Some("MACADDR_TEXT"), [];
    PgType::Inet, 869, -1, 'I', "inet", "inet", Some("INET_TEXT"), [];
    PgType::Bpchar(None), 1042, -1, 'S', "bpchar", "character", None,
        ["char" "nchar" "national character" "national char"];
    PgType::Varchar(None), 1043, -1, 'S', "varchar", "character varying", None,
        ["char varying" "nvarchar" "national character varying" "national char varying"];
    PgType::Date, 1082, 4, 'D', "date", "date", None, [];
    PgType::Time(None), 1083, 8, 'D', "time", "time without time zone", None, [];
    PgType::Timestamp(None), 1114, 8, 'D', "timestamp", "timestamp without time zone", None, ["datetime"];
    PgType::Timestamptz(None), 1184, 8, 'D', "timestamptz", "timestamp with time zone", None, [];
    PgType::Interval(None), 1186, 16, 'T', "interval", "interval", Some("ELAPSED_TEXT"), [];
    PgType::Timetz(None), 1266, 12, 'D', "timetz", "time with time zone", Some("TIMETZ_TEXT"), [];
    PgType::NUMERIC, 1700, -1, 'N', "numeric", "numeric", Some("NUMERIC_TEXT"), ["decimal" "dec"];
    PgType::Opaque(Opaque::Regclass), 2205, 4, 'N', "regclass", "regclass", None, [];
    PgType::Opaque(Opaque::Regtype), 2206, 4, 'N', "regtype", "regtype", None, [];
    PgType::Void, 2278, 4, 'P', "void", "void", None, [];
    PgType::Uuid, 2950, 16, 'U', "uuid", "uuid", Some("UUID_TEXT"), [];
    PgType::Jsonb, 3802, -1, 'U', "jsonb", "jsonb", Some("JSONB_TEXT"), [];
    PgType::Opaque(Opaque::Jsonpath), 4072, -1, 'U', "jsonpath", "jsonpath", Some("JSONPATH_TEXT"), [];
    PgType::Opaque(Opaque::Regnamespace), 4089, 4, 'N', "regnamespace", "regnamespace", None, [];
    PgType::Opaque(Opaque::Regrole), 4096, 4, 'N', "regrole", "regrole", None, [];
    // An extension's, whose number differs from server to server.
    PgType::Opaque(Opaque::Citext), 0, -1, 'S', "citext", "citext", None, [];
}

impl Opaque {
    /// Whether it names an object by its oid.
    pub const fn is_oid(self) -> bool {
        matches!(
            self,
            Self::Regclass | Self::Regtype | Self::Regproc | Self::Regnamespace | Self::Regrole
        )
    }
}

impl PgType {
    /// `numeric` without limits.
    pub const NUMERIC: Self = Self::Numeric {
        precision: None,
        scale: None,
    };

    fn entry(&self) -> &'static Entry {
        const NONE: &Entry = &Entry {
            ty: PgType::Unknown,
            oid: Oid::UNSPECIFIED,
            length: -1,
            category: 'X',
            typname: "unknown",
            name: "unknown",
            declared: None,
            spellings: &[],
        };
        const COMPOSED: &Entry = &Entry {
            ty: PgType::Composed(Oid::UNSPECIFIED, -1),
            category: 'A',
            typname: "anyarray",
            name: "anyarray",
            ..*NONE
        };
        const ENUM: &Entry = &Entry {
            ty: PgType::Enum(Oid::UNSPECIFIED),
            length: 4,
            category: 'E',
            typname: "anyenum",
            name: "anyenum",
            ..*NONE
        };
        match self {
            Self::Composed(..) => return COMPOSED,
            Self::Enum(_) => return ENUM,
            _ => {}
        }
        let base = self.base();
        ENTRIES
            .iter()
            .find(|entry| entry.ty == base)
            .unwrap_or(NONE)
    }

    /// The type without its modifiers.
    #[must_use]
    pub const fn base(self) -> Self {
        match self {
            Self::Numeric { .. } => Self::NUMERIC,
            Self::Varchar(_) => Self::Varchar(None),
            Self::Bpchar(_) => Self::Bpchar(None),
            Self::Time(_) => Self::Time(None),
            Self::Timetz(_) => Self::Timetz(None),
            Self::Timestamp(_) => Self::Timestamp(None),
            Self::Timestamptz(_) => Self::Timestamptz(None),
            Self::Interval(_) => Self::Interval(None),
            Self::Composed(oid, _) => Self::Composed(oid, -1),
            other => other,
        }
    }

    /// The type under which values go over the wire: text for those that are known by name only.
    #[must_use]
    pub const fn sent_as(self) -> Self {
        match self {
            Self::Opaque(_) => Self::Text,
            other => other,
        }
    }

    /// A numeric result whose scale is known or not.
    pub fn numeric(scale: Option<u32>) -> Self {
        Self::Numeric {
            precision: None,
            scale: scale.and_then(|scale| i16::try_from(scale).ok()),
        }
    }

    /// The type's number in the catalog; 0 where it has no fixed one.
    pub fn oid(&self) -> Oid {
        if let Self::Composed(oid, _) | Self::Enum(oid) = self {
            return *oid;
        }
        self.entry().oid
    }

    /// Bytes of a binary value: a fixed number, -1 for variable, -2 for a C string.
    pub fn typlen(&self) -> i16 {
        self.entry().length
    }

    /// The name in the catalog, `varchar`.
    pub fn typname(&self) -> &'static str {
        self.entry().typname
    }

    /// The name without modifiers that messages use, `character varying`.
    pub fn name(&self) -> &'static str {
        self.entry().name
    }

    /// The catalog's category letter, by which drivers sort types.
    pub fn category(&self) -> char {
        self.entry().category
    }

    /// How a column is declared to SQLite, when PostgreSQL's own spelling will not do.
    pub fn declared_as(&self) -> Option<&'static str> {
        self.entry().declared
    }

    /// The collation under which stored values compare as the type does; `None` where SQLite's own
    /// order of numbers and bytes is right.
    pub const fn collation(&self) -> Option<&'static str> {
        match self {
            Self::Numeric { .. } => Some("pg_numeric"),
            Self::Interval(_) => Some("pg_interval"),
            Self::Timetz(_) => Some("pg_timetz"),
            Self::Jsonb => Some("pg_jsonb"),
            Self::Inet | Self::Cidr => Some("pg_inet"),
            Self::Composed(oid, _) => array_collation(*oid),
            _ => None,
        }
    }

    /// The type that has this name, in lower case and without modifiers.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        let known = |entry: &&Entry| {
            // Without quotes `char` is another type.
            let own = entry.typname == name && entry.ty != Self::Char;
            let declared = |declared: &str| declared.eq_ignore_ascii_case(name);
            own || entry.name == name
                || entry.spellings.contains(&name)
                || entry.declared.is_some_and(declared)
        };
        ENTRIES.iter().find(known).map(|entry| entry.ty)
    }

    /// smallint, integer or bigint.
    pub const fn is_integer(&self) -> bool {
        matches!(self, Self::Int2 | Self::Int4 | Self::Int8)
    }

    /// real or double precision.
    pub const fn is_float(&self) -> bool {
        matches!(self, Self::Float4 | Self::Float8)
    }

    /// A type with PostgreSQL's arithmetic.
    pub const fn is_number(&self) -> bool {
        self.is_integer() || self.is_float() || matches!(self, Self::Numeric { .. })
    }

    /// A type of characters.
    pub const fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::Varchar(_)
                | Self::Bpchar(_)
                | Self::Name
                | Self::Opaque(Opaque::Citext)
        )
    }

    /// date, timestamp or timestamptz.
    pub const fn is_date_or_timestamp(&self) -> bool {
        matches!(self, Self::Date | Self::Timestamp(_) | Self::Timestamptz(_))
    }

    /// The digits behind the point, where the type says how many: those of `numeric(10,2)`, none for an integer.
    pub fn scale(&self) -> Option<u32> {
        match *self {
            Self::Numeric { scale, .. } => u32::try_from(scale?).ok(),
            _ => self.is_integer().then_some(0),
        }
    }

    /// The precision of a `numeric(p,s)`.
    pub fn precision(&self) -> Option<u32> {
        match *self {
            Self::Numeric { precision, .. } => precision.map(u32::from),
            _ => None,
        }
    }

    /// The number of characters in a `varchar(n)` or `char(n)`.
    pub const fn length(&self) -> Option<u32> {
        match *self {
            Self::Varchar(length) | Self::Bpchar(length) => length,
            _ => None,
        }
    }

    /// The type modifier as the protocol and the catalog carry it; -1 for none.
    pub fn typmod(&self) -> i32 {
        match *self {
            Self::Varchar(Some(length)) | Self::Bpchar(Some(length)) => i32::try_from(length)
                .ok()
                .and_then(|n| n.checked_add(4))
                .unwrap_or(-1),
            Self::Numeric {
                precision: Some(precision),
                scale,
            } => ((i32::from(precision) << 16) | (i32::from(scale.unwrap_or(0)) & 0x7ff)) + 4,
            Self::Time(Some(digits))
            | Self::Timetz(Some(digits))
            | Self::Timestamp(Some(digits))
            | Self::Timestamptz(Some(digits)) => i32::from(digits),
            Self::Interval(Some(modifier)) | Self::Composed(_, modifier) => modifier,
            _ => -1,
        }
    }

    /// The type of an OID and a type modifier, -1 for none. `None` for a type this crate has not.
    pub fn from_oid(oid: Oid, typmod: i32) -> Option<Self> {
        if oid == Oid::UNSPECIFIED {
            return Some(Self::Unknown);
        }
        let entry = ENTRIES.iter().find(|entry| entry.oid == oid)?;
        Some(entry.ty.with_typmod(typmod))
    }

    /// The same type with another modifier; one that makes no sense counts as none.
    #[must_use]
    pub fn with_typmod(self, typmod: i32) -> Self {
        let length = u32::try_from(typmod.saturating_sub(4))
            .ok()
            .filter(|n| *n > 0);
        let digits = u8::try_from(typmod).ok().filter(|n| *n <= 6);
        match self {
            Self::Varchar(_) => Self::Varchar(length),
            Self::Bpchar(_) => Self::Bpchar(length),
            Self::Time(_) => Self::Time(digits),
            Self::Timetz(_) => Self::Timetz(digits),
            Self::Timestamp(_) => Self::Timestamp(digits),
            Self::Timestamptz(_) => Self::Timestamptz(digits),
            Self::Numeric { .. } => Self::numeric_of_typmod(typmod),
            Self::Interval(_) => Self::Interval(Some(typmod).filter(|modifier| *modifier >= 0)),
            Self::Composed(oid, _) => Self::Composed(oid, typmod),
            other => other,
        }
    }

    fn numeric_of_typmod(typmod: i32) -> Self {
        let Some(packed) = typmod.checked_sub(4).filter(|n| *n >= 0) else {
            return Self::NUMERIC;
        };
        let precision = u16::try_from(packed >> 16)
            .ok()
            .filter(|p| (1..=1000).contains(p));
        // Eleven bits, the highest of them the sign.
        let scale = i16::try_from(((packed & 0x7ff) ^ 1024) - 1024).ok();
        match precision {
            Some(_) => Self::Numeric { precision, scale },
            None => Self::NUMERIC,
        }
    }

    /// The type that tells most about a value when nothing is declared.
    pub fn of_value(value: SqlValueRef<'_>) -> Self {
        match value {
            SqlValueRef::Integer(_) => Self::Int8,
            SqlValueRef::Real(_) => Self::Float8,
            SqlValueRef::Text(_) | SqlValueRef::Null => Self::Text,
            SqlValueRef::Blob(_) => Self::Bytea,
        }
    }
}
