//! The run-time parameters that `SET` and `SHOW` know.

use crate::session::bounds::TEMP_FILE_LIMIT;
use crate::session::sync_level;

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Any text.
    Text,
    /// on, off and their synonyms; kept as `on` or `off`.
    Switch,
    /// A whole number between these.
    Number(i64, i64),
    /// A time; kept in milliseconds, shown with its unit.
    Time,
    /// An amount of memory or disk between these, in KiB; kept in KiB, shown with its unit.
    Memory(i64, i64),
    /// One of these words.
    Words(&'static [&'static str]),
    /// UTF8 or `SQL_ASCII`.
    Encoding,
    /// A point of history, or nothing.
    Seen,
    /// A time zone; kept by its own name.
    Zone,
    /// Fixed: SHOW answers, SET is refused (55P02).
    Fixed,
}

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name in its usual spelling.
    pub name: &'static str,
    /// Its value at the start of a session.
    pub default: &'static str,
    /// What a value must look like.
    pub shape: Shape,
    /// Whether the client is told of every change.
    pub reported: bool,
    /// One line for SHOW ALL.
    pub meaning: &'static str,
}

/// What is said of a setting of PostgreSQL's planner: it may change the plan there, never the answer.
const PLANNER: &str = "Accepted; without effect: SQLite plans.";

const fn p(
    name: &'static str,
    default: &'static str,
    shape: Shape,
    meaning: &'static str,
) -> Parameter {
    Parameter {
        name,
        default,
        shape,
        reported: false,
        meaning,
    }
}

const fn reported(parameter: Parameter) -> Parameter {
    Parameter {
        reported: true,
        ..parameter
    }
}

/// The parameter with the role that the session acts as.
pub const ROLE: &str = "role";

/// Those that belong to a transaction.
pub const OF_TRANSACTION: &[&str] = &[
    "transaction_deferrable",
    "transaction_isolation",
    "transaction_read_only",
];

/// The parameter that says how a session opens its database.
pub const OPEN_MODE: &str = "eloqdb.open_mode";

/// What must be seen before the session reads or writes.
pub const WAIT_FOR: &str = "eloqdb.wait_for";

/// How long the session waits for that.
pub const WAIT_TIMEOUT: &str = "eloqdb.wait_timeout";

/// Whether the client is told how far it sees.
pub const REPORT_COMMIT: &str = "eloqdb.report_commit";

/// Under which name it is told that.
pub const LAST_COMMIT: &str = "eloqdb.last_commit";

/// What a master tells those who act for others: how far a reader sees there.
pub const SEEN: &str = "eloqdb.seen";

/// The version of PostgreSQL whose protocol and spellings a driver may expect.
pub const SERVER_VERSION: &str = concat!("15.0 (eloqdb ", env!("CARGO_PKG_VERSION"), ")");

const ISOLATION: &[&str] = &[
    "read uncommitted",
    "read committed",
    "repeatable read",
    "serializable",
];
const INTERVALS: &[&str] = &["postgres", "postgres_verbose", "sql_standard", "iso_8601"];
const MESSAGES: &[&str] = &[
    "debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error",
];

use Shape::{Encoding, Fixed, Memory, Number, Seen, Switch, Text, Time, Words, Zone};

