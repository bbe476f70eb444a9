//! A type by its number.

use pgtypes::{Oid, PgType};

use super::type_info::{TypeInfo, TypeKind, multirange_of, type_info};

/// The number of a type in PostgreSQL's catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(u32);

macro_rules! ids {
    ($($name:ident $number:literal $catalog_name:literal;)*) => {
        impl TypeId {
            $(
                #[doc = concat!("`", $catalog_name, "`")]
                pub const $name: Self = Self($number);
            )*

            /// The types with a constant, and their names in the catalog.
            #[cfg(test)]
            const NAMED: &'static [(Self, &'static str)] = &[$((Self::$name, $catalog_name)),*];
        }
    };
}

ids! {
    BOOL 16 "bool";
    BYTEA 17 "bytea";
    CHAR 18 "char";
    NAME 19 "name";
    INT8 20 "int8";
    INT2 21 "int2";
    INT2VECTOR 22 "int2vector";
    INT4 23 "int4";
    REGPROC 24 "regproc";
    TEXT 25 "text";
    OID 26 "oid";
    TID 27 "tid";
    XID 28 "xid";
    CID 29 "cid";
    OIDVECTOR 30 "oidvector";
    JSON 114 "json";
    XML 142 "xml";
    XML_ARRAY 143 "_xml";
    JSON_ARRAY 199 "_json";
    XID8_ARRAY 271 "_xid8";
    POINT 600 "point";
    CIDR 650 "cidr";
    CIDR_ARRAY 651 "_cidr";
    FLOAT4 700 "float4";
    FLOAT8 701 "float8";
    UNKNOWN 705 "unknown";
    MONEY 790 "money";
    MONEY_ARRAY 791 "_money";
    MACADDR 829 "macaddr";
    INET 869 "inet";
    BOOL_ARRAY 1000 "_bool";
    BYTEA_ARRAY 1001 "_bytea";
    CHAR_ARRAY 1002 "_char";
    NAME_ARRAY 1003 "_name";
    INT2_ARRAY 1005 "_int2";
    INT4_ARRAY 1007 "_int4";
    REGPROC_ARRAY 1008 "_regproc";
    TEXT_ARRAY 1009 "_text";
    TID_ARRAY 1010 "_tid";
    XID_ARRAY 1011 "_xid";
    CID_ARRAY 1012 "_cid";
    BPCHAR_ARRAY 1014 "_bpchar";
    VARCHAR_ARRAY 1015 "_varchar";
    INT8_ARRAY 1016 "_int8";
    POINT_ARRAY 1017 "_point";
    FLOAT4_ARRAY 1021 "_float4";
    FLOAT8_ARRAY 1022 "_float8";
    OID_ARRAY 1028 "_oid";
    MACADDR_ARRAY 1040 "_macaddr";
    INET_ARRAY 1041 "_inet";
    BPCHAR 1042 "bpchar";
    VARCHAR 1043 "varchar";
    DATE 1082 "date";
    TIME 1083 "time";
    TIMESTAMP 1114 "timestamp";
    TIMESTAMP_ARRAY 1115 "_timestamp";
    DATE_ARRAY 1182 "_date";
    TIME_ARRAY 1183 "_time";
    TIMESTAMPTZ 1184 "timestamptz";
    TIMESTAMPTZ_ARRAY 1185 "_timestamptz";
    INTERVAL 1186 "interval";
    INTERVAL_ARRAY 1187 "_interval";
    NUMERIC_ARRAY 1231 "_numeric";
    CSTRING_ARRAY 1263 "_cstring";
    TIMETZ 1266 "timetz";
    TIMETZ_ARRAY 1270 "_timetz";
    BIT 1560 "bit";
    BIT_ARRAY 1561 "_bit";
    VARBIT 1562 "varbit";
    VARBIT_ARRAY 1563 "_varbit";
    NUMERIC 1700 "numeric";
    REFCURSOR 1790 "refcursor";
    REGPROCEDURE 2202 "regprocedure";
    REGOPER 2203 "regoper";
    REGOPERATOR 2204 "regoperator";
    REGCLASS 2205 "regclass";
    REGTYPE 2206 "regtype";
    REGPROCEDURE_ARRAY 2207 "_regprocedure";
    REGOPER_ARRAY 2208 "_regoper";
    REGOPERATOR_ARRAY 2209 "_regoperator";
    REGCLASS_ARRAY 2210 "_regclass";
    REGTYPE_ARRAY 2211 "_regtype";
    RECORD 2249 "record";
    CSTRING 2275 "cstring";
    ANY 2276 "any";
    ANYARRAY 2277 "anyarray";
    VOID 2278 "void";
    ANYELEMENT 2283 "anyelement";
    RECORD_ARRAY 2287 "_record";
    ANYNONARRAY 2776 "anynonarray";
    UUID 2950 "uuid";
    UUID_ARRAY 2951 "_uuid";
    PG_LSN 3220 "pg_lsn";
    PG_LSN_ARRAY 3221 "_pg_lsn";
    ANYENUM 3500 "anyenum";
    TSVECTOR 3614 "tsvector";
    TSQUERY 3615 "tsquery";
    TSVECTOR_ARRAY 3643 "_tsvector";
    TSQUERY_ARRAY 3645 "_tsquery";
    REGCONFIG 3734 "regconfig";
    REGCONFIG_ARRAY 3735 "_regconfig";
    REGDICTIONARY 3769 "regdictionary";
    REGDICTIONARY_ARRAY 3770 "_regdictionary";
    JSONB 3802 "jsonb";
    JSONB_ARRAY 3807 "_jsonb";
    ANYRANGE 3831 "anyrange";
    INT4RANGE 3904 "int4range";
    NUMRANGE 3906 "numrange";
    TSRANGE 3908 "tsrange";
    TSTZRANGE 3910 "tstzrange";
    DATERANGE 3912 "daterange";
    INT8RANGE 3926 "int8range";
    JSONPATH 4072 "jsonpath";
    JSONPATH_ARRAY 4073 "_jsonpath";
    REGNAMESPACE 4089 "regnamespace";
    REGNAMESPACE_ARRAY 4090 "_regnamespace";
    REGROLE 4096 "regrole";
    REGROLE_ARRAY 4097 "_regrole";
    REGCOLLATION 4191 "regcollation";
    REGCOLLATION_ARRAY 4192 "_regcollation";
    ANYMULTIRANGE 4537 "anymultirange";
    ANYCOMPATIBLEMULTIRANGE 4538 "anycompatiblemultirange";
    XID8 5069 "xid8";
    ANYCOMPATIBLE 5077 "anycompatible";
    ANYCOMPATIBLEARRAY 5078 "anycompatiblearray";
    ANYCOMPATIBLENONARRAY 5079 "anycompatiblenonarray";
    ANYCOMPATIBLERANGE 5080 "anycompatiblerange";
    CITEXT 16390 "citext";
    CITEXT_ARRAY 16395 "_citext";
}

