//! What a `CREATE TABLE` text of `sqlite_schema` says, in PostgreSQL's terms.

use pgtypes::PgType;

use crate::ddl::layout::{self, Piece};
use crate::source::Source;

/// A table or view as the catalog shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableInfo {
    /// Without quotes.
    pub name: String,
    /// Filled in by the caller: it is the session's own and hides one of the database.
    pub temporary: bool,
    /// Set for a view: the text after AS.
    pub view: Option<String>,
    /// In their order.
    pub columns: Vec<TableColumn>,
    /// Primary key, unique, foreign keys, checks, in the order of the text.
    pub constraints: Vec<Constraint>,
    /// Filled in by the caller: `sqlite_schema.sql` of the table's indexes.
    pub indexes: Vec<String>,
    /// Filled in by the caller: `sqlite_schema.sql` of the table's triggers.
    pub triggers: Vec<String>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableColumn {
    /// Without quotes.
    pub name: String,
    /// The PostgreSQL type; `None` = no declared type.
    pub type_name: Option<PgType>,
    /// NOT NULL, or in the primary key.
    pub not_null: bool,
    /// SQLite's expression text of the default.
    pub default: Option<String>,
    /// A serial or identity column: SQLite gives the next value (once the column is the rowid).
    pub generated: bool,
    /// `INTEGER PRIMARY KEY`: the rowid itself.
    pub rowid_alias: bool,
    /// GENERATED ALWAYS AS (…): computed from other columns.
    pub computed: bool,
}

/// A table constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// As given, else as PostgreSQL would name it: `t_pkey`, `t_a_key`, `t_a_fkey`, `t_a_check`.
    pub name: String,
    /// What it says.
    pub kind: ConstraintKind,
    /// The columns it is over (empty for CHECK).
    pub columns: Vec<String>,
}

/// What a constraint says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the clauses of the constraint")]
pub enum ConstraintKind {
    PrimaryKey,
    Unique,
    ForeignKey {
        table: String,
        columns: Vec<String>,
        on_delete: String,
        on_update: String,
        deferrable: bool,
        deferred: bool,
    },
    Check {
        expression: String,
    },
}

/// Reads a `CREATE TABLE` text of `sqlite_schema`; `None` if it is not one.
pub fn parse_create_table(sql: &str) -> Option<TableInfo> {
    let src = Source::new(sql).ok()?;
    let layout = layout::read(&src)?;
    let mut info = TableInfo {
        name: layout.name.clone(),
        ..TableInfo::default()
    };
    for piece in &layout.pieces {
        match piece {
            Piece::Column { at, end } => read_column(&src, *at, *end, &mut info)?,
            Piece::Constraint { at, end } => read_constraint(&src, *at, *end, &mut info)?,
        }
    }
    for constraint in &info.constraints {
        if constraint.kind == ConstraintKind::PrimaryKey {
            for column in &mut info.columns {
                column.not_null |= constraint
                    .columns
                    .iter()
                    .any(|key| key.eq_ignore_ascii_case(&column.name));
            }
        }
    }
    mark_rowid_alias(&mut info, layout.without_rowid);
    Some(info)
}

/// A single `INTEGER` primary key column is the rowid.
fn mark_rowid_alias(info: &mut TableInfo, without_rowid: bool) {
    let key = info
        .constraints
        .iter()
        .find(|constraint| constraint.kind == ConstraintKind::PrimaryKey);
    let Some([only]) = key.map(|key| key.columns.as_slice()) else {
        return;
    };
    let only = only.clone();
    for column in &mut info.columns {
        column.rowid_alias &= !without_rowid && column.name.eq_ignore_ascii_case(&only);
    }
}

fn read_column(src: &Source<'_>, at: usize, end: usize, info: &mut TableInfo) -> Option<()> {
    let name = src.name(at)?;
    let type_end = layout::type_end(src, at + 1, end);
    let declared = src.slice(at + 1, type_end);
    let marker = marker(src, type_end);
    let spelled = marker.as_deref().unwrap_or(declared);
    let generated = spelled.to_ascii_lowercase().contains("serial");
    let type_name = PgType::from_declared(spelled);
    let mut column = TableColumn {
        name: name.clone(),
        type_name,
        generated,
        rowid_alias: declared.eq_ignore_ascii_case("INTEGER"),
        ..TableColumn::default()
    };
    let mut next = type_end;
    while next < end {
        let clause = layout::clause(src, next, end);
        match clause.keyword.as_str() {
            "not" => column.not_null = true,
            "generated" | "as" => column.computed = true,
            "default" => column.default = Some(unparenthesised(src, clause.body, clause.end)),
            "primary" | "unique" | "check" | "references" => {
                let columns = vec![name.clone()];
                let given = clause.name.clone();
                if let Some(constraint) = constraint(src, &clause, info, columns, given) {
                    info.constraints.push(constraint);
                }
            }
            _ => {}
        }
        next = clause.end.max(next + 1);
    }
    let is_key = info.constraints.iter().any(|constraint| {
        constraint.kind == ConstraintKind::PrimaryKey && constraint.columns == [name.as_str()]
    });
    column.not_null |= is_key;
    info.columns.push(column);
    Some(())
}

/// The comment right behind the type, which keeps PostgreSQL's spelling.
fn marker(src: &Source<'_>, type_end: usize) -> Option<String> {
    let rest = src.sql.get(src.end_before(type_end)..src.start(type_end))?;
    let comment = rest.trim_start().strip_prefix("/*")?;
    comment
        .split_once("*/")
        .map(|(inside, _)| inside.trim().to_owned())
}

