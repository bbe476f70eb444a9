//! LogFlags: a level, or levels by part of the server.

/// What can stand alone.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The flags as they are, checked: a word that is no level would be taken for a part of the server, and
/// silence all others.
pub(crate) fn checked(flags: &str) -> Result<String, String> {
    let known = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    for flag in flags.split(',').map(str::trim) {
        let level = match flag.rsplit_once('=') {
            Some((_part, level)) => level,
            None => flag,
        };
        if !known(level.trim()) {
            return Err(format!(
                "'{level}' is not a level; levels are {}, for a part of the server it is part=level, as in info,fwlog=debug",
                LEVELS.join(", ")
            ));
        }
    }
    Ok(flags.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_word_is_a_level_and_nothing_else() {
        for good in [
            "info",
            "WARN",
            "off",
            "info,fwlog=debug",
            "warn, dbserver::feed=trace",
        ] {
            assert_eq!(checked(good).as_deref(), Ok(good));
        }
        for bad in [
            "warning",
            "verbose",
            "dbserver",
            "info,fwlog",
            "fwlog=loud",
            "",
        ] {
            let refused = checked(bad).unwrap_err();
            assert!(refused.contains("levels are off, error"), "{refused}");
        }
    }
}
