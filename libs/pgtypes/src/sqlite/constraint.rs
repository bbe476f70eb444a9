//! Constraint violations: SQLite names table and columns, PostgreSQL the constraint.

use super::Failure;
use crate::SqlState;

const CHECK: i32 = 275;
const FOREIGN_KEY: i32 = 787;
const NOT_NULL: i32 = 1299;
const PRIMARY_KEY: i32 = 1555;
const TRIGGER: i32 = 1811;
const UNIQUE: i32 = 2067;
const ROWID: i32 = 2579;
const DATATYPE: i32 = 3091;

pub(super) fn failure(extended_code: i32, message: &str) -> Failure {
    // The words behind "… constraint failed: ".
    let subject = message
        .split_once(" constraint failed: ")
        .map_or("", |(_, subject)| subject);
    match extended_code {
        UNIQUE | PRIMARY_KEY | ROWID => unique(extended_code, subject),
        NOT_NULL => not_null(subject),
        FOREIGN_KEY => Failure::new(
            SqlState::FOREIGN_KEY_VIOLATION,
            "insert, update or delete violates a foreign key constraint",
        ),
        CHECK => check(subject),
        // RAISE() in a trigger: the message is the trigger's own.
        TRIGGER => Failure::new(SqlState::RAISE_EXCEPTION, message),
        DATATYPE => super::rules::by_message(message)
            .unwrap_or_else(|| Failure::new(SqlState::DATATYPE_MISMATCH, message)),
        _ => Failure::new(SqlState::INTEGRITY_CONSTRAINT_VIOLATION, message),
    }
}

/// `t.a, t.b` or `index 'name'`.
fn unique(extended_code: i32, subject: &str) -> Failure {
    let (table, columns) = table_and_columns(subject);
    let constraint = match (&table, subject.strip_prefix("index '")) {
        (_, Some(index)) => Some(index.trim_end_matches('\'').to_owned()),
        (Some(table), None) if extended_code == UNIQUE => {
            Some(format!("{table}_{}_key", columns.join("_")))
        }
        (Some(table), None) => Some(format!("{table}_pkey")),
        (None, None) => None,
    };
    let name = constraint.as_deref().unwrap_or_default();
    let message = format!("duplicate key value violates unique constraint \"{name}\"");
    let detail =
        (!columns.is_empty()).then(|| format!("Key ({}) already exists.", columns.join(", ")));
    Failure {
        detail,
        table,
        columns,
        constraint,
        ..Failure::new(SqlState::UNIQUE_VIOLATION, message)
    }
}

/// `t.a`.
fn not_null(subject: &str) -> Failure {
    let (table, columns) = table_and_columns(subject);
    let message = match (&table, columns.first()) {
        (Some(table), Some(column)) => format!(
            "null value in column \"{column}\" of relation \"{table}\" violates not-null constraint"
        ),
        _ => "null value violates not-null constraint".to_owned(),
    };
    Failure {
        table,
        columns,
        ..Failure::new(SqlState::NOT_NULL_VIOLATION, message)
    }
}

/// A constraint's name, or the text of the condition of one that has none.
fn check(subject: &str) -> Failure {
    let of_domain = subject.strip_prefix("domain ");
    if let Some((domain, name)) = of_domain.and_then(|rest| rest.split_once(": ")) {
        return domain_check(domain, name);
    }
    let message = format!("new row violates check constraint \"{subject}\"");
    let constraint = (!subject.is_empty()).then(|| subject.to_owned());
    Failure {
        constraint,
        ..Failure::new(SqlState::CHECK_VIOLATION, message)
    }
}

/// A check that a column has from its domain; one of them stands for NOT NULL.
fn domain_check(domain: &str, name: &str) -> Failure {
    if name == "not null" {
        let message = format!("domain {domain} does not allow null values");
        return Failure::new(SqlState::NOT_NULL_VIOLATION, message);
    }
    let message = format!("value for domain {domain} violates check constraint \"{name}\"");
    Failure {
        constraint: Some(name.to_owned()),
        ..Failure::new(SqlState::CHECK_VIOLATION, message)
    }
}

