//! Values of parameters: what is accepted, how it is kept, how it is shown.

use dialect::pg_catalog::CatalogSetting;
use pgtypes::SqlState;

use crate::environment::Seen;
use crate::failure::Failure;
use crate::session::context;
use crate::session::parameters::{Parameter, Shape};
use crate::session::search_path;

/// The value in the form that is kept.
pub(super) fn checked(
    parameter: &Parameter,
    value: &str,
    present: &str,
) -> Result<String, Failure> {
    let refuse = || {
        let short: String = value.chars().take(100).collect();
        Failure::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!(
                "invalid value for parameter \"{}\": \"{short}\"",
                parameter.name
            ),
        )
    };
    match parameter.shape {
        Shape::Text if parameter.name == "DateStyle" => context::date_style(value, present),
        Shape::Text if parameter.name == "search_path" => search_path::checked(value),
        Shape::Text => Ok(value.to_owned()),
        Shape::Switch => switch(value).map(str::to_owned).ok_or_else(refuse),
        Shape::Number(least, most) => {
            let number = value
                .trim()
                .parse()
                .ok()
                .filter(|n| (least..=most).contains(n));
            number.map(|n: i64| n.to_string()).ok_or_else(refuse)
        }
        Shape::Time => millis(value)
            .map(|millis| millis.to_string())
            .ok_or_else(refuse),
        Shape::Memory(least, most) => {
            let units =
                "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".";
            let amount = kib(value).ok_or_else(|| refuse().hint(units))?;
            if !(least..=most).contains(&amount) {
                let name = parameter.name;
                return Err(Failure::new(
                    SqlState::INVALID_PARAMETER_VALUE,
                    format!(
                        "{amount} kB is outside the valid range for parameter \"{name}\" ({least} kB .. {most} kB)"
                    ),
                ));
            }
            Ok(amount.to_string())
        }
        // PostgreSQL takes the words of a switch here, too, where it does not list them.
        Shape::Words(_) if parameter.name == "synchronous_commit" && switch(value).is_some() => {
            switch(value).map(str::to_owned).ok_or_else(refuse)
        }
        Shape::Words(words) => words
            .iter()
            .find(|word| word.eq_ignore_ascii_case(value.trim()))
            .map(|word| (*word).to_owned())
            .ok_or_else(|| refuse().hint(format!("Available values: {}.", words.join(", ")))),
        Shape::Encoding => encoding(value)
            .map(str::to_owned)
            .ok_or_else(|| refuse().hint("This server speaks UTF8.")),
        Shape::Seen if value.is_empty() => Ok(String::new()),
        Shape::Seen => match value.parse::<Seen>() {
            Ok(seen) => Ok(seen.to_string()),
            Err(()) => Err(refuse().hint("It is what eloqdb_last_commit() gives.")),
        },
        Shape::Zone => context::time_zone(value),
        Shape::Fixed => Err(Failure::new(
            SqlState::CANT_CHANGE_RUNTIME_PARAM,
            format!("parameter \"{}\" cannot be changed", parameter.name),
        )),
    }
}

fn switch(value: &str) -> Option<&'static str> {
    match value.trim().to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" | "t" | "y" => Some("on"),
        "off" | "false" | "no" | "0" | "f" | "n" => Some("off"),
        _ => None,
    }
}

/// The encodings that are UTF-8 or a part of it.
fn encoding(value: &str) -> Option<&'static str> {
    let plain: String = value
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    match plain.as_str() {
        "utf8" | "unicode" | "default" => Some("UTF8"),
        "sqlascii" => Some("SQL_ASCII"),
        _ => None,
    }
}

/// A time with an optional unit; without one it is milliseconds.
fn millis(value: &str) -> Option<u64> {
    let value = value.trim();
    let digits = value
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let factor = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number
        .parse::<u64>()
        .ok()?
        .checked_mul(factor)
        .filter(|millis| *millis <= 0x7fff_ffff)
}

/// An amount with an optional unit, in KiB; without one it is that.
fn kib(value: &str) -> Option<i64> {
    let value = value.trim();
    let digits = value
        .find(|c: char| !c.is_ascii_digit() && c != '-')
        .unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let number = number.parse::<i64>().ok()?;
    match unit.trim() {
        "B" => Some(number / 1024),
        "" | "kB" => Some(number),
        "MB" => number.checked_mul(1 << 10),
        "GB" => number.checked_mul(1 << 20),
        "TB" => number.checked_mul(1 << 30),
        _ => None,
    }
}

