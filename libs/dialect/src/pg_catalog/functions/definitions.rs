//! What defines an object, and what else is asked about one.

use pgtypes::SqlValue;
use pgtypes::json::quoted;

use super::names::class;
use super::{
    Answer, CatalogFunction, no_rows, nothing, of_all, of_objects, oid, optional, text, truth,
    written,
};
use crate::error::DialectError;
use crate::pg_catalog::find_table;
use crate::pg_catalog::objects::{Objects, TEMPORARY};
use crate::stored_name;

pub(super) const FUNCTIONS: &[CatalogFunction] = &[
    of_all("pg_pg_get_expr", 2, |_, a| text(written(a, 0))),
    of_objects("pg_pg_get_expr_ext", 3, |objects, a| {
        let full = written(a, 0);
        text(if pretty(a, 2) {
            objects.pretty(full)
        } else {
            full
        })
    }),
    of_objects("pg_pg_get_indexdef", 1, index),
    of_objects("pg_pg_get_indexdef_ext", 3, index),
    of_objects("pg_pg_get_constraintdef", 1, constraint),
    of_objects("pg_pg_get_constraintdef_ext", 2, constraint),
    of_objects("pg_pg_get_viewdef", 1, view),
    of_objects("pg_pg_get_viewdef_ext", 2, view),
    of_objects("pg_pg_get_viewdef_wrap", 2, wrapped_view),
    of_objects("pg_pg_get_viewdef_name", 1, view_of_name),
    of_objects("pg_pg_get_viewdef_name_ext", 2, view_of_name),
    of_objects("pg_pg_table_is_visible", 1, |objects, a| {
        let visible = objects.is_visible(oid(a, 0));
        visible.map_or(Ok(SqlValue::Null), truth)
    }),
    of_objects("pg_pg_relation_is_updatable", 2, |objects, a| {
        // Insert, update and delete.
        Ok(SqlValue::Integer(if is_table(objects, a) { 28 } else { 0 }))
    }),
    of_objects("pg_pg_column_is_updatable", 3, |objects, a| {
        truth(is_table(objects, a))
    }),
    of_objects("pg_pg_relation_is_publishable", 1, |objects, a| {
        truth(is_table(objects, a))
    }),
    of_objects("pg_pg_relation_filenode", 1, |objects, a| {
        Ok(match objects.class(oid(a, 0)) {
            Some(class) if class.kind != 'v' => SqlValue::Integer(oid(a, 0).into()),
            _ => SqlValue::Null,
        })
    }),
    of_objects("pg_btree", 1, btree),
    of_objects("pg_pg_my_temp_schema", 0, |objects, _| {
        let own = objects.namespace(TEMPORARY).unwrap_or_default();
        Ok(SqlValue::Integer(own.into()))
    }),
    of_all("pg_pg_is_other_temp_schema", 1, |_, _| truth(false)),
    of_objects("pg_obj_description", -1, comment),
    of_objects("pg_col_description", 2, comment_on_column),
    of_objects("pg_shobj_description", 2, comment),
    // Objects of these kinds are in no database here.
    of_all("pg_pg_get_triggerdef", 1, nothing),
    of_all("pg_pg_get_triggerdef_ext", 2, nothing),
    of_all("pg_pg_get_ruledef", 1, nothing),
    of_all("pg_pg_get_ruledef_ext", 2, nothing),
    of_all("pg_pg_get_statisticsobjdef", 1, nothing),
    of_all("pg_pg_get_statisticsobjdef_columns", 1, nothing),
    of_all("pg_pg_get_statisticsobjdef_expressions", 1, nothing),
    of_all("pg_pg_get_partkeydef", 1, nothing),
    of_all("pg_pg_get_partition_constraintdef", 1, nothing),
    of_all("pg_pg_get_functiondef", 1, nothing),
    of_all("pg_pg_get_function_arg_default", 2, nothing),
    of_all("pg_pg_get_function_sqlbody", 1, nothing),
    of_all("pg_pg_tablespace_location", 1, |_, _| text("")),
    of_all("pg_set_aclexplode", 1, no_rows),
    of_all("pg_set_pg_options_to_table", 1, no_rows),
    // No transaction's number ever comes again, so none has an age.
    of_all("pg_pg_relation_filepath", 1, nothing),
    of_all("pg_xid_age", 1, nothing),
    // Positions in this server's log are of another kind.
    of_all("pg_pg_current_wal_lsn", 0, nothing),
    of_all("pg_pg_current_wal_insert_lsn", 0, nothing),
    of_all("pg_pg_current_wal_flush_lsn", 0, nothing),
    of_all("pg_pg_last_wal_receive_lsn", 0, nothing),
    of_all("pg_pg_last_wal_replay_lsn", 0, nothing),
    of_all("pg_pg_last_xact_replay_timestamp", 0, nothing),
    of_all("pg_mxid_age", 1, nothing),
    of_all("pg_pg_indexam_has_property", 2, method_property),
    of_all("pg_set_pg_get_publication_tables", 1, no_rows),
    of_all("pg_set_pg_partition_ancestors", 1, no_rows),
    of_all("pg_set_pg_partition_tree", 1, no_rows),
];

