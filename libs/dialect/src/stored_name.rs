//! How the name of a relation, an index, a sequence or a type is stored: SQLite has one space of names, PostgreSQL one a
//! schema. What is in `public` is stored under its own name, what is in another schema as `schema.name`. A name of
//! `public` that has a dot itself gets one before it, and the name of a schema has none: so each stored name can be read
//! in one way.

use crate::pg_catalog::identifier;

/// The schema that is always there.
pub(crate) const PUBLIC: &str = "public";

/// How a name of a schema is stored.
pub fn join(schema: &str, name: &str) -> String {
    match (schema == PUBLIC, name.contains('.')) {
        (true, false) => name.to_owned(),
        (true, true) => format!(".{name}"),
        (false, _) => format!("{schema}.{name}"),
    }
}

/// The schema of a stored name, and the name in it.
pub fn split(stored: &str) -> (&str, &str) {
    match stored.split_once('.') {
        Some(("", name)) => (PUBLIC, name),
        Some((schema, name)) => (schema, name),
        None => (PUBLIC, stored),
    }
}

/// The name without its schema.
pub fn base(stored: &str) -> &str {
    split(stored).1
}

/// The schema.
pub fn schema(stored: &str) -> &str {
    split(stored).0
}

/// As messages name it: behind its schema where that is not `public`.
pub(crate) fn shown(stored: &str) -> String {
    match split(stored) {
        (PUBLIC, name) => identifier(name),
        (schema, name) => format!("{}.{}", identifier(schema), identifier(name)),
    }
}

/// The name as a statement of PostgreSQL's may have it, whatever the search path is.
pub fn qualified(stored: &str) -> String {
    let (schema, name) = split(stored);
    let quoted = crate::literal::quote_name;
    format!("{}.{}", quoted(schema), quoted(name))
}

/// The name in the same schema as another one.
pub(crate) fn beside(stored: &str, name: &str) -> String {
    join(schema(stored), name)
}

/// A message in PostgreSQL's words, which name a relation without its schema, but where it was looked for in vain.
pub fn told(message: &str, schemas: &[String]) -> String {
    if message.starts_with("relation \"") && message.contains("does not exist") {
        return message.to_owned();
    }
    let mut told = message.to_owned();
    for schema in schemas {
        told = told.replace(&format!("\"{schema}."), "\"");
    }
    told
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_stored_behind_its_schema() {
        assert_eq!(join("public", "t"), "t");
        assert_eq!(join("app", "t"), "app.t");
        assert_eq!(join("public", "a.b"), ".a.b");
        assert_eq!(shown("app.Order"), "app.\"Order\"");
        assert_eq!(qualified("t"), "\"public\".\"t\"");
        assert_eq!(beside("app.t", "t_a_seq"), "app.t_a_seq");
    }

    proptest! {
        #[test]
        fn each_stored_name_is_read_in_one_way(schema in "[a-zé\" ]{1,4}|public", name in "[a-z.\"]{1,6}") {
            let stored = join(&schema, &name);
            prop_assert_eq!(split(&stored), (schema.as_str(), name.as_str()));
        }
    }
}