/// The value as SHOW prints it.
pub(super) fn shown(parameter: &Parameter, value: &str) -> String {
    match parameter.shape {
        Shape::Time => shown_time(value),
        Shape::Memory(..) => shown_memory(value),
        _ => value.to_owned(),
    }
}

/// As `pg_settings` has it: numbers are in one unit each.
pub(super) fn of_catalog(parameter: &'static Parameter, value: &str) -> CatalogSetting {
    let (kind, unit, range, words): (_, _, _, &'static [&'static str]) = match parameter.shape {
        Shape::Switch => ("bool", None, None, &[]),
        Shape::Number(least, most) => ("integer", None, Some((least, most)), &[]),
        Shape::Time => ("integer", Some("ms"), Some((0, i64::from(i32::MAX))), &[]),
        Shape::Memory(least, most) => ("integer", Some("kB"), Some((least, most)), &[]),
        Shape::Words(words) => ("enum", None, None, words),
        Shape::Fixed if matches!(value, "on" | "off") => ("bool", None, None, &[]),
        Shape::Fixed if value.parse::<i64>().is_ok() => ("integer", None, None, &[]),
        Shape::Text | Shape::Encoding | Shape::Zone | Shape::Seen | Shape::Fixed => {
            ("string", None, None, &[])
        }
    };
    CatalogSetting {
        name: parameter.name,
        value: value.to_owned(),
        default: parameter.default.to_owned(),
        meaning: parameter.meaning,
        unit,
        kind,
        range,
        words,
        fixed: parameter.shape == Shape::Fixed,
    }
}

/// With the largest unit of which it is a whole number.
fn shown_memory(value: &str) -> String {
    match value.parse::<i64>() {
        Ok(kib) if kib > 0 && kib % (1 << 30) == 0 => format!("{}TB", kib >> 30),
        Ok(kib) if kib > 0 && kib % (1 << 20) == 0 => format!("{}GB", kib >> 20),
        Ok(kib) if kib > 0 && kib % (1 << 10) == 0 => format!("{}MB", kib >> 10),
        Ok(kib) if kib > 0 => format!("{kib}kB"),
        _ => value.to_owned(),
    }
}

fn shown_time(value: &str) -> String {
    match value.parse::<u64>() {
        Ok(0) | Err(_) => "0".to_owned(),
        Ok(millis) if millis % 3_600_000 == 0 => format!("{}h", millis / 3_600_000),
        Ok(millis) if millis % 60_000 == 0 => format!("{}min", millis / 60_000),
        Ok(millis) if millis % 1000 == 0 => format!("{}s", millis / 1000),
        Ok(millis) => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_in_milliseconds_and_shown_with_their_unit() {
        for (text, kept) in [
            ("250", Some(250)),
            ("5s", Some(5000)),
            ("2 min", Some(120_000)),
            ("1y", None),
        ] {
            assert_eq!(millis(text), kept, "{text}");
        }
        let timeout = crate::session::parameters::find("statement_timeout").unwrap();
        assert_eq!(shown(timeout, "120000"), "2min");
        assert_eq!(shown(timeout, "0"), "0");
    }

    #[test]
    fn memory_is_kept_in_kib_and_shown_with_its_unit() {
        let parameter = |name| crate::session::parameters::find(name).unwrap();
        let work_mem = parameter("work_mem");
        for (text, shown_as) in [
            ("64", "64kB"),
            ("1024", "1MB"),
            ("1500 kB", "1500kB"),
            ("2GB", "2GB"),
            ("1TB", "1TB"),
            ("1048576B", "1MB"),
        ] {
            let kept = checked(work_mem, text, "").unwrap();
            assert_eq!(shown(work_mem, &kept), shown_as, "{text}");
        }
        for text in ["63", "-1", "much", "1mb", "3TB", "9999999999999TB"] {
            let refused = checked(work_mem, text, "").unwrap_err();
            assert_eq!(refused.sqlstate(), SqlState::INVALID_PARAMETER_VALUE);
        }
        assert_eq!(shown(work_mem, work_mem.default), "2MB");
        let limit = parameter("temp_file_limit");
        assert_eq!(checked(limit, "-1", "").unwrap(), "-1");
        assert_eq!(shown(limit, "-1"), "-1");
        assert_eq!(shown(limit, "0"), "0");
    }

    #[test]
    fn utf8_has_many_spellings_and_latin1_is_not_among_them() {
        assert_eq!(encoding("utf-8"), Some("UTF8"));
        assert_eq!(encoding("UNICODE"), Some("UTF8"));
        assert_eq!(encoding("sql_ascii"), Some("SQL_ASCII"));
        assert_eq!(encoding("LATIN1"), None);
    }
}