/// All parameters, sorted by name without regard to case.
#[rustfmt::skip]
pub const PARAMETERS: &[Parameter] = &[
    reported(p("application_name", "", Text, "Name of the application, as the session list shows it.")),
    p("array_nulls", "on", Switch, "Accepted; without effect."),
    p("backslash_quote", "safe_encoding", Text, "Accepted; without effect."),
    p("bytea_output", "hex", Words(&["hex", "escape"]), "Output format of bytea."),
    p("check_function_bodies", "on", Switch, "Accepted; without effect."),
    reported(p("client_encoding", "UTF8", Encoding, "Encoding of the client's text.")),
    p("client_min_messages", "notice", Words(MESSAGES), "Least severe message that is sent to the client."),
    p("constraint_exclusion", "partition", Text, "Accepted; without effect."),
    p("cpu_index_tuple_cost", "0.005", Text, PLANNER),
    p("cpu_operator_cost", "0.0025", Text, PLANNER),
    p("cpu_tuple_cost", "0.01", Text, PLANNER),
    p("cursor_tuple_fraction", "0.1", Text, PLANNER),
    reported(p("DateStyle", "ISO, MDY", Text, "Format of dates.")),
    p("deadlock_timeout", "1s", Text, "Accepted; without effect: circles are seen before they close."),
    p("default_statistics_target", "100", Text, PLANNER),
    p("default_table_access_method", "heap", Text, "Accepted; without effect."),
    p("default_tablespace", "", Text, "Accepted; without effect."),
    p("default_text_search_config", "pg_catalog.simple", Text, "Accepted; without effect."),
    p("default_transaction_deferrable", "off", Switch, "Whether new transactions are deferrable; without effect."),
    p("default_transaction_isolation", "read committed", Words(ISOLATION), "Isolation level of new transactions."),
    reported(p("default_transaction_read_only", "off", Switch, "Whether new transactions are read-only.")),
    p("default_with_oids", "off", Switch, "Accepted; without effect."),
    p("effective_cache_size", "4GB", Text, PLANNER),
    p(OPEN_MODE, "", Fixed, "Open mode of the database, from 1 to 9; said when the session begins."),
    p(REPORT_COMMIT, "off", Switch, "Whether the client is told how far it sees, as the parameter eloqdb.last_commit."),
    p(WAIT_FOR, "", Seen, "What must be seen before the session reads or writes: what eloqdb_last_commit() gave elsewhere."),
    p(WAIT_TIMEOUT, "10000", Time, "A statement that waits longer for eloqdb.wait_for is cancelled; 0 is no limit."),
    p("enable_async_append", "on", Switch, PLANNER),
    p("enable_bitmapscan", "on", Switch, PLANNER),
    p("enable_gathermerge", "on", Switch, PLANNER),
    p("enable_hashagg", "on", Switch, PLANNER),
    p("enable_hashjoin", "on", Switch, PLANNER),
    p("enable_incremental_sort", "on", Switch, PLANNER),
    p("enable_indexonlyscan", "on", Switch, PLANNER),
    p("enable_indexscan", "on", Switch, PLANNER),
    p("enable_material", "on", Switch, PLANNER),
    p("enable_memoize", "on", Switch, PLANNER),
    p("enable_mergejoin", "on", Switch, PLANNER),
    p("enable_nestloop", "on", Switch, PLANNER),
    p("enable_parallel_append", "on", Switch, PLANNER),
    p("enable_parallel_hash", "on", Switch, PLANNER),
    p("enable_partition_pruning", "on", Switch, PLANNER),
    p("enable_partitionwise_aggregate", "off", Switch, PLANNER),
    p("enable_partitionwise_join", "off", Switch, PLANNER),
    p("enable_seqscan", "on", Switch, "Accepted; without effect."),
    p("enable_sort", "on", Switch, PLANNER),
    p("enable_tidscan", "on", Switch, PLANNER),
    p("escape_string_warning", "on", Switch, "Accepted; without effect."),
    p("extra_float_digits", "1", Number(-15, 3), "Digits of floating point numbers: above 0 the shortest exact ones."),
    p("force_parallel_mode", "off", Text, PLANNER),
    p("from_collapse_limit", "8", Text, PLANNER),
    p("geqo", "on", Switch, "Accepted; without effect."),
    p("geqo_threshold", "12", Text, PLANNER),
    p("hash_mem_multiplier", "2", Text, PLANNER),
    p("idle_in_transaction_session_timeout", "0", Time, "A session that idles longer in a transaction is ended."),
    p("idle_session_timeout", "0", Time, "A session that idles longer outside a transaction is ended."),
    reported(p("in_hot_standby", "off", Fixed, "Whether the server is a slave.")),
    reported(p("integer_datetimes", "on", Fixed, "Times are whole microseconds.")),
    reported(p("IntervalStyle", "postgres", Words(INTERVALS), "Format of intervals.")),
    reported(p("is_superuser", "on", Fixed, "Whether the user may do everything.")),
    p("jit", "off", Switch, "Accepted; without effect."),
    p("jit_above_cost", "100000", Text, PLANNER),
    p("jit_inline_above_cost", "500000", Text, PLANNER),
    p("jit_optimize_above_cost", "500000", Text, PLANNER),
    p("join_collapse_limit", "8", Text, PLANNER),
    p("lc_collate", "C", Fixed, "Order of text: by bytes."),
    p("lc_ctype", "C", Fixed, "Classes of characters."),
    p("lc_messages", "C", Text, "Accepted; without effect: messages are English."),
    p("lc_monetary", "C", Text, "Accepted; without effect."),
    p("lc_numeric", "C", Text, "Accepted; without effect."),
    p("lc_time", "C", Text, "Accepted; without effect."),
    p("listen_addresses", "*", Fixed, "See Listen in the configuration."),
    p("lock_timeout", "0", Time, "A statement that waits longer to write is cancelled."),
    p("log_min_messages", "warning", Words(MESSAGES), "Accepted; without effect."),
    p("maintenance_work_mem", "64MB", Text, "Accepted; without effect."),
    p("max_connections", "1000", Fixed, "MaxSessions of the configuration."),
    p("max_identifier_length", "63", Fixed, "Longest name in bytes."),
    p("max_index_keys", "32", Fixed, "Most columns of an index."),
    p("max_parallel_workers", "8", Text, PLANNER),
    p("max_parallel_workers_per_gather", "2", Text, PLANNER),
    p("min_parallel_index_scan_size", "512kB", Text, PLANNER),
    p("min_parallel_table_scan_size", "8MB", Text, PLANNER),
    p("parallel_leader_participation", "on", Switch, PLANNER),
    p("parallel_setup_cost", "1000", Text, PLANNER),
    p("parallel_tuple_cost", "0.1", Text, PLANNER),
    p("password_encryption", "scram-sha-256", Words(&["scram-sha-256"]), "How passwords are stored."),
    p("plan_cache_mode", "auto", Text, PLANNER),
    p("quote_all_identifiers", "off", Switch, "Accepted; without effect."),
    p("random_page_cost", "4", Text, PLANNER),
    p("role", "none", Text, "The role that the session acts as."),
    p("row_security", "on", Switch, "Accepted; without effect."),
    reported(p("scram_iterations", "4096", Fixed, "Iterations of new passwords.")),
    reported(p("search_path", "\"$user\", public", Text, "Schemas that are searched; there is one, public.")),
    p("seq_page_cost", "1", Text, PLANNER),
    reported(p("server_encoding", "UTF8", Fixed, "Encoding of the databases.")),
    reported(p("server_version", SERVER_VERSION, Fixed, "Version of the server.")),
    p("server_version_num", "150000", Fixed, "Version of the server as a number."),
    reported(p("session_authorization", "", Fixed, "The user.")),
    p("session_replication_role", "origin", Words(&["origin"]), "Whether triggers fire; always."),
    p("ssl", "off", Fixed, "Whether the service port has TLS."),
    reported(p("standard_conforming_strings", "on", Words(&["on"]), "Backslashes in '...' are ordinary characters.")),
    p("statement_timeout", "0", Time, "A statement that runs longer is cancelled."),
    p("synchronize_seqscans", "on", Switch, "Accepted; without effect."),
    p("synchronous_commit", "on", Words(sync_level::WORDS), "For whose disks a commit waits, see SyncSlaves."),
    p("synchronous_standby_names", "", Fixed, "SyncSlaves of the configuration: for whose disks a commit waits."),
    p("temp_buffers", "8MB", Text, "Accepted; without effect."),
    p(TEMP_FILE_LIMIT, "-1", Memory(-1, 0x7fff_ffff), "A statement is cancelled that needs more bytes of temporary files; -1 is no limit."),
    reported(p("TimeZone", "UTC", Zone, "Time zone in which times are read and shown.")),
    p("transaction_deferrable", "off", Switch, "Whether the transaction is deferrable; without effect."),
    p("transaction_isolation", "read committed", Words(ISOLATION), "Isolation level of the transaction."),
    p("transaction_read_only", "off", Switch, "Whether the transaction is read-only."),
    p("transaction_timeout", "0", Words(&["0"]), "There is none: 0 only."),
    p("work_mem", "2048", Memory(64, 0x7fff_ffff), "Memory of a sort before it goes to temporary files."),
    p("xmlbinary", "base64", Text, "Accepted; without effect."),
    p("xmloption", "content", Text, "Accepted; without effect."),
];

