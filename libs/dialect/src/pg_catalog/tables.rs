//! The tables of the catalog and their columns.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::catalog::{TypeId, type_by_name};

const DATA: &str = include_str!("data/tables.tsv");

/// A table of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogTable {
    /// Its name in the temp schema: `pg_class`, `information_schema.tables`.
    pub name: &'static str,
    /// Its number in `pg_class`.
    pub(crate) oid: u32,
    /// It is a view in PostgreSQL.
    pub(crate) view: bool,
    /// In their order.
    pub(crate) columns: Vec<CatalogColumn>,
    /// The server fills it; the others are always empty, and no table is needed for them.
    pub filled: bool,
}

/// A column of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CatalogColumn {
    pub(crate) name: &'static str,
    pub(crate) ty: TypeId,
    pub(crate) not_null: bool,
}

impl CatalogTable {
    /// CREATE TEMP TABLE: without types, so that SQLite keeps every value as it is.
    pub fn create(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| crate::literal::quote_name(column.name))
            .collect();
        format!(
            "CREATE TEMP TABLE IF NOT EXISTS \"{}\" ({})",
            self.name,
            columns.join(", ")
        )
    }

    /// Its schema and its name there.
    pub(crate) fn path(&self) -> (&'static str, &'static str) {
        match self.name.split_once('.') {
            Some((schema, name)) => (schema, name),
            None => ("pg_catalog", self.name),
        }
    }

    /// The place of a column.
    pub(crate) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|own| own.name == column)
    }
}

/// Relations whose rows are computed when a statement reads them: what the server does at the moment, and what is the same
/// in all databases and seldom asked for. The printed statement calls [`COMPUTED_ROWS`] with the name.
const COMPUTED: &[&str] = &[
    "pg_aggregate",
    "pg_available_extension_versions",
    "pg_available_extensions",
    "pg_cast",
    "pg_cursors",
    "pg_hba_file_rules",
    "pg_locks",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_prepared_statements",
    "pg_proc",
    "pg_stat_activity",
    "pg_stat_all_indexes",
    "pg_stat_all_tables",
    "pg_stat_archiver",
    "pg_stat_bgwriter",
    "pg_stat_database",
    "pg_stat_database_conflicts",
    "pg_stat_replication",
    "pg_stat_ssl",
    "pg_stat_statements",
    "pg_stat_statements_info",
    "pg_stat_sys_tables",
    "pg_stat_user_indexes",
    "pg_stat_user_tables",
    "pg_stat_wal_receiver",
    "pg_statio_all_indexes",
    "pg_statio_all_tables",
    "pg_statio_user_indexes",
    "pg_statio_user_tables",
    "pg_timezone_abbrevs",
    "pg_timezone_names",
];

/// The function that gives the rows of such a relation by its name: a JSON array of arrays.
pub(crate) const COMPUTED_ROWS: &str = "eq_catalog_rows";

/// Whether the rows of a table are computed.
pub(crate) fn is_computed(name: &str) -> bool {
    COMPUTED.contains(&name)
}

/// The tables that have rows here.
const FILLED: &[&str] = &[
    "pg_description",
    "pg_shdescription",
    "pg_am",
    "pg_attrdef",
    "pg_attribute",
    "pg_auth_members",
    "pg_authid",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_database",
    "pg_db_role_setting",
    "pg_default_acl",
    "pg_depend",
    "pg_enum",
    "pg_extension",
    "pg_index",
    "pg_indexes",
    "pg_language",
    "pg_namespace",
    "pg_range",
    "pg_roles",
    "pg_sequence",
    "pg_sequences",
    "pg_settings",
    "pg_tables",
    "pg_tablespace",
    "pg_type",
    "pg_user",
    "pg_views",
    "information_schema.check_constraints",
    "information_schema.columns",
    "information_schema.constraint_column_usage",
    "information_schema.constraint_table_usage",
    "information_schema.domains",
    "information_schema.element_types",
    "information_schema.information_schema_catalog_name",
    "information_schema.key_column_usage",
    "information_schema.referential_constraints",
    "information_schema.role_table_grants",
    "information_schema.schemata",
    "information_schema.sequences",
    "information_schema.table_constraints",
    "information_schema.table_privileges",
    "information_schema.tables",
    "information_schema.views",
];

static TABLES: LazyLock<Vec<CatalogTable>> =
    LazyLock::new(|| DATA.lines().filter_map(table).collect());

fn table(line: &'static str) -> Option<CatalogTable> {
    let mut fields = line.split('\t');
    let name = fields.next()?;
    Some(CatalogTable {
        name,
        oid: fields.next()?.parse().ok()?,
        view: fields.next()? == "v",
        columns: fields
            .next()?
            .split(',')
            .map(column)
            .collect::<Option<_>>()?,
        filled: FILLED.contains(&name),
    })
}

fn column(text: &'static str) -> Option<CatalogColumn> {
    let (name, ty) = text.split_once(' ')?;
    let (ty, not_null) = match ty.strip_suffix('!') {
        Some(ty) => (ty, true),
        None => (ty, false),
    };
    Some(CatalogColumn {
        name,
        // What holds rows of other tables is not known as a type.
        ty: type_by_name(ty).unwrap_or(TypeId::TEXT),
        not_null,
    })
}

/// All tables, in the order of their names, those of `pg_catalog` first.
pub(crate) fn all() -> &'static [CatalogTable] {
    &TABLES
}

/// The tables that the server makes and fills.
pub fn tables() -> impl Iterator<Item = &'static CatalogTable> {
    all().iter().filter(|table| table.filled)
}

/// The table by its name in the temp schema.
pub(crate) fn by_name(name: &str) -> Option<&'static CatalogTable> {
    static BY_NAME: LazyLock<HashMap<&'static str, &'static CatalogTable>> =
        LazyLock::new(|| all().iter().map(|table| (table.name, table)).collect());
    BY_NAME.get(name).copied()
}

/// The table of that name in one of the two schemas; the first is on every search path.
pub(crate) fn find(schema: Option<&str>, name: &str) -> Option<&'static CatalogTable> {
    match schema {
        Some("information_schema") => by_name(&format!("information_schema.{name}")),
        _ => by_name(name).filter(|table| table.path().0 == "pg_catalog"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_computed_is_a_relation_and_in_no_table() {
        for name in COMPUTED {
            let table = by_name(name).unwrap_or_else(|| panic!("{name}"));
            assert!(!table.filled, "{name}");
        }
    }

    #[test]
    fn every_line_is_read() {
        assert_eq!(all().len(), DATA.lines().count());
        assert_eq!(tables().count(), FILLED.len());
    }

    #[test]
    fn a_table_is_known_by_its_schema() {
        let class = find(None, "pg_class").unwrap();
        assert_eq!(class.oid, 1259);
        assert_eq!(class.position("relname"), Some(1));
        assert_eq!(class.columns.first().map(|c| c.ty), Some(TypeId::OID));
        assert!(find(None, "tables").is_none());
        let tables = find(Some("information_schema"), "tables").unwrap();
        assert_eq!(tables.name, "information_schema.tables");
        assert!(find(Some("pg_catalog"), "information_schema.tables").is_none());
    }
}
