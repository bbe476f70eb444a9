//! Types and encodings by their numbers.

use pgtypes::SqlValue;

use super::{Answer, CatalogFunction, nothing, of_all, of_objects, oid, text, truth, written};
use crate::catalog::{Type, TypeId};
use crate::pg_catalog::objects::Objects;

/// The number of UTF8 among PostgreSQL's encodings.
const UTF8: i64 = 6;

pub(super) const FUNCTIONS: &[CatalogFunction] = &[
    CatalogFunction {
        strict: false,
        ..of_objects("pg_format_type", 2, format_type)
    },
    of_all("pg_PG_encoding_to_char", 1, |_, a| {
        text(match a.first() {
            Some(SqlValue::Integer(0)) => "SQL_ASCII",
            Some(SqlValue::Integer(UTF8)) => "UTF8",
            _ => "",
        })
    }),
    of_all("pg_PG_char_to_encoding", 1, |_, a| {
        let name = written(a, 0).to_lowercase().replace(['-', '_'], "");
        Ok(SqlValue::Integer(match name.as_str() {
            "utf8" | "unicode" => UTF8,
            "sqlascii" => 0,
            _ => -1,
        }))
    }),
    of_all("pg_getdatabaseencoding", 0, |_, _| text("UTF8")),
    of_all("pg_pg_client_encoding", 0, |_, _| text("UTF8")),
    of_objects(
        "pg_pg_type_is_visible",
        1,
        |objects, a| match TypeId::new(oid(a, 0)).info() {
            Some(info) if is_users(info.id) => {
                truth(objects.visible().is_type_visible(info.catalog_name))
            }
            Some(_) => truth(true),
            None => Ok(SqlValue::Null),
        },
    ),
    of_all(
        "pg_pg_function_is_visible",
        1,
        |_, a| match crate::catalog::function_by_oid(oid(a, 0)) {
            Some(_) => truth(true),
            None => Ok(SqlValue::Null),
        },
    ),
    of_all(
        "pg_pg_operator_is_visible",
        1,
        |_, a| match crate::catalog::operator_by_oid(oid(a, 0)) {
            Some(_) => truth(true),
            None => Ok(SqlValue::Null),
        },
    ),
    of_all("pg_pg_collation_is_visible", 1, |_, _| truth(true)),
    of_all("pg_pg_opclass_is_visible", 1, nothing),
    of_all("pg_pg_opfamily_is_visible", 1, nothing),
    of_all("pg_pg_conversion_is_visible", 1, nothing),
    of_all("pg_pg_statistics_obj_is_visible", 1, nothing),
    of_all("pg_pg_ts_config_is_visible", 1, nothing),
    of_all("pg_pg_ts_dict_is_visible", 1, nothing),
    of_all("pg_pg_ts_parser_is_visible", 1, nothing),
    of_all("pg_pg_ts_template_is_visible", 1, nothing),
];

/// The first number of what users have made.
const FIRST: u32 = 16_384;

fn is_users(id: TypeId) -> bool {
    id.get() >= FIRST
}

/// `format_type(oid, typmod)`
fn format_type(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    if arguments.first().is_none_or(SqlValue::is_null) {
        return Ok(SqlValue::Null);
    }
    let id = TypeId::new(oid(arguments, 0));
    match (id.get(), id.info(), arguments.get(1)) {
        (0, ..) => text("-"),
        (_, None, _) => text("???"),
        (_, Some(info), _) if is_users(id) => text(objects.visible().type_name(info.catalog_name)),
        (_, _, Some(SqlValue::Integer(typmod))) => {
            let typmod = i32::try_from(*typmod).unwrap_or(-1);
            text(Type { id, typmod }.to_string())
        }
        _ => text(id.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_with_their_modifiers() {
        let named = |oid: i64, typmod: SqlValue| {
            format_type(&Objects::default(), &[SqlValue::Integer(oid), typmod])
        };
        assert_eq!(
            named(1043, SqlValue::Integer(24)),
            text("character varying(20)")
        );
        assert_eq!(
            named(1700, SqlValue::Integer(655_366)),
            text("numeric(10,2)")
        );
        assert_eq!(named(23, SqlValue::Null), text("integer"));
        assert_eq!(named(0, SqlValue::Null), text("-"));
    }
}
