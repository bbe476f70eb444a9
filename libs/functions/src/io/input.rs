//! Text as a client writes it, in its stored form.

use pgtypes::json::{self, Json};
use pgtypes::{
    Date, Decimal, Inet, Interval, SqlState, SqlValue, Time, Timestamp, Timestamptz, Timetz,
    ValueError,
};

use crate::arguments::{Answer, boolean, double, whole, written};
use crate::io::oid;
use crate::session::Session;

/// Reads a value of a type; what an explicit cast to its length makes of it is another function.
pub(crate) fn input(session: &dyn Session, text: &str, ty: i64, typmod: i64) -> Answer {
    match ty {
        oid::BOOL => truth(text),
        oid::INT2 => integer(text, "smallint", i16::MIN.into(), i16::MAX.into()),
        oid::INT4 => integer(text, "integer", i32::MIN.into(), i32::MAX.into()),
        oid::INT8 => integer(text, "bigint", i64::MIN, i64::MAX),
        oid::OID => oid_number(text),
        oid::FLOAT4 => double(f64::from(pgtypes::float::parse_single(text)?)),
        oid::FLOAT8 => double(pgtypes::float::parse_double(text)?),
        oid::NUMERIC => numeric(text, typmod),
        oid::BYTEA => Ok(SqlValue::Blob(pgtypes::bytea::parse(text)?)),
        oid::CHAR => written(single_byte(text)),
        oid::NAME => written(cut_name(text)),
        oid::BPCHAR => {
            let limit = length(typmod);
            let text = pgtypes::text::within_limit(text, limit, "character")?;
            written(text.trim_end_matches(' '))
        }
        oid::VARCHAR => {
            let limit = length(typmod);
            written(pgtypes::text::within_limit(
                text,
                limit,
                "character varying",
            )?)
        }
        oid::JSON => json::check(text).and_then(|()| written(text)),
        oid::JSONB => written(Json::parse(text)?),
        oid::UUID => written(uuid(text)?),
        oid::INET => written(Inet::parse(text)?),
        oid::CIDR => written(Inet::parse_network(text)?.network_text()),
        oid::DATE | oid::TIME | oid::TIMESTAMP | oid::TIMESTAMPTZ | oid::TIMETZ => {
            moment(session, text, ty, digits(typmod))
        }
        oid::INTERVAL => written(Interval::parse_for(text, typmod, session.context())?),
        _ => written(text),
    }
}

fn length(typmod: i64) -> Option<u32> {
    u32::try_from(typmod - 4).ok().filter(|length| *length > 0)
}

fn digits(typmod: i64) -> Option<u8> {
    u8::try_from(typmod).ok().filter(|digits| *digits <= 6)
}

fn truth(text: &str) -> Answer {
    match pgtypes::integer::parse_bool(text) {
        Some(value) => boolean(value),
        None => Err(syntax("boolean", text)),
    }
}

/// `invalid input syntax for type …`, 22P02.
pub(crate) fn syntax(type_name: &str, text: &str) -> ValueError {
    ValueError::new(
        SqlState::INVALID_TEXT_REPRESENTATION,
        format!("invalid input syntax for type {type_name}: \"{text}\""),
    )
}

fn integer(text: &str, type_name: &str, min: i64, max: i64) -> Answer {
    pgtypes::integer::parse(text, type_name, min, max).and_then(whole)
}

/// Negative numbers down to the least integer count from the end.
fn oid_number(text: &str) -> Answer {
    let number = pgtypes::integer::parse(text, "oid", i32::MIN.into(), u32::MAX.into())?;
    whole(if number < 0 {
        number + (1 << 32)
    } else {
        number
    })
}

fn numeric(text: &str, typmod: i64) -> Answer {
    let number = Decimal::parse(text)?;
    written(match crate::numeric::limits(typmod) {
        Some(limits) => pgtypes::numeric::within(number, limits)?,
        None => number,
    })
}

/// The first byte, where it is not part of a longer character.
fn single_byte(text: &str) -> String {
    let octal = text.strip_prefix('\\').filter(|digits| {
        digits.len() == 3 && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit))
    });
    if let Some(code) = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
        return char_text(code);
    }
    text.bytes().next().map_or_else(String::new, char_text)
}

