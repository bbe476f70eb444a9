//! Columns that count: serial, and GENERATED … AS IDENTITY.

use pgtypes::{PgType, SqlState};

use crate::ddl::names::object_name;
use crate::error::DialectError;
use crate::literal::quote;
use crate::schema::SchemaView;
use crate::sequence::{NEXTVAL, Options, created, stored};
use crate::source::Source;
use crate::stored_name;
use crate::table_info::Identity;

/// How a column counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Counting {
    /// `serial` and its kin.
    Serial,
    /// GENERATED … AS IDENTITY
    Identity(Identity, Box<Options>),
}

impl Counting {
    /// What is noted behind the type.
    pub(crate) fn marker(&self) -> &'static str {
        match self {
            Self::Serial => "",
            Self::Identity(identity, _) => identity.marker(),
        }
    }
}

/// `ALWAYS | BY DEFAULT AS IDENTITY [(options)]` in the tokens `at..end`; `None`: not an identity.
pub(crate) fn read_identity(
    src: &Source<'_>,
    at: usize,
    end: usize,
) -> Result<Option<Counting>, DialectError> {
    let (identity, at) = if src.are(at, &["ALWAYS", "AS", "IDENTITY"]) {
        (Identity::Always, at + 3)
    } else if src.are(at, &["BY", "DEFAULT", "AS", "IDENTITY"]) {
        (Identity::ByDefault, at + 4)
    } else {
        return Ok(None);
    };
    let options = if at < end && src.sign(at, "(") {
        Options::read(src, at + 1, src.partner(at))?
    } else {
        Options::default()
    };
    if options.ty.is_some() {
        let message = "conflicting or redundant options";
        return Err(src.error(at, SqlState::SYNTAX_ERROR, message));
    }
    Ok(Some(Counting::Identity(identity, Box::new(options))))
}

/// What makes a column count: statements to run first, and the column's default.
pub(crate) struct Made {
    pub(crate) first: Vec<String>,
    pub(crate) default: String,
}

/// Makes the sequence of a column; `taken` has the names that the statement uses already.
pub(crate) fn make(
    (table, column, ty): (&str, &str, PgType),
    counting: &Counting,
    schema: &dyn SchemaView,
    taken: &mut Vec<String>,
) -> Result<Made, DialectError> {
    let mut options = match counting {
        Counting::Serial => Options::default(),
        Counting::Identity(_, options) => (**options).clone(),
    };
    options.ty = Some(ty);
    let name = match options.name.take() {
        Some(name) if schema.columns(&name).is_some() => {
            let message = format!("relation \"{name}\" already exists");
            return Err(DialectError::new(SqlState::DUPLICATE_TABLE, message));
        }
        Some(name) => name,
        None => free_name(table, column, schema, taken),
    };
    taken.push(name.clone());
    options.owner = Some(Some((table.to_owned(), column.to_owned())));
    let identity = matches!(counting, Counting::Identity(..));
    let info = created(&name, &options, identity)?;
    Ok(Made {
        first: stored::create(&info),
        default: format!("{NEXTVAL}{})", quote(&stored_name::shown(&name))),
    })
}

/// `table_column_seq`, with a number behind it where that is taken, cut to the length of a name.
fn free_name(table: &str, column: &str, schema: &dyn SchemaView, taken: &[String]) -> String {
    let mut number = 0_usize;
    loop {
        let label = if number == 0 {
            "seq".to_owned()
        } else {
            format!("seq{number}")
        };
        let name = object_name(table, column, &label);
        let known = schema.columns(&name).is_some()
            || schema.index_table(&name).is_some()
            || taken.contains(&name);
        if !known {
            return name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::NoSchema;

    #[test]
    fn names_are_postgresqls() {
        let mut taken = vec!["t_a_seq".to_owned()];
        assert_eq!(free_name("t", "a", &NoSchema, &taken), "t_a_seq1");
        taken.clear();
        let long = "x".repeat(63);
        let name = free_name(&long, "id", &NoSchema, &taken);
        assert_eq!(name, format!("{}_id_seq", "x".repeat(56)));
    }
}
