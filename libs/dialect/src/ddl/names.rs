//! The names that PostgreSQL makes for what has none.

use crate::stored_name;

/// PostgreSQL's longest name.
const MAX_NAME_BYTES: usize = 63;

/// `table_columns_label`, cut to the length of a name, with a number behind it where that is taken.
pub(crate) fn chosen_name(
    table: &str,
    columns: &[String],
    label: &str,
    taken: &dyn Fn(&str) -> bool,
) -> String {
    let columns = columns.join("_");
    let mut number = 0_usize;
    loop {
        let label = if number == 0 {
            label.to_owned()
        } else {
            format!("{label}{number}")
        };
        let name = object_name(table, &columns, &label);
        if !taken(&name) {
            return name;
        }
        number += 1;
    }
}

/// The longer of the first two names is cut until all of them fit.
pub(crate) fn object_name(table: &str, column: &str, label: &str) -> String {
    let between = if column.is_empty() { 1 } else { 2 };
    let room = MAX_NAME_BYTES.saturating_sub(label.len() + between);
    let (mut one, mut other) = (table.len(), column.len());
    // The schema in a stored name is no part of the name.
    let schema = table.len() - stored_name::base(table).len();
    let room = room + schema;
    while one + other > room {
        if one > other {
            one -= 1;
        } else {
            other -= 1;
        }
    }
    let (table, column) = (cut(table, one), cut(column, other));
    if column.is_empty() {
        format!("{table}_{label}")
    } else {
        format!("{table}_{column}_{label}")
    }
}

fn cut(name: &str, bytes: usize) -> &str {
    (0..=bytes)
        .rev()
        .find_map(|to| name.get(..to))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_where_it_is_longest_and_numbered_where_it_is_taken() {
        let columns = ["a".to_owned(), "b".to_owned()];
        assert_eq!(chosen_name("t", &columns, "key", &|_| false), "t_a_b_key");
        let taken = |name: &str| name == "t_check";
        assert_eq!(chosen_name("t", &[], "check", &taken), "t_check1");
        let long = "a_very_long_table_name_that_goes_on_and_on";
        let column = ["a_very_long_column_name_that_goes_on".to_owned()];
        assert_eq!(
            chosen_name(long, &column, "key", &|_| false),
            "a_very_long_table_name_that_g_a_very_long_column_name_that__key"
        );
    }
}