/// How a byte of type `"char"` is stored.
pub(crate) fn char_text(code: u8) -> String {
    match code {
        0 => String::new(),
        1..=0x7f => char::from(code).to_string(),
        _ => format!("\\{code:03o}"),
    }
}

/// The first 63 bytes of a name, without part of a character.
pub(crate) fn cut_name(text: &str) -> &str {
    const LONGEST: usize = 63;
    text.get(..text.floor_char_boundary(LONGEST))
        .unwrap_or(text)
}

/// A UUID in lower case, with its hyphens.
pub(crate) fn uuid(text: &str) -> Result<String, ValueError> {
    Ok(pgtypes::uuid::text(pgtypes::uuid::parse(text)?))
}

fn moment(session: &dyn Session, text: &str, ty: i64, digits: Option<u8>) -> Answer {
    if let Some(word) = relative(session, text)? {
        return from_local(session, word, ty, digits);
    }
    match ty {
        oid::DATE => whole(Date::parse(text)?.days().into()),
        oid::TIME => whole(Time::parse(text, digits)?.micros()),
        oid::TIMESTAMP => whole(Timestamp::parse(text, digits)?.micros()),
        oid::TIMETZ => written(timetz(session, text, digits)?),
        _ => whole(timestamptz(session, text, digits)?.micros()),
    }
}

/// What clocks show at a moment that is said in relation to the transaction.
#[derive(Clone, Copy, Debug)]
enum Word {
    Now(Timestamp),
    Day(Date),
}

fn relative(session: &dyn Session, text: &str) -> Result<Option<Word>, ValueError> {
    let lower = text.trim().to_ascii_lowercase();
    let days = match lower.as_str() {
        "now" | "today" => 0,
        "tomorrow" => 1,
        "yesterday" => -1,
        _ => return Ok(None),
    };
    let local = session
        .transaction_timestamp()
        .0
        .to_local(session.time_zone())?;
    if lower == "now" {
        return Ok(Some(Word::Now(local)));
    }
    Ok(Some(Word::Day(local.date().plus_days(days)?)))
}

fn from_local(session: &dyn Session, word: Word, ty: i64, digits: Option<u8>) -> Answer {
    let local = match word {
        Word::Now(local) => local,
        Word::Day(day) => day.midnight()?,
    };
    let local = Timestamp::new(local.micros(), digits)?;
    match ty {
        oid::DATE => whole(local.date().days().into()),
        oid::TIME => whole(local.micros_of_day()),
        oid::TIMESTAMP => whole(local.micros()),
        oid::TIMETZ => {
            let utc = local.to_utc(session.time_zone())?;
            let offset = session.time_zone().offset_at(utc.micros());
            let time = Time::new(local.micros_of_day(), None)?;
            written(Timetz::new(time, i32::try_from(offset).unwrap_or(0))?)
        }
        _ => whole(local.to_utc(session.time_zone())?.micros()),
    }
}

/// Reads a `timestamptz`: in the session's zone where none is written.
pub(crate) fn timestamptz(
    session: &dyn Session,
    text: &str,
    digits: Option<u8>,
) -> Result<Timestamp, ValueError> {
    let in_utc = Timestamptz::parse(text, digits)?.0;
    let (moment, zoned) = Timestamp::parse_any(text)?;
    if zoned || moment.is_infinite() {
        return Ok(in_utc);
    }
    in_utc.to_utc(session.time_zone())
}

/// Reads a `timetz`: with the session's present distance from UTC where none is written.
fn timetz(session: &dyn Session, text: &str, digits: Option<u8>) -> Result<Timetz, ValueError> {
    let read = Timetz::parse(text, digits)?;
    // Without a zone, another zone behind it is no error.
    let unzoned = read.offset_seconds == 0 && Timetz::parse(&format!("{text} +01"), None).is_ok();
    if !unzoned {
        return Ok(read);
    }
    let now = session.transaction_timestamp().0.micros();
    let offset = session.time_zone().offset_at(now);
    Timetz::new(read.time, i32::try_from(offset).unwrap_or(0))
}
