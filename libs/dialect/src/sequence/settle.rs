//! What options make of a sequence, by PostgreSQL's rules.

use pgtypes::{PgType, SqlState};

use crate::error::DialectError;
use crate::sequence::{Options, SequenceInfo};

/// A new sequence. `identity`: it is made for an identity column.
pub(crate) fn created(
    name: &str,
    options: &Options,
    identity: bool,
) -> Result<SequenceInfo, DialectError> {
    let info = SequenceInfo {
        id: 0,
        generation: 0,
        name: name.to_owned(),
        data_type: "bigint".to_owned(),
        start: 0,
        increment: 1,
        min: 0,
        max: 0,
        cycle: false,
        cache: 1,
        owner: options.owner.clone().flatten(),
        identity,
        last_value: 0,
        is_called: false,
    };
    settle(info, options, true)
}

/// A sequence after ALTER SEQUENCE.
pub(crate) fn altered(
    present: SequenceInfo,
    options: &Options,
) -> Result<SequenceInfo, DialectError> {
    settle(present, options, false)
}

fn refused(message: String) -> DialectError {
    DialectError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// The numbers of a type.
fn range(name: &str) -> (i64, i64) {
    match name {
        "smallint" => (i16::MIN.into(), i16::MAX.into()),
        "integer" => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

fn settle(
    mut info: SequenceInfo,
    options: &Options,
    new: bool,
) -> Result<SequenceInfo, DialectError> {
    let (mut min_of_type, mut max_of_type) = (false, false);
    if let Some(ty) = options.ty {
        let name = match ty {
            PgType::Int2 => "smallint",
            PgType::Int4 => "integer",
            PgType::Int8 => "bigint",
            _ => {
                let what = if info.identity {
                    "identity column"
                } else {
                    "sequence"
                };
                let message = format!("{what} type must be smallint, integer, or bigint");
                return Err(refused(message));
            }
        };
        // A bound that the old type has made follows the type.
        let old = range(&info.data_type);
        min_of_type = !new && info.min == old.0;
        max_of_type = !new && info.max == old.1;
        name.clone_into(&mut info.data_type);
    }
    if let Some(increment) = options.increment {
        if increment == 0 {
            return Err(refused("INCREMENT must not be zero".to_owned()));
        }
        info.increment = increment;
    }
    info.cycle = options.cycle.unwrap_or(info.cycle);
    bounds(&mut info, options, new, (min_of_type, max_of_type))?;
    starts(&mut info, options, new)?;
    if let Some(cache) = options.cache {
        if cache <= 0 {
            return Err(refused(format!(
                "CACHE ({cache}) must be greater than zero"
            )));
        }
        info.cache = cache;
    }
    Ok(info)
}

/// `min_of_type`, `max_of_type`: the bound is that of the type, whichever way the sequence counts.
fn bounds(
    info: &mut SequenceInfo,
    options: &Options,
    new: bool,
    (min_of_type, max_of_type): (bool, bool),
) -> Result<(), DialectError> {
    let (low, high) = range(&info.data_type);
    let up = info.increment > 0;
    match options.max {
        Some(Some(max)) => info.max = max,
        None if !new && !max_of_type => {}
        _ => info.max = if up || max_of_type { high } else { -1 },
    }
    match options.min {
        Some(Some(min)) => info.min = min,
        None if !new && !min_of_type => {}
        _ => info.min = if up && !min_of_type { 1 } else { low },
    }
    for (word, value) in [("MAXVALUE", info.max), ("MINVALUE", info.min)] {
        if !(low..=high).contains(&value) {
            return Err(refused(format!(
                "{word} ({value}) is out of range for sequence data type {}",
                info.data_type
            )));
        }
    }
    if info.min >= info.max {
        return Err(refused(format!(
            "MINVALUE ({}) must be less than MAXVALUE ({})",
            info.min, info.max
        )));
    }
    Ok(())
}

fn starts(info: &mut SequenceInfo, options: &Options, new: bool) -> Result<(), DialectError> {
    match options.start {
        Some(start) => info.start = start,
        None if new => {
            info.start = if info.increment > 0 {
                info.min
            } else {
                info.max
            };
        }
        None => {}
    }
    within(info, "START", info.start)?;
    match options.restart {
        Some(restart) => {
            info.last_value = restart.unwrap_or(info.start);
            info.is_called = false;
        }
        None if new => info.last_value = info.start,
        None => {}
    }
    within(info, "RESTART", info.last_value)
}

fn within(info: &SequenceInfo, word: &str, value: i64) -> Result<(), DialectError> {
    let (side, bound, limit) = if value < info.min {
        ("less", "MINVALUE", info.min)
    } else if value > info.max {
        ("greater", "MAXVALUE", info.max)
    } else {
        return Ok(());
    };
    Err(refused(format!(
        "{word} value ({value}) cannot be {side} than {bound} ({limit})"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn made(options: &str) -> Result<SequenceInfo, DialectError> {
        let src = Source::new(options).unwrap();
        created("s", &Options::read(&src, 0, src.len())?, false)
    }

    fn refusal(options: &str) -> String {
        made(options).unwrap_err().message
    }

    #[test]
    fn what_is_not_said_follows_from_type_and_direction() {
        let up = made("AS smallint").unwrap();
        assert_eq!((up.min, up.max, up.start), (1, 32767, 1));
        let down = made("INCREMENT BY -2").unwrap();
        assert_eq!((down.min, down.max, down.start), (i64::MIN, -1, -1));
    }

    #[test]
    fn options_that_contradict_each_other_are_refused_with_postgresqls_words() {
        assert_eq!(refusal("INCREMENT 0"), "INCREMENT must not be zero");
        assert_eq!(
            refusal("MINVALUE 5 MAXVALUE 5"),
            "MINVALUE (5) must be less than MAXVALUE (5)"
        );
        assert_eq!(
            refusal("START 0"),
            "START value (0) cannot be less than MINVALUE (1)"
        );
        assert_eq!(
            refusal("AS smallint MAXVALUE 40000"),
            "MAXVALUE (40000) is out of range for sequence data type smallint"
        );
        assert_eq!(
            refusal("AS text"),
            "sequence type must be smallint, integer, or bigint"
        );
        assert_eq!(
            refusal("CYCLE NO CYCLE"),
            "conflicting or redundant options"
        );
        assert_eq!(refusal("CACHE 0"), "CACHE (0) must be greater than zero");
    }

    #[test]
    fn a_new_type_moves_the_bounds_that_the_old_one_made() {
        let small = made("AS smallint").unwrap();
        let options = Options {
            ty: Some(PgType::Int8),
            ..Options::default()
        };
        assert_eq!(altered(small, &options).unwrap().max, i64::MAX);
        let options = Options {
            ty: Some(PgType::Int4),
            ..Options::default()
        };
        for (made_with, start) in [
            ("AS smallint MINVALUE -32768", -32768),
            ("AS smallint MAXVALUE 32767 INCREMENT -1", 32767),
        ] {
            let wide = altered(made(made_with).unwrap(), &options).unwrap();
            let all = (i32::MIN.into(), i32::MAX.into(), start);
            assert_eq!((wide.min, wide.max, wide.start), all, "{made_with}");
        }
    }

    #[test]
    fn restart_goes_back_to_the_start() {
        let mut there = made("START 10").unwrap();
        (there.last_value, there.is_called) = (17, true);
        let options = Options {
            restart: Some(None),
            ..Options::default()
        };
        let back = altered(there, &options).unwrap();
        assert_eq!((back.last_value, back.is_called), (10, false));
    }
}
