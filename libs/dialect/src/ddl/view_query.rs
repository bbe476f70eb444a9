//! The query of a view means what it did when it was written, whatever columns were added, dropped or renamed since.

use std::rc::Rc;

use crate::analysis::schema::{Column, Generated, Key, Relation, Schema};
use crate::analysis::tree::{Relations, Source};
use crate::catalog::{Type, TypeId};
use crate::ddl::view_note::ViewRead;
use crate::stored_name;
use crate::user_type::UserType;

/// A schema in which the relations that a view reads have the columns and the names that they had.
pub(crate) struct AsWritten<'a> {
    pub(crate) schema: &'a dyn Schema,
    pub(crate) reads: &'a [ViewRead],
}

impl Schema for AsWritten<'_> {
    fn user_types(&self) -> Vec<UserType> {
        self.schema.user_types()
    }

    fn context(&self) -> pgtypes::Context {
        self.schema.context()
    }

    fn relation(&self, schema: Option<&str>, name: &str) -> Option<Rc<Relation>> {
        let wanted = match schema {
            Some("pg_temp") => Some(true),
            Some("public") => Some(false),
            Some(_) => return self.schema.relation(schema, name),
            None => None,
        };
        let wanted = |read: &&ViewRead| wanted.is_none_or(|wanted| read.temporary == wanted);
        let mut reads = self.reads.iter().filter(wanted);
        let read = reads.clone().find(|read| read.written == name).or_else(|| {
            // Found on the search path of who made the view.
            let alone = |read: &&ViewRead| stored_name::base(&read.written) == name;
            reads.find(|read| schema.is_none() && !read.temporary && alone(read))
        });
        let Some(read) = read else {
            return self.schema.relation(schema, name);
        };
        let place = if read.temporary { "pg_temp" } else { "public" };
        let found = self.schema.relation(Some(place), &read.name)?;
        Some(Rc::new(as_written(&found, read)))
    }

    fn sequence(&self, schema: Option<&str>, name: &str) -> Option<String> {
        self.schema.sequence(schema, name)
    }

    fn user_type(&self, schema: Option<&str>, name: &str) -> Option<String> {
        self.schema.user_type(schema, name)
    }

    fn has_schema(&self, name: &str) -> bool {
        self.schema.has_schema(name)
    }
}

/// A relation with the columns and names that a query knows.
fn as_written(found: &Relation, read: &ViewRead) -> Relation {
    let column = |[written, now]: &[String; 2]| {
        let current = found.columns.iter().find(|column| column.name == *now);
        Column {
            name: written.clone(),
            ..current.cloned().unwrap_or_else(dropped)
        }
    };
    let key = |key: &Key| {
        let place = |at: &usize| {
            let name = &found.columns.get(*at)?.name;
            read.columns.iter().position(|[_, now]| now == name)
        };
        let columns = key.columns.iter().map(place).collect::<Option<Vec<_>>>()?;
        Some(Key {
            columns,
            ..key.clone()
        })
    };
    Relation {
        name: read.written.clone(),
        columns: read.columns.iter().map(column).collect(),
        keys: found.keys.iter().filter_map(key).collect(),
        ..found.clone()
    }
}

/// A column that is no longer there: the query does not read it.
fn dropped() -> Column {
    Column {
        name: String::new(),
        ty: Type::new(TypeId::TEXT),
        not_null: false,
        default: None,
        rowid: false,
        generated: Generated::No,
    }
}

/// What a query reads that was just written.
pub(crate) fn reads_of(relations: &Relations) -> Vec<ViewRead> {
    let mut reads: Vec<ViewRead> = Vec::new();
    for relation in relations {
        let Source::Table { schema, name, .. } = &relation.source else {
            continue;
        };
        let temporary = *schema == "temp";
        let known = |read: &ViewRead| read.written == *name && read.temporary == temporary;
        if reads.iter().any(known) {
            continue;
        }
        let columns = relation.columns.iter();
        reads.push(ViewRead {
            temporary,
            written: name.clone(),
            name: name.clone(),
            columns: columns
                .map(|column| [column.stored_name.clone(), column.stored_name.clone()])
                .collect(),
        });
    }
    reads
}

/// The relations of an analysed query as they are called now.
pub(crate) fn name_as_now(relations: &mut Relations, reads: &[ViewRead]) {
    for relation in relations {
        let Source::Table { schema, name, .. } = &mut relation.source else {
            continue;
        };
        let temporary = *schema == "temp";
        let mut known = reads.iter();
        let known = known.find(|read| read.written == *name && read.temporary == temporary);
        let Some(read) = known else {
            continue;
        };
        name.clone_from(&read.name);
        for (column, [_, now]) in relation.columns.iter_mut().zip(&read.columns) {
            column.stored_name.clone_from(now);
        }
    }
}
