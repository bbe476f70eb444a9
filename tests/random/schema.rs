//! The tables of which statements speak.

use dialect::catalog::TypeId;
use disk::testing::Random;

use crate::values::values_of;

/// A table: its name, and its columns with their types as they are declared.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, TypeId, &'static str)],
    rows: u64,
}

/// Columns of all types; one with fewer, which refers to it; one with a key of two columns.
pub(crate) const TABLES: &[Table] = &[
    Table {
        name: "t",
        columns: &[
            ("id", TypeId::INT4, "int4 PRIMARY KEY"),
            ("b", TypeId::BOOL, "bool"),
            ("i2", TypeId::INT2, "int2"),
            ("i4", TypeId::INT4, "int4"),
            ("i8", TypeId::INT8, "int8"),
            ("f4", TypeId::FLOAT4, "float4"),
            ("f8", TypeId::FLOAT8, "float8"),
            ("n", TypeId::NUMERIC, "numeric"),
            ("n2", TypeId::NUMERIC, "numeric(12,3)"),
            ("tx", TypeId::TEXT, "text"),
            ("vc", TypeId::VARCHAR, "varchar(12)"),
            ("ch", TypeId::BPCHAR, "char(6)"),
            ("nm", TypeId::NAME, "name"),
            ("o", TypeId::OID, "oid"),
            ("ba", TypeId::BYTEA, "bytea"),
            ("d", TypeId::DATE, "date"),
            ("tm", TypeId::TIME, "time"),
            ("tmz", TypeId::TIMETZ, "timetz"),
            ("ts", TypeId::TIMESTAMP, "timestamp"),
            ("ts2", TypeId::TIMESTAMP, "timestamp(2)"),
            ("tsz", TypeId::TIMESTAMPTZ, "timestamptz"),
            ("iv", TypeId::INTERVAL, "interval"),
            ("u", TypeId::UUID, "uuid"),
            ("js", TypeId::JSON, "json"),
            ("jb", TypeId::JSONB, "jsonb"),
            ("ip", TypeId::INET, "inet"),
            ("cd", TypeId::CIDR, "cidr"),
        ],
        rows: 16,
    },
    Table {
        name: "u",
        columns: &[
            ("id", TypeId::INT8, "int8 PRIMARY KEY"),
            (
                "t_id",
                TypeId::INT4,
                "int4 REFERENCES t (id) ON DELETE CASCADE",
            ),
            ("i4", TypeId::INT4, "int4"),
            ("n", TypeId::NUMERIC, "numeric"),
            ("f8", TypeId::FLOAT8, "float8"),
            ("tx", TypeId::TEXT, "text"),
            ("d", TypeId::DATE, "date"),
            ("ts", TypeId::TIMESTAMP, "timestamp"),
            ("iv", TypeId::INTERVAL, "interval"),
            ("jb", TypeId::JSONB, "jsonb"),
            ("b", TypeId::BOOL, "bool DEFAULT true"),
        ],
        rows: 20,
    },
    Table {
        name: "w",
        columns: &[
            ("k", TypeId::TEXT, "text"),
            ("i2", TypeId::INT2, "int2"),
            ("n", TypeId::NUMERIC, "numeric(8,2) NOT NULL DEFAULT 1.5"),
            ("v", TypeId::VARCHAR, "varchar(8) DEFAULT 'new'"),
            ("i4", TypeId::INT4, "int4 CHECK (i4 <> 13)"),
            ("tsz", TypeId::TIMESTAMPTZ, "timestamptz"),
        ],
        rows: 10,
    },
];

const MORE: &[&str] = &[
    "CREATE INDEX t_tx ON t (tx)",
    "CREATE INDEX t_n ON t (n DESC, i4)",
    "CREATE INDEX t_jb ON t (jb)",
    "CREATE INDEX t_iv ON t (iv)",
    "CREATE INDEX t_ip ON t (ip)",
    "CREATE INDEX t_f8 ON t (f8)",
    "CREATE INDEX t_tsz ON t (tsz) WHERE b",
    "CREATE INDEX u_t_id ON u (t_id)",
    "CREATE INDEX u_lower ON u (lower(tx), d)",
    "CREATE UNIQUE INDEX w_key ON w (k, i2)",
    "CREATE UNIQUE INDEX w_n ON w (n) WHERE i2 > 5",
];

/// The statements that make tables and rows.
pub(crate) fn script() -> Vec<String> {
    let mut all = Vec::new();
    for table in TABLES {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|(name, _, declared)| format!("{name} {declared}"))
            .collect();
        all.push(format!(
            "CREATE TABLE {} ({})",
            table.name,
            columns.join(", ")
        ));
    }
    all.extend(MORE.iter().map(|sql| (*sql).to_owned()));
    let mut random = Random::new(1);
    for table in TABLES {
        for row in 1..=table.rows {
            let values: Vec<String> = table
                .columns
                .iter()
                .map(|column| value(table, row, *column, &mut random))
                .collect();
            all.push(format!(
                "INSERT INTO {} VALUES ({})",
                table.name,
                values.join(", ")
            ));
        }
    }
    all
}

fn value(
    table: &Table,
    row: u64,
    (name, ty, _): (&str, TypeId, &str),
    random: &mut Random,
) -> String {
    if name == "id" {
        return row.to_string();
    }
    match (table.name, name) {
        ("w", "k") => return format!("'k{}'", row % 4),
        ("w", "i2") => return row.to_string(),
        ("w", "n") => return format!("{row}.25"),
        (_, "i4") if random.below(2) == 0 => return random.below(9).to_string(),
        ("u", "t_id") => return format!("nullif({}, 0)", random.below(8)),
        _ => {}
    }
    if random.below(6) == 0 {
        return "NULL".to_owned();
    }
    let texts = values_of(ty).map_or(&[][..], |(_, _, texts)| texts);
    let mut text = texts[usize::try_from(random.below(texts.len() as u64)).expect("small")];
    if name == "n2" && (text.len() > 8 || text.contains('e')) {
        text = "-12.3456";
    }
    if name == "ts2" && text.starts_with("294276") {
        text = "2024-02-29 12:34:56.789";
    }
    format!("'{text}'")
}