fn unparenthesised(src: &Source<'_>, from: usize, to: usize) -> String {
    if src.sign(from, "(") && src.partner(from) + 1 == to {
        return src.slice(from + 1, to - 1).to_owned();
    }
    src.slice(from, to).to_owned()
}

fn read_constraint(src: &Source<'_>, at: usize, end: usize, info: &mut TableInfo) -> Option<()> {
    let clause = layout::clause(src, at, end);
    let columns = match clause.keyword.as_str() {
        "primary" | "unique" | "foreign" => layout::column_names(src, clause.body),
        _ => Vec::new(),
    };
    let given = clause.name.clone();
    let constraint = constraint(src, &clause, info, columns, given)?;
    info.constraints.push(constraint);
    Some(())
}

fn constraint(
    src: &Source<'_>,
    clause: &layout::Clause,
    info: &TableInfo,
    columns: Vec<String>,
    given: Option<String>,
) -> Option<Constraint> {
    let (suffix, kind, over) = match clause.keyword.as_str() {
        "primary" => ("pkey", ConstraintKind::PrimaryKey, false),
        "unique" => ("key", ConstraintKind::Unique, true),
        "check" => {
            let expression = unparenthesised(src, clause.body, clause.end);
            ("check", ConstraintKind::Check { expression }, true)
        }
        "references" => ("fkey", foreign_key(src, clause.body, clause.end)?, true),
        "foreign" => {
            let references = (clause.body..clause.end).find(|at| src.is(*at, "REFERENCES"))?;
            ("fkey", foreign_key(src, references + 1, clause.end)?, true)
        }
        _ => return None,
    };
    let checks = matches!(kind, ConstraintKind::Check { .. });
    let name = given.unwrap_or_else(|| {
        let middle = if over && !columns.is_empty() {
            format!("_{}", columns.join("_"))
        } else {
            String::new()
        };
        distinct(info, &format!("{}{middle}_{suffix}", info.name))
    });
    let columns = if checks { Vec::new() } else { columns };
    Some(Constraint {
        name,
        kind,
        columns,
    })
}

/// A name that no constraint of the table has yet: a number is put behind it, as PostgreSQL does.
fn distinct(info: &TableInfo, base: &str) -> String {
    let taken = |name: &str| {
        info.constraints
            .iter()
            .any(|constraint| constraint.name == name)
    };
    if !taken(base) {
        return base.to_owned();
    }
    (1..=info.constraints.len())
        .map(|n| format!("{base}{n}"))
        .find(|name| !taken(name))
        .unwrap_or_else(|| base.to_owned())
}

/// What follows REFERENCES.
fn foreign_key(src: &Source<'_>, at: usize, end: usize) -> Option<ConstraintKind> {
    let table = src.name(at)?;
    let columns = if src.sign(at + 1, "(") {
        layout::column_names(src, at + 1)
    } else {
        Vec::new()
    };
    let action = |what: &str| {
        let on = (at..end).find(|token| src.is(*token, "ON") && src.is(*token + 1, what));
        on.map_or_else(
            || "NO ACTION".to_owned(),
            |on| match src.text(on + 2).to_ascii_uppercase().as_str() {
                word @ ("SET" | "NO") => {
                    format!("{word} {}", src.text(on + 3).to_ascii_uppercase())
                }
                word => word.to_owned(),
            },
        )
    };
    let deferrable =
        (at..end).any(|token| src.is(token, "DEFERRABLE") && !src.is(token - 1, "NOT"));
    let deferred = (at..end).any(|token| src.are(token, &["INITIALLY", "DEFERRED"]));
    Some(ConstraintKind::ForeignKey {
        table,
        columns,
        on_delete: action("DELETE"),
        on_update: action("UPDATE"),
        deferrable,
        deferred,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_translated_table_gives_postgresqls_types_back() {
        let info = parse_create_table(
            "CREATE TABLE t (id INTEGER /*bigint*/ PRIMARY KEY, s INTEGER /*serial*/, j JSON_TEXT, \
             n NUMERIC(10,2) NOT NULL DEFAULT (0), u VARCHAR(20) DEFAULT 'x' UNIQUE, \
             CONSTRAINT fk FOREIGN KEY (s) REFERENCES o (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, \
             CHECK (n > 0), FOREIGN KEY (n) REFERENCES o)",
        )
        .unwrap();
        let types: Vec<_> = info
            .columns
            .iter()
            .map(|c| c.type_name.unwrap().to_string())
            .collect();
        assert_eq!(
            types,
            [
                "bigint",
                "integer",
                "json",
                "numeric(10,2)",
                "character varying(20)"
            ]
        );
        assert!(
            info.columns[0].rowid_alias && info.columns[0].not_null && !info.columns[0].generated
        );
        assert!(info.columns[1].generated && !info.columns[1].rowid_alias);
        assert_eq!(info.columns[3].default.as_deref(), Some("0"));
        assert_eq!(info.columns[4].default.as_deref(), Some("'x'"));
        let names: Vec<_> = info.constraints.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["t_pkey", "t_u_key", "fk", "t_check", "t_n_fkey"]);
        let ConstraintKind::ForeignKey {
            on_delete,
            deferred,
            columns,
            ..
        } = &info.constraints[2].kind
        else {
            panic!()
        };
        assert_eq!(
            (on_delete.as_str(), *deferred, columns.as_slice()),
            ("CASCADE", true, &["id".to_owned()][..])
        );
    }

    #[test]
    fn what_is_not_a_table_gives_nothing() {
        assert!(parse_create_table("CREATE VIEW v AS SELECT 1").is_none());
        assert!(parse_create_table("CREATE TABLE (").is_none());
        assert!(parse_create_table("").is_none());
    }
}