impl TypeId {
    /// The type of a number, which the catalog may not have.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// What the catalog says about it.
    pub fn info(self) -> Option<&'static TypeInfo> {
        type_info(self)
    }

    /// The name in messages: `integer`, `character varying`, `text[]`. [`Type`](super::Type) shows modifiers too.
    pub fn name(self) -> String {
        self.info()
            .map_or_else(|| "???".to_owned(), |info| info.name.to_owned())
    }

    /// Has elements.
    pub fn is_array(self) -> bool {
        self.element().is_some()
    }

    /// The type of an array's elements.
    pub fn element(self) -> Option<Self> {
        self.info()?.element
    }

    /// The type of arrays of it.
    pub fn array(self) -> Option<Self> {
        self.info()?.array
    }

    /// The letter of the group in which operators and functions are sought; `X` for what is not known.
    pub fn category(self) -> char {
        self.info().map_or('X', |info| info.category)
    }

    /// The type of its category that wins where several would do.
    pub fn is_preferred(self) -> bool {
        self.info().is_some_and(|info| info.preferred)
    }

    /// Stands for the type of an actual argument.
    pub const fn is_polymorphic(self) -> bool {
        self.is_simply_polymorphic() || self.is_compatibly_polymorphic()
    }

    /// `anyelement` and those that must agree with it exactly.
    pub(super) const fn is_simply_polymorphic(self) -> bool {
        matches!(
            self,
            Self::ANYELEMENT
                | Self::ANYARRAY
                | Self::ANYNONARRAY
                | Self::ANYENUM
                | Self::ANYRANGE
                | Self::ANYMULTIRANGE
        )
    }

    /// `anycompatible` and those that share a common type with it.
    pub(super) const fn is_compatibly_polymorphic(self) -> bool {
        matches!(
            self,
            Self::ANYCOMPATIBLE
                | Self::ANYCOMPATIBLEARRAY
                | Self::ANYCOMPATIBLENONARRAY
                | Self::ANYCOMPATIBLERANGE
                | Self::ANYCOMPATIBLEMULTIRANGE
        )
    }

    /// Only for the arguments and results of functions.
    pub fn is_pseudo(self) -> bool {
        self.info()
            .is_some_and(|info| info.kind == TypeKind::Pseudo)
    }

    /// A user's type of values that have labels.
    pub fn is_enum(self) -> bool {
        self.info().is_some_and(|info| info.kind == TypeKind::Enum)
    }

    /// A user's type of rows.
    pub fn is_composite(self) -> bool {
        self.info()
            .is_some_and(|info| info.kind == TypeKind::Composite)
    }

    /// Values are compared by a collation.
    pub fn is_collatable(self) -> bool {
        self.info().is_some_and(|info| info.collatable)
    }

    /// A value of it can be stored and sent.
    pub fn is_supported(self) -> bool {
        self.pg_type(-1).is_some()
    }

    /// The type in which values are kept, with a modifier.
    pub(super) fn pg_type(self, typmod: i32) -> Option<PgType> {
        match self {
            // Their comparisons, sums and checks are not there.
            // There 0 means that no type was said.
            Self(0) | Self::CITEXT | Self::XML | Self::MACADDR | Self::MONEY => None,
            _ if self.is_enum() => Some(PgType::Enum(Oid::new(self.0))),
            _ if self.is_composite() => Some(PgType::Composed(Oid::new(self.0), -1)),
            Self(number) => PgType::from_oid(Oid::new(number), typmod),
        }
    }

    /// The type of a range's bounds.
    pub(super) fn range_bound(self) -> Option<Self> {
        let info = self.info()?;
        info.spans.filter(|_| info.kind == TypeKind::Range)
    }

    /// The type of sets of this range.
    pub(super) fn multirange(self) -> Option<Self> {
        multirange_of(self)
    }

    /// The range of which a multirange is a set.
    pub(super) fn multirange_range(self) -> Option<Self> {
        let info = self.info()?;
        info.spans.filter(|_| info.kind == TypeKind::Multirange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_the_catalogs_numbers() {
        for (id, name) in TypeId::NAMED {
            assert_eq!(id.info().map(|info| info.catalog_name), Some(*name));
        }
    }

    #[test]
    fn names_are_those_of_messages() {
        assert_eq!(TypeId::INT4.name(), "integer");
        assert_eq!(TypeId::VARCHAR.name(), "character varying");
        assert_eq!(TypeId::CHAR.name(), "\"char\"");
        assert_eq!(TypeId::BPCHAR.name(), "character");
        assert_eq!(TypeId::TEXT_ARRAY.name(), "text[]");
        assert_eq!(TypeId::new(0).name(), "???");
    }

    #[test]
    fn every_type_of_values_is_in_the_catalog() {
        for ty in PgType::ALL {
            let id = super::super::Type::from(*ty).id;
            assert_eq!(id.name(), ty.name());
            assert_eq!(id.category(), ty.category());
            let refused = [TypeId::CITEXT, TypeId::XML, TypeId::MACADDR, TypeId::MONEY];
            assert_eq!(id.is_supported(), !refused.contains(&id), "{}", id.name());
        }
        assert!(!TypeId::INT4_ARRAY.is_supported());
        assert!(!TypeId::new(0).is_supported());
    }
}