fn table_and_columns(subject: &str) -> (Option<String>, Vec<String>) {
    if subject.starts_with("index '") {
        return (None, Vec::new());
    }
    let pairs: Vec<(&str, &str)> = subject
        .split(", ")
        .filter_map(|name| name.rsplit_once('.'))
        .collect();
    let table = pairs.first().map(|(table, _)| (*table).to_owned());
    (
        table,
        pairs
            .into_iter()
            .map(|(_, column)| column.to_owned())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Failure, failure};
    use super::{CHECK, FOREIGN_KEY, NOT_NULL, PRIMARY_KEY, ROWID, TRIGGER, UNIQUE};
    use crate::SqlState;

    fn of(extended_code: i32, message: &str) -> Failure {
        failure(19, extended_code, message)
    }

    #[test]
    fn a_unique_violation_names_table_columns_and_constraint() {
        let failure = of(
            UNIQUE,
            "UNIQUE constraint failed: orders.shop, orders.number",
        );
        assert_eq!(failure.sqlstate, SqlState::UNIQUE_VIOLATION);
        assert_eq!(
            failure.message,
            "duplicate key value violates unique constraint \"orders_shop_number_key\""
        );
        assert_eq!(
            failure.detail.unwrap(),
            "Key (shop, number) already exists."
        );
        assert_eq!(failure.table.unwrap(), "orders");
        assert_eq!(failure.columns, ["shop", "number"]);
        assert_eq!(failure.constraint.unwrap(), "orders_shop_number_key");
    }

    #[test]
    fn a_primary_key_violation_names_the_primary_key() {
        for code in [PRIMARY_KEY, ROWID] {
            let failure = of(code, "UNIQUE constraint failed: orders.id");
            assert_eq!(failure.constraint.as_deref(), Some("orders_pkey"));
        }
    }

    #[test]
    fn a_unique_index_on_an_expression_is_named_itself() {
        let failure = of(UNIQUE, "UNIQUE constraint failed: index 'orders_lower'");
        assert_eq!(
            failure.message,
            "duplicate key value violates unique constraint \"orders_lower\""
        );
        assert_eq!((failure.table, failure.detail), (None, None));
    }

    #[test]
    fn the_other_constraints_have_codes_of_their_own() {
        let failure = of(NOT_NULL, "NOT NULL constraint failed: orders.placed");
        assert_eq!(failure.sqlstate, SqlState::NOT_NULL_VIOLATION);
        assert_eq!(
            failure.message,
            "null value in column \"placed\" of relation \"orders\" violates not-null constraint"
        );
        assert_eq!(failure.columns, ["placed"]);
        let failure = of(CHECK, "CHECK constraint failed: price_positive");
        assert_eq!(failure.sqlstate, SqlState::CHECK_VIOLATION);
        assert_eq!(
            failure.message,
            "new row violates check constraint \"price_positive\""
        );
        assert_eq!(failure.constraint.unwrap(), "price_positive");
        let failure = of(
            CHECK,
            "CHECK constraint failed: domain posint: posint_check",
        );
        assert_eq!(
            failure.message,
            "value for domain posint violates check constraint \"posint_check\""
        );
        let failure = of(CHECK, "CHECK constraint failed: domain posint: not null");
        assert_eq!(failure.sqlstate, SqlState::NOT_NULL_VIOLATION);
        assert_eq!(failure.message, "domain posint does not allow null values");
        let failure = of(FOREIGN_KEY, "FOREIGN KEY constraint failed");
        assert_eq!(failure.sqlstate, SqlState::FOREIGN_KEY_VIOLATION);
        let failure = of(TRIGGER, "stock is empty");
        assert_eq!(
            (failure.sqlstate, failure.message.as_str()),
            (SqlState::RAISE_EXCEPTION, "stock is empty")
        );
        let failure = of(3091, "cannot store TEXT value in INTEGER column orders.id");
        assert_eq!(failure.sqlstate, SqlState::DATATYPE_MISMATCH);
        assert_eq!(
            failure.message,
            "column \"id\" is of type integer but expression is of type text"
        );
        assert_eq!(
            of(19, "constraint failed").sqlstate,
            SqlState::INTEGRITY_CONSTRAINT_VIOLATION
        );
    }

    #[test]
    fn a_message_without_a_subject_does_no_harm() {
        for code in [UNIQUE, PRIMARY_KEY, NOT_NULL, CHECK, FOREIGN_KEY] {
            for message in [
                "",
                "UNIQUE constraint failed: ",
                "UNIQUE constraint failed: index '",
                "x constraint failed: , ,.",
            ] {
                assert_eq!(of(code, message).sqlstate.class(), "23");
            }
        }
    }
}
