//! Views as PostgreSQL shows them, from the query that the client wrote.

use std::rc::Rc;

use crate::analysis;
use crate::analysis::schema::{Relation, Schema};
use crate::analysis::tree::{Output, Statement};
use crate::catalog::Type;
use crate::deparse;
use crate::known_schema::stored;
use crate::pg_catalog::objects::Text;
use crate::sequence::SequenceInfo;
use crate::syntax;
use crate::table_info::TableInfo;

/// What a view may read.
pub(crate) struct Readable<'a> {
    pub(crate) tables: &'a [TableInfo],
    pub(crate) sequences: &'a [SequenceInfo],
}

impl Readable<'_> {
    /// The query of a view in both ways of showing it; as the client wrote it where something in it can't be shown, or
    /// where it no longer means what it did, as after a column was given another name.
    pub(crate) fn text(&self, view: &TableInfo, written: &str) -> Text {
        self.shown(view, written).unwrap_or_else(|| Text {
            full: written.to_owned(),
            pretty: written.to_owned(),
        })
    }

    fn shown(&self, view: &TableInfo, written: &str) -> Option<Text> {
        let tree = syntax::parse(written).ok()??;
        let analyzed = analysis::analyze(written, &tree, self, &[]).ok()??;
        let Statement::Query(query) = &analyzed.statement else {
            return None;
        };
        let columns: Vec<Output> = view
            .columns
            .iter()
            .map(|column| Output {
                name: column.name.clone(),
                ty: column
                    .type_name
                    .map_or(Type::new(crate::catalog::TypeId::TEXT), Type::from),
            })
            .collect();
        let same = columns.len() == query.columns.len()
            && columns
                .iter()
                .zip(&query.columns)
                .all(|(shown, given)| given.ty.id.is_array() || shown.ty.id == given.ty.id);
        if !same {
            return None;
        }
        let text = |pretty| deparse::query(query, &analyzed.relations, &columns, pretty);
        Some(Text {
            full: text(false)?,
            pretty: text(true)?,
        })
    }
}

impl Schema for Readable<'_> {
    fn relation(&self, schema: Option<&str>, name: &str) -> Option<Rc<Relation>> {
        let temporary = match schema {
            Some("pg_temp") => Some(true),
            Some("public") => Some(false),
            Some(_) => return None,
            None => None,
        };
        let found = self.tables.iter().filter(|table| {
            table.name == name && temporary.is_none_or(|wanted| table.temporary == wanted)
        });
        let table = found.max_by_key(|table| table.temporary)?;
        stored(table, name).map(Rc::new)
    }

    fn is_sequence(&self, name: &str) -> bool {
        self.sequences.iter().any(|sequence| sequence.name == name)
    }
}
