//! Definitions of tables that another program has made.

use pgtypes::PgType;

use crate::ddl::column::declared;
use crate::ddl::layout::{self, Piece};
use crate::literal::quote_name;
use crate::source::{Edits, Source};

/// Whether a table's rows have SQLite's rowid.
pub fn has_rowid(sql: &str) -> bool {
    let Ok(src) = Source::new(sql) else {
        return true;
    };
    layout::read(&src).is_none_or(|layout| !layout.without_rowid)
}

/// The text of a table under the name `name` with its types declared as they are stored: with the affinity and the
/// collation under which their stored forms compare. `None` if they are.
pub fn stored_table(sql: &str, name: &str) -> Option<String> {
    let src = Source::new(sql).ok()?;
    let layout = layout::read(&src)?;
    let mut edits = Edits::default();
    let mut changed = false;
    for piece in &layout.pieces {
        let Piece::Column { at, end } = *piece else {
            continue;
        };
        let type_end = layout::type_end(&src, at + 1, end);
        let written = src.slice(at + 1, type_end);
        let Some(ty) = PgType::from_declared(written) else {
            continue;
        };
        if ty.declared_as().is_none() && ty.collation().is_none() {
            continue;
        }
        let bare: String = written.split_whitespace().collect();
        let mut next = type_end;
        let mut collated = false;
        while next < end {
            let clause = layout::clause(&src, next, end);
            collated |= clause.keyword == "collate";
            next = clause.end.max(next + 1);
        }
        if bare.eq_ignore_ascii_case(&ty.declaration()) && (collated || ty.collation().is_none()) {
            continue;
        }
        let text = if collated {
            ty.declaration()
        } else {
            declared(&ty)
        };
        edits.replace(src.start(at + 1)..src.end_before(type_end), text);
        changed = true;
    }
    edits.replace(
        src.start(layout.name_at)..src.end_before(layout.name_at + 1),
        name,
    );
    let own = quote_name(&layout.name);
    (changed && own != name).then(|| edits.render(sql, 0..sql.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_declared_as_they_are_stored() {
        let table = "CREATE TABLE t (id INTEGER PRIMARY KEY, n NUMERIC(10,2) NOT NULL, a TEXT)";
        let stored = stored_table(table, "x").unwrap();
        assert!(
            stored.starts_with("CREATE TABLE x (id INTEGER PRIMARY KEY, n "),
            "{stored}"
        );
        assert!(stored.contains("COLLATE pg_numeric NOT NULL"), "{stored}");
        assert_eq!(stored_table(&stored, "y"), None);
        assert_eq!(stored_table("CREATE TABLE t (a TEXT)", "x"), None);
        assert!(has_rowid(table));
        assert!(!has_rowid(
            "CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID"
        ));
    }
}