/// The parameter of that name, whatever its case.
pub fn find(name: &str) -> Option<&'static Parameter> {
    let name = match name {
        _ if name.eq_ignore_ascii_case("transaction isolation level") => "transaction_isolation",
        _ if name.eq_ignore_ascii_case("time zone") => "TimeZone",
        _ if name.eq_ignore_ascii_case("names") => "client_encoding",
        other => other,
    };
    PARAMETERS
        .iter()
        .find(|parameter| parameter.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_has_no_name_twice() {
        for pair in PARAMETERS.windows(2) {
            let [left, right] = pair else {
                panic!("not a pair")
            };
            assert!(
                left.name.to_lowercase() < right.name.to_lowercase(),
                "{}",
                right.name
            );
        }
    }

    #[test]
    fn names_are_found_whatever_their_case() {
        assert_eq!(find("datestyle").map(|p| p.name), Some("DateStyle"));
        assert_eq!(find("TIME ZONE").map(|p| p.name), Some("TimeZone"));
        assert!(find("no_such_thing").is_none());
    }

    #[test]
    fn what_is_accepted_without_effect_stands_in_the_documentation() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sql.md");
        let page = std::fs::read_to_string(page).unwrap();
        let (_, list) = page.split_once("Accepted and without effect:").unwrap();
        let (list, _) = list.split_once("\n\n").unwrap();
        let told: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
        let without_effect = PARAMETERS
            .iter()
            .filter(|p| p.meaning.contains("without effect"))
            .map(|p| p.name);
        assert_eq!(told, without_effect.collect::<Vec<_>>());
    }

    #[test]
    fn drivers_accept_the_version() {
        assert!(SERVER_VERSION.starts_with("15.0 (eloqdb "));
    }
}
