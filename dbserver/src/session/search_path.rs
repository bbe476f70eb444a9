//! `search_path`: in which schemas a name without one is looked up.

use pgtypes::SqlState;

use crate::failure::Failure;

/// The schemas that are in every database.
const THERE: &[&str] = &["pg_catalog", "public", "information_schema"];

/// The names of a path; `None` where it is none.
fn names(path: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = path.trim();
    while !rest.is_empty() {
        let after = if let Some(quoted) = rest.strip_prefix('"') {
            let (name, after) = dialect::quoted_part(quoted)?;
            names.push(name);
            after.trim_start()
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let name = name.trim();
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '"') {
                return None;
            }
            names.push(name.to_ascii_lowercase());
            after
        };
        rest = match after.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
        if rest.is_empty() && after.starts_with(',') {
            return None;
        }
    }
    Some(names)
}

/// A path as it is kept.
///
/// Errors: 22023 for what is no list of names, 0A000 for an order in which nothing is looked up here.
pub(super) fn checked(path: &str) -> Result<String, Failure> {
    let Some(names) = names(path) else {
        let message = format!("invalid value for parameter \"search_path\": \"{path}\"");
        let failure = Failure::new(SqlState::INVALID_PARAMETER_VALUE, message);
        return Err(failure.detail("List syntax is invalid."));
    };
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    let refused = if names.iter().any(|name| name == "information_schema") {
        Some("a search_path with information_schema")
    } else if place("pg_temp").is_some_and(|temp| place("public").is_some_and(|own| own < temp)) {
        Some("a search_path with pg_temp behind public")
    } else {
        None
    };
    match refused {
        Some(what) => Err(Failure::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            format!("{what} is not supported"),
        )),
        None => Ok(path.trim().to_owned()),
    }
}

/// The schemas of a path that there are, in their order; `implicit`: with those that are searched without being named.
/// `made` are those of users; `$user` is the one of the role's name.
pub(super) fn schemas(path: &str, role: &str, made: &[String], implicit: bool) -> Vec<String> {
    let names = names(path).unwrap_or_default();
    let mut found: Vec<String> = Vec::new();
    if implicit && !names.iter().any(|name| name == "pg_catalog") {
        found.push("pg_catalog".to_owned());
    }
    for name in names {
        let name = if name == "$user" {
            role.to_owned()
        } else {
            name
        };
        let known = THERE.contains(&name.as_str()) || made.contains(&name);
        if known && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Those of them in which users make something.
pub(super) fn of_users(path: &str, role: &str, made: &[String]) -> Vec<String> {
    let mut found = schemas(path, role, made, false);
    found.retain(|name| name == "public" || made.contains(name));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_schemas_with_and_without_quotes() {
        let made = ["app", "ann"].map(str::to_owned);
        let all = |path| schemas(path, "ann", &made, true);
        assert_eq!(all("\"$user\", public"), ["pg_catalog", "ann", "public"]);
        assert_eq!(all("Public,pg_catalog"), ["public", "pg_catalog"]);
        assert_eq!(schemas("\"Public\"", "ann", &made, false), [""; 0]);
        assert_eq!(of_users("app, nope, pg_catalog", "bob", &made), ["app"]);
        // A doubled quote is one.
        assert_eq!(names("\"a\"\",b\" , public").unwrap(), ["a\",b", "public"]);
        assert_eq!(all(""), ["pg_catalog"]);
    }

    #[test]
    fn a_path_that_could_not_be_obeyed_is_refused() {
        for path in ["information_schema", "public, pg_temp", "a,", "a b", "\"a"] {
            assert!(checked(path).is_err(), "{path}");
        }
        for path in ["", "pg_temp, public", "nowhere", "public, pg_catalog"] {
            assert!(checked(path).is_ok(), "{path}");
        }
    }
}
