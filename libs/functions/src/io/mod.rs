//! Values of any type from and to text: PostgreSQL's input and output functions.

pub(crate) mod input;
mod output;

pub(crate) use crate::io::input::{cut_name, input};
pub(crate) use crate::io::output::output;

use pgtypes::{Format, Oid, PgType, SqlValueRef, decode_in};

use crate::arguments::{Answer, integer, text, value, written};
use crate::registry::Scalar;
use crate::session::Session;

/// The numbers of types in `pg_type`.
pub(crate) mod oid {
    pub(crate) const BOOL: i64 = 16;
    pub(crate) const BYTEA: i64 = 17;
    pub(crate) const CHAR: i64 = 18;
    pub(crate) const NAME: i64 = 19;
    pub(crate) const INT2VECTOR: i64 = 22;
    pub(crate) const OIDVECTOR: i64 = 30;
    pub(crate) const INT8: i64 = 20;
    pub(crate) const INT2: i64 = 21;
    pub(crate) const INT4: i64 = 23;
    pub(crate) const OID: i64 = 26;
    pub(crate) const JSON: i64 = 114;
    pub(crate) const CIDR: i64 = 650;
    pub(crate) const FLOAT4: i64 = 700;
    pub(crate) const FLOAT8: i64 = 701;
    pub(crate) const INET: i64 = 869;
    pub(crate) const BPCHAR: i64 = 1042;
    pub(crate) const VARCHAR: i64 = 1043;
    pub(crate) const DATE: i64 = 1082;
    pub(crate) const TIME: i64 = 1083;
    pub(crate) const TIMESTAMP: i64 = 1114;
    pub(crate) const TIMESTAMPTZ: i64 = 1184;
    pub(crate) const INTERVAL: i64 = 1186;
    pub(crate) const TIMETZ: i64 = 1266;
    pub(crate) const NUMERIC: i64 = 1700;
    pub(crate) const UUID: i64 = 2950;
    pub(crate) const JSONB: i64 = 3802;
}

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::session("pg_in", 3, read),
    Scalar::session("pg_out", 3, write),
    Scalar::session("pg_array_in", 3, read_array),
];

/// `pg_in(text, oid, typmod)`: the stored form.
fn read(session: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Answer {
    let (oid, typmod) = (integer(arguments, 1)?, integer(arguments, 2)?);
    input(session, text(arguments, 0)?, oid, typmod)
}

/// `pg_out(value, oid, typmod)`: the text as the wire shows it.
fn write(session: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Answer {
    let (oid, typmod) = (integer(arguments, 1)?, integer(arguments, 2)?);
    written(output(session, value(arguments, 0), oid, typmod)?)
}

/// `pg_array_in(text, oid of the array's type, typmod)`: each element read as one of its type.
fn read_array(session: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Answer {
    let oid = u32::try_from(integer(arguments, 1)?).unwrap_or_default();
    let typmod = i32::try_from(integer(arguments, 2)?).unwrap_or(-1);
    let ty = PgType::Composed(Oid::new(oid), typmod);
    let text = text(arguments, 0)?.as_bytes();
    decode_in(text, &ty, Format::Text, session.context())
}
