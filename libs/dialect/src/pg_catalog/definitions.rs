//! The tables. `NAME_TEXT` and its like are declared types of [`pgtypes::PgType`]; a column without a row is NULL.

use crate::pg_catalog::CatalogTable;

macro_rules! table {
    ($name:literal, $columns:literal) => {
        CatalogTable {
            name: $name,
            create: concat!(
                "CREATE TEMP TABLE IF NOT EXISTS ",
                $name,
                " (",
                $columns,
                ")"
            ),
            columns: $columns,
        }
    };
}

/// All tables with columns of their own.
pub(crate) const TABLES: &[CatalogTable] = &[
    CatalogTable {
        name: "eq_object",
        create: "CREATE TEMP TABLE IF NOT EXISTS eq_object (eq_oid oid PRIMARY KEY, eq_name TEXT, eq_kind TEXT, eq_def TEXT) WITHOUT ROWID",
        columns: "eq_oid oid, eq_name TEXT, eq_kind TEXT, eq_def TEXT",
    },
    table!(
        "pg_namespace",
        "oid oid, nspname NAME_TEXT, nspowner oid, nspacl TEXT"
    ),
    table!(
        "pg_class",
        "oid oid, relname NAME_TEXT, relnamespace oid, reltype oid, reloftype oid, relowner oid, relam oid, relfilenode oid, \
         reltablespace oid, relpages int, reltuples real, relallvisible int, reltoastrelid oid, relhasindex bool, relisshared bool, \
         relpersistence TEXT, relkind TEXT, relnatts smallint, relchecks smallint, relhasrules bool, relhastriggers bool, \
         relhassubclass bool, relrowsecurity bool, relforcerowsecurity bool, relispopulated bool, relreplident TEXT, \
         relispartition bool, relrewrite oid, relhasoids bool, relacl TEXT, reloptions TEXT, relpartbound TEXT"
    ),
    table!(
        "pg_attribute",
        "attrelid oid, attname NAME_TEXT, atttypid oid, attstattarget int, attlen smallint, attnum smallint, attndims int, \
         atttypmod int, attbyval bool, attstorage TEXT, attcompression TEXT, attalign TEXT, attnotnull bool, atthasdef bool, \
         atthasmissing bool, attidentity TEXT, attgenerated TEXT, attisdropped bool, attislocal bool, attinhcount int, \
         attcollation oid, attacl TEXT, attoptions TEXT, attfdwoptions TEXT"
    ),
    table!(
        "pg_type",
        "oid oid, typname NAME_TEXT, typnamespace oid, typowner oid, typlen smallint, typbyval bool, typtype TEXT, \
         typcategory TEXT, typispreferred bool, typisdefined bool, typdelim TEXT, typrelid oid, typelem oid, typarray oid, \
         typinput TEXT, typoutput TEXT, typreceive TEXT, typsend TEXT, typmodin TEXT, typmodout TEXT, typnotnull bool, typbasetype oid, typtypmod int, typndims int, \
         typcollation oid, typdefault TEXT, typsubscript TEXT, typacl TEXT"
    ),
    table!(
        "pg_index",
        "indexrelid oid, indrelid oid, indnatts smallint, indnkeyatts smallint, indisunique bool, indisprimary bool, \
         indisexclusion bool, indimmediate bool, indisclustered bool, indisvalid bool, indcheckxmin bool, indisready bool, \
         indislive bool, indisreplident bool, indkey TEXT, indcollation TEXT, indclass TEXT, indoption TEXT, indexprs TEXT, indpred TEXT, indnullsnotdistinct bool"
    ),
    table!(
        "pg_constraint",
        "oid oid, conname NAME_TEXT, connamespace oid, contype TEXT, condeferrable bool, condeferred bool, convalidated bool, \
         conrelid oid, contypid oid, conindid oid, conparentid oid, confrelid oid, confupdtype TEXT, confdeltype TEXT, \
         confmatchtype TEXT, conislocal bool, coninhcount int, connoinherit bool, conkey TEXT, confkey TEXT, conbin TEXT, consrc TEXT"
    ),
    table!(
        "pg_attrdef",
        "oid oid, adrelid oid, adnum smallint, adbin TEXT"
    ),
    table!(
        "pg_am",
        "oid oid, amname NAME_TEXT, amhandler TEXT, amtype TEXT"
    ),
    table!(
        "pg_database",
        "oid oid, datname NAME_TEXT, datdba oid, encoding int, datlocprovider TEXT, datistemplate bool, datallowconn bool, \
         datconnlimit int, datfrozenxid int, datminmxid int, dattablespace oid, datcollate TEXT, datctype TEXT, \
         daticulocale TEXT, daticurules TEXT, datcollversion TEXT, datacl TEXT"
    ),
    table!(
        "pg_roles",
        "oid oid, rolname NAME_TEXT, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, rolcanlogin bool, \
         rolreplication bool, rolconnlimit int, rolpassword TEXT, rolvaliduntil timestamptz, rolbypassrls bool, rolconfig TEXT"
    ),
    table!(
        "pg_user",
        "usename NAME_TEXT, usesysid oid, usecreatedb bool, usesuper bool, userepl bool, usebypassrls bool, passwd TEXT, \
         valuntil timestamptz, useconfig TEXT"
    ),
    table!(
        "pg_auth_members",
        "roleid oid, member oid, grantor oid, admin_option bool"
    ),
    table!(
        "pg_settings",
        "name TEXT, setting TEXT, unit TEXT, category TEXT, short_desc TEXT, extra_desc TEXT, context TEXT, vartype TEXT, \
         source TEXT, min_val TEXT, max_val TEXT, enumvals TEXT, boot_val TEXT, reset_val TEXT, sourcefile TEXT, sourceline int, pending_restart bool"
    ),
    table!(
        "pg_proc",
        "oid oid, proname NAME_TEXT, pronamespace oid, proowner oid, prolang oid, prokind TEXT, prorettype oid, \
         proargtypes TEXT, pronargs smallint, proretset bool, prosrc TEXT, provolatile TEXT, proparallel TEXT, prosecdef bool, proacl TEXT, \
         proargnames TEXT, proargmodes TEXT, proallargtypes TEXT, proisagg bool, proiswindow bool"
    ),
    table!(
        "pg_description",
        "objoid oid, classoid oid, objsubid int, description TEXT"
    ),
    table!(
        "pg_shdescription",
        "objoid oid, classoid oid, description TEXT"
    ),
    table!(
        "pg_range",
        "rngtypid oid, rngsubtype oid, rngmultitypid oid, rngcollation oid, rngsubopc oid"
    ),
    table!(
        "pg_enum",
        "oid oid, enumtypid oid, enumsortorder real, enumlabel NAME_TEXT"
    ),
    table!(
        "pg_collation",
        "oid oid, collname NAME_TEXT, collnamespace oid, collowner oid, collprovider TEXT, collencoding int, \
         collisdeterministic bool, collcollate TEXT, collctype TEXT, colliculocale TEXT"
    ),
    table!(
        "pg_extension",
        "oid oid, extname NAME_TEXT, extowner oid, extnamespace oid, extrelocatable bool, extversion TEXT"
    ),
    table!(
        "pg_tablespace",
        "oid oid, spcname NAME_TEXT, spcowner oid, spcacl TEXT, spcoptions TEXT"
    ),
    table!(
        "pg_sequence",
        "seqrelid oid, seqtypid oid, seqstart bigint, seqincrement bigint, seqmax bigint, seqmin bigint, seqcache bigint, seqcycle bool"
    ),
    table!(
        "pg_depend",
        "classid oid, objid oid, objsubid int, refclassid oid, refobjid oid, refobjsubid int, deptype TEXT"
    ),
    table!(
        "pg_stat_activity",
        "datid oid, datname NAME_TEXT, pid int, usesysid oid, usename NAME_TEXT, application_name TEXT, client_addr TEXT, \
         state TEXT, query TEXT, backend_start timestamptz, xact_start timestamptz, query_start timestamptz, state_change timestamptz, \
         wait_event_type TEXT, wait_event TEXT, backend_type TEXT"
    ),
    table!(
        "pg_tables",
        "schemaname NAME_TEXT, tablename NAME_TEXT, tableowner NAME_TEXT, tablespace NAME_TEXT, hasindexes bool, hasrules bool, \
         hastriggers bool, rowsecurity bool"
    ),
    table!(
        "pg_views",
        "schemaname NAME_TEXT, viewname NAME_TEXT, viewowner NAME_TEXT, definition TEXT"
    ),
    table!(
        "pg_indexes",
        "schemaname NAME_TEXT, tablename NAME_TEXT, indexname NAME_TEXT, tablespace NAME_TEXT, indexdef TEXT"
    ),
    table!(
        "pg_matviews",
        "schemaname NAME_TEXT, matviewname NAME_TEXT, matviewowner NAME_TEXT, definition TEXT"
    ),
    table!(
        "pg_sequences",
        "schemaname NAME_TEXT, sequencename NAME_TEXT, sequenceowner NAME_TEXT, data_type TEXT, start_value bigint, \
         min_value bigint, max_value bigint, increment_by bigint, cycle bool, cache_size bigint, last_value bigint"
    ),
    table!(
        "information_schema_schemata",
        "catalog_name TEXT, schema_name TEXT, schema_owner TEXT"
    ),
    table!(
        "information_schema_tables",
        "table_catalog TEXT, table_schema TEXT, table_name TEXT, table_type TEXT, is_insertable_into TEXT, is_typed TEXT"
    ),
    table!(
        "information_schema_views",
        "table_catalog TEXT, table_schema TEXT, table_name TEXT, view_definition TEXT"
    ),
    table!(
        "information_schema_columns",
        "table_catalog TEXT, table_schema TEXT, table_name TEXT, column_name TEXT, ordinal_position int, column_default TEXT, \
         is_nullable TEXT, data_type TEXT, character_maximum_length int, numeric_precision int, numeric_scale int, \
         datetime_precision int, udt_schema TEXT, udt_name TEXT, is_identity TEXT, identity_generation TEXT, is_generated TEXT, \
         is_updatable TEXT, collation_name TEXT"
    ),
    table!(
        "information_schema_table_constraints",
        "constraint_catalog TEXT, constraint_schema TEXT, constraint_name TEXT, table_catalog TEXT, table_schema TEXT, \
         table_name TEXT, constraint_type TEXT, is_deferrable TEXT, initially_deferred TEXT"
    ),
    table!(
        "information_schema_key_column_usage",
        "constraint_catalog TEXT, constraint_schema TEXT, constraint_name TEXT, table_catalog TEXT, table_schema TEXT, \
         table_name TEXT, column_name TEXT, ordinal_position int, position_in_unique_constraint int"
    ),
    table!(
        "information_schema_constraint_column_usage",
        "table_catalog TEXT, table_schema TEXT, table_name TEXT, column_name TEXT, constraint_catalog TEXT, \
         constraint_schema TEXT, constraint_name TEXT"
    ),
    table!(
        "information_schema_referential_constraints",
        "constraint_catalog TEXT, constraint_schema TEXT, constraint_name TEXT, unique_constraint_schema TEXT, \
         unique_constraint_name TEXT, match_option TEXT, update_rule TEXT, delete_rule TEXT"
    ),
    table!(
        "information_schema_sequences",
        "sequence_catalog TEXT, sequence_schema TEXT, sequence_name TEXT, data_type TEXT, numeric_precision int, \
         numeric_precision_radix int, numeric_scale int, start_value TEXT, minimum_value TEXT, maximum_value TEXT, \
         increment TEXT, cycle_option TEXT"
    ),
    table!(
        "information_schema_routines",
        "routine_catalog TEXT, routine_schema TEXT, routine_name TEXT, routine_type TEXT"
    ),
];
