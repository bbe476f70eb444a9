//! The slave that a command about sources is for, where the environment says it: `EQ_INSTSECONDARY`.

/// The variable.
const VARIABLE: &str = "EQ_INSTSECONDARY";

/// Puts the name in, where the words lack it and the environment has it.
pub(crate) fn fill_in(words: &mut Vec<String>) {
    let given = std::env::var(VARIABLE).ok().filter(|name| !name.is_empty());
    if let Some(name) = given
        && lacks_name(words)
    {
        words.insert(2, name);
    }
}

/// Whether a command about a source has no name in it.
fn lacks_name(words: &[String]) -> bool {
    let [source, command, rest @ ..] = words else {
        return false;
    };
    if !source.eq_ignore_ascii_case("source") {
        return false;
    }
    let mut bare = Vec::new();
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        if ["--timeout", "--log-file", "--connect-params"].contains(&word.as_str()) {
            // Its value is no name.
            rest.next();
        } else if !word.starts_with("--") {
            bare.push(word.as_str());
        }
    }
    match (command.to_ascii_lowercase().as_str(), bare.as_slice()) {
        // An address has a colon, which no name has.
        ("start" | "activate", [only]) => only.contains(':'),
        ("changelog", [only]) => only.starts_with('/'),
        ("statslog", [first, ..]) => ["on", "off"].contains(first),
        (
            "start" | "activate" | "deactivate" | "shutdown" | "checkhealth" | "showbacklog"
            | "changelog" | "statslog" | "drop",
            [],
        ) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_missing_where_only_what_follows_it_is_there() {
        let lacks = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            lacks_name(&words)
        };
        for line in [
            "source start south:8102",
            "source start --passive :1",
            "source start",
            "source start --log-file /a",
            "source activate --root",
            "source deactivate",
            "source shutdown --timeout 5s",
            "source shutdown --timeout=5s",
            "SOURCE checkhealth",
            "source showbacklog",
            "source changelog /var/log/a",
            "source statslog on",
            "source statslog off /a",
        ] {
            assert!(lacks(line), "{line}");
        }
        for line in [
            "source list",
            "source start west :1",
            "source start west",
            "source changelog west /a",
            "source changelog west",
            "source statslog west on",
            "source shutdown west",
            "receiver start",
            "source",
            "status",
        ] {
            assert!(!lacks(line), "{line}");
        }
    }
}
