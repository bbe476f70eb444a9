//! Texts put together and taken apart.

use pgtypes::json::quoted;
use pgtypes::{SqlValue, SqlValueRef};

use crate::arguments::{Answer, text, value, written};
use crate::array;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_text_concat", -1, concatenated).loose(),
    Scalar::pure("pg_text_concat_ws", -1, joined).loose(),
    Scalar::pure("pg_textcat", 2, |a| {
        written([text(a, 0)?, text(a, 1)?].concat())
    }),
    Scalar::pure("pg_text_to_array", 2, |a| to_array(a, false)).loose(),
    Scalar::pure("pg_text_to_array_null", 3, |a| to_array(a, true)).loose(),
    Scalar::pure("pg_set_text_to_table", 2, |a| to_rows(a, false)).loose(),
    Scalar::pure("pg_set_text_to_table_null", 3, |a| to_rows(a, true)).loose(),
];

/// The arguments that are not NULL.
fn texts<'a>(
    arguments: &[SqlValueRef<'a>],
    from: usize,
) -> Result<Vec<&'a str>, pgtypes::ValueError> {
    (from..arguments.len())
        .filter(|at| !value(arguments, *at).is_null())
        .map(|at| text(arguments, at))
        .collect()
}

/// `concat`: of texts, each of which its type's output function gave.
fn concatenated(arguments: &[SqlValueRef<'_>]) -> Answer {
    written(texts(arguments, 0)?.concat())
}

fn joined(arguments: &[SqlValueRef<'_>]) -> Answer {
    if value(arguments, 0).is_null() {
        return Ok(SqlValue::Null);
    }
    written(texts(arguments, 1)?.join(text(arguments, 0)?))
}

/// The pieces of a text, with NULL where one is the text that stands for it; `None` for NULL.
fn pieces<'a>(
    arguments: &[SqlValueRef<'a>],
    with_null: bool,
) -> Result<Option<Vec<Option<&'a str>>>, pgtypes::ValueError> {
    if value(arguments, 0).is_null() {
        return Ok(None);
    }
    let whole = text(arguments, 0)?;
    let null = match value(arguments, 2) {
        SqlValueRef::Null => None,
        _ if !with_null => None,
        _ => Some(text(arguments, 2)?),
    };
    let bare: Vec<&str> = match value(arguments, 1) {
        _ if whole.is_empty() => Vec::new(),
        // Without a delimiter, each character is a piece.
        SqlValueRef::Null => whole
            .char_indices()
            .map(|(at, c)| whole.get(at..at + c.len_utf8()).unwrap_or_default())
            .collect(),
        _ => match text(arguments, 1)? {
            "" => vec![whole],
            delimiter => whole.split(delimiter).collect(),
        },
    };
    let or_null = |piece: &'a str| Some(piece).filter(|piece| Some(*piece) != null);
    Ok(Some(bare.into_iter().map(or_null).collect()))
}

fn to_array(arguments: &[SqlValueRef<'_>], with_null: bool) -> Answer {
    match pieces(arguments, with_null)? {
        None => Ok(SqlValue::Null),
        Some(pieces) => written(array::text_of(pieces.into_iter())),
    }
}

fn to_rows(arguments: &[SqlValueRef<'_>], with_null: bool) -> Answer {
    let pieces = pieces(arguments, with_null)?.unwrap_or_default();
    let rows = pieces
        .into_iter()
        .map(|piece| piece.map_or_else(|| "null".to_owned(), quoted));
    written(format!("[{}]", rows.collect::<Vec<_>>().join(",")))
}
