//! Object identifiers of PostgreSQL's built-in types.

use std::fmt;

/// The number by which the protocol names a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid(u32);

impl Oid {
    /// From the number on the wire; 0 means "not said".
    pub const fn new(value: u32) -> Self {
        Self(value)
    }

    /// The number on the wire.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! oids {
    ($($name:ident $value:literal)*) => {
        impl Oid {
            $(
                #[doc = concat!("`", stringify!($name), "` is type ", stringify!($value), ".")]
                pub const $name: Self = Self($value);
            )*
        }
    };
}

oids! {
    UNSPECIFIED 0
    BOOL 16
    BYTEA 17
    CHAR 18
    NAME 19
    INT8 20
    INT2 21
    INT4 23
    TEXT 25
    OID 26
    JSON 114
    XML 142
    FLOAT4 700
    FLOAT8 701
    UNKNOWN 705
    BPCHAR 1042
    VARCHAR 1043
    DATE 1082
    TIME 1083
    TIMESTAMP 1114
    TIMESTAMPTZ 1184
    INTERVAL 1186
    TIMETZ 1266
    NUMERIC 1700
    VOID 2278
    UUID 2950
    JSONB 3802
    BOOL_ARRAY 1000
    BYTEA_ARRAY 1001
    CHAR_ARRAY 1002
    NAME_ARRAY 1003
    INT2_ARRAY 1005
    INT4_ARRAY 1007
    TEXT_ARRAY 1009
    BPCHAR_ARRAY 1014
    VARCHAR_ARRAY 1015
    INT8_ARRAY 1016
    FLOAT4_ARRAY 1021
    FLOAT8_ARRAY 1022
    OID_ARRAY 1028
    TIMESTAMP_ARRAY 1115
    DATE_ARRAY 1182
    TIME_ARRAY 1183
    TIMESTAMPTZ_ARRAY 1185
    INTERVAL_ARRAY 1187
    NUMERIC_ARRAY 1231
    TIMETZ_ARRAY 1270
    JSON_ARRAY 199
    UUID_ARRAY 2951
    JSONB_ARRAY 3807
}