/// The whole definition, or that of one column.
fn index(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let Some(class) = objects
        .class(oid(arguments, 0))
        .filter(|class| class.kind == 'i')
    else {
        return Ok(SqlValue::Null);
    };
    match arguments.get(1) {
        Some(SqlValue::Integer(column)) if *column != 0 => {
            let at = usize::try_from(column - 1).ok();
            match at.and_then(|at| class.terms.get(at)) {
                Some(term) => text(term.of(pretty(arguments, 2))),
                None => text(""),
            }
        }
        _ => text(class.definition.of(pretty(arguments, 2))),
    }
}

/// What an access method can do.
fn method_property(_: &Objects, arguments: &[SqlValue]) -> Answer {
    const BTREE: u32 = 403;
    let btree = match oid(arguments, 0) {
        BTREE => true,
        405 => false,
        _ => return Ok(SqlValue::Null),
    };
    match written(arguments, 1).to_ascii_lowercase().as_str() {
        "can_order" | "can_unique" | "can_multi_col" | "can_include" => truth(btree),
        "can_exclude" => truth(true),
        _ => Ok(SqlValue::Null),
    }
}

fn constraint(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let found = objects.constraint(oid(arguments, 0));
    optional(found.map(|found| found.of(pretty(arguments, 1))))
}

/// The comment on an object: its number, and the name of the catalog table that it is in.
fn comment(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let class = match arguments.get(1) {
        Some(SqlValue::Text(table)) => match find_table(Some("pg_catalog"), table) {
            Some(table) => Some(table.oid),
            None => return Ok(SqlValue::Null),
        },
        _ => None,
    };
    optional(objects.comment(class, oid(arguments, 0), 0))
}

fn comment_on_column(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let class = find_table(None, "pg_class").map(|table| table.oid);
    match arguments.get(1) {
        Some(SqlValue::Integer(column)) if *column != 0 => {
            optional(objects.comment(class, oid(arguments, 0), *column))
        }
        _ => Ok(SqlValue::Null),
    }
}

/// An argument that asks for no more parentheses than are needed.
fn pretty(arguments: &[SqlValue], at: usize) -> bool {
    matches!(arguments.get(at), Some(SqlValue::Integer(1)))
}

fn view(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    definition_of_view(objects, oid(arguments, 0), arguments)
}

/// With a width of lines, which is not looked at: each column has a line of its own.
fn wrapped_view(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    query_of_view(objects, oid(arguments, 0), true)
}

fn view_of_name(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let oid = class(objects, written(arguments, 0))?;
    definition_of_view(objects, oid, arguments)
}

fn definition_of_view(objects: &Objects, oid: u32, arguments: &[SqlValue]) -> Answer {
    query_of_view(objects, oid, pretty(arguments, 1))
}

fn query_of_view(objects: &Objects, oid: u32, pretty: bool) -> Answer {
    let Some(view) = objects.class(oid).filter(|class| class.kind == 'v') else {
        return Ok(SqlValue::Null);
    };
    if view.definition.full.is_empty() {
        let feature = format!(
            "the definition of view \"{}\", whose tables have changed since it was made,",
            view.name
        );
        return Err(DialectError::unsupported(feature));
    }
    text(view.definition.of(pretty))
}

fn is_table(objects: &Objects, arguments: &[SqlValue]) -> bool {
    objects.class(oid(arguments, 0)).is_some_and(|class| {
        class.kind == 'r'
            && !matches!(
                class.schema.as_str(),
                "pg_catalog" | "information_schema" | TEMPORARY
            )
    })
}

/// Where SQLite keeps a relation: its schema, its name there, and of an index the table and the columns that it is about;
/// NULL for what is no relation.
fn btree(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let Some(class) = objects.class(oid(arguments, 0)) else {
        return Ok(SqlValue::Null);
    };
    let place = match class.schema.as_str() {
        TEMPORARY => "temp",
        _ => "main",
    };
    let lasting = !matches!(
        class.schema.as_str(),
        "pg_catalog" | "information_schema" | TEMPORARY
    );
    let stored = if lasting {
        stored_name::join(&class.schema, &class.name)
    } else {
        class.name.clone()
    };
    let name = quoted(&stored);
    let indexed = class.indexed.as_ref().map(|(table, columns)| {
        let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        let (table, columns) = (quoted(table), columns.join(","));
        format!(",\"table\":{table},\"columns\":[{columns}]")
    });
    let indexed = indexed.unwrap_or_default();
    text(format!(
        "{{\"schema\":\"{place}\",\"name\":{name}{indexed}}}"
    ))
}
