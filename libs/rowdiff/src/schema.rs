//! `sqlite_schema` (section 2.6): what there is, and where its trees begin.

use std::sync::Arc;

use crate::change::{Definition, ObjectKind, SchemaChange};
use crate::error::Error;
use crate::node::Tree;
use crate::pages::{Header, Pages};
use crate::payload;
use crate::plan::Root;
use crate::table::{Column, Table};
use crate::value::Value;
use crate::walk::Walk;

/// The root of `sqlite_schema`.
pub(crate) const SCHEMA_ROOT: u32 = 1;

/// The objects of a database at one commit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    objects: Vec<Object>,
}

#[derive(Clone, Debug)]
pub(crate) struct Object {
    kind: ObjectKind,
    name: String,
    table_name: String,
    sql: String,
    /// First page of its tree; 0 for what has none.
    pub(crate) root: u32,
    /// Of a table whose definition can be understood.
    table: Option<Arc<Table>>,
}

/// A table before and after a commit.
pub(crate) type Pair<'a> = (Option<&'a Object>, Option<&'a Object>);

impl Schema {
    pub(crate) fn read(pages: &dyn Pages) -> Result<Self, Error> {
        let Some(header) = Header::read(pages)? else {
            return Ok(Self::default());
        };
        let definition = Table::schema();
        let mut walk = Walk::whole(Root {
            pages,
            usable: header.usable,
            tree: Tree::Table,
            number: SCHEMA_ROOT,
        })?;
        let mut objects = Vec::new();
        while let Some(cell) = walk.next()? {
            let record = payload::read(&cell, pages)?;
            let values = definition.values(cell.page, cell.rowid, &record)?;
            objects.push(Object::new(values).ok_or(Error::Damaged {
                page: cell.page,
                what: "a row of the schema makes no sense",
            })?);
        }
        Ok(Self { objects })
    }

    /// The tables that have rows.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Object> {
        let has_rows = |object: &&Object| object.kind == ObjectKind::Table && object.root != 0;
        self.objects.iter().filter(has_rows)
    }

    /// Which table is which: by name, and what is left by root.
    pub(crate) fn pairs<'a>(&'a self, after: &'a Self) -> Vec<Pair<'a>> {
        let pairs = pair(self, after);
        let has_rows = |object: &Object| object.kind == ObjectKind::Table && object.root != 0;
        let some = |object: Option<&'a Object>| object.filter(|object| has_rows(object));
        let of_tables = pairs.into_iter().map(|(old, new)| (some(old), some(new)));
        of_tables
            .filter(|(old, new)| old.is_some() || new.is_some())
            .collect()
    }

    /// What was created, dropped, renamed and defined anew.
    pub(crate) fn changes(&self, after: &Self) -> Vec<SchemaChange> {
        let change = |(old, new): Pair<'_>| {
            let (before, after) = (old.map(Object::definition), new.map(Object::definition));
            let object = new.or(old).filter(|_| before != after)?;
            Some(SchemaChange {
                kind: object.kind,
                name: object.name.clone(),
                table: object.table_name.clone(),
                before,
                after,
            })
        };
        pair(self, after).into_iter().filter_map(change).collect()
    }
}

/// The objects of two schemas side by side, in the order of the second one; what was dropped comes first.
fn pair<'a>(before: &'a Schema, after: &'a Schema) -> Vec<Pair<'a>> {
    let mut left: Vec<Option<&Object>> = before.objects.iter().map(Some).collect();
    let mut take = |wanted: &dyn Fn(&Object) -> bool| {
        let place = left.iter_mut().find(|old| old.is_some_and(wanted))?;
        place.take()
    };
    let mut pairs: Vec<Pair<'_>> = Vec::with_capacity(after.objects.len());
    for new in &after.objects {
        let same = |old: &Object| old.kind == new.kind && old.name.eq_ignore_ascii_case(&new.name);
        pairs.push((take(&same), Some(new)));
    }
    for (old, new) in &mut pairs {
        let Some(new) = new.filter(|new| old.is_none() && new.root != 0) else {
            continue;
        };
        *old = take(&|old| old.is_renamed(new));
    }
    let dropped = left.into_iter().flatten().map(|old| (Some(old), None));
    let pairs: Vec<Pair<'_>> = dropped.chain(pairs).collect();
    let (stays, goes): (Vec<_>, Vec<_>) =
        pairs.iter().copied().partition(|pair| stays(&pairs, pair));
    // An index or a trigger of a dropped table goes with it, also where another table has one of its name now.
    let gone = goes.iter().map(|(old, _)| (*old, None));
    let come = goes.iter().map(|(_, new)| (None, *new));
    gone.chain(stays).chain(come).collect()
}

/// Whether the table that an object hangs on is the same before and after, under whatever name.
fn stays(pairs: &[Pair<'_>], pair: &Pair<'_>) -> bool {
    let (Some(old), Some(new)) = pair else {
        return true;
    };
    if matches!(old.kind, ObjectKind::Table | ObjectKind::View) {
        return true;
    }
    let is = |object: &Object, name: &str| {
        let kind = matches!(object.kind, ObjectKind::Table | ObjectKind::View);
        kind && object.name.eq_ignore_ascii_case(name)
    };
    pairs.iter().any(|pair| {
        matches!(pair, (Some(one), Some(other)) if is(one, &old.table_name) && is(other, &new.table_name))
    })
}

impl Object {
    fn new(values: Vec<Value>) -> Option<Self> {
        let text = |value: Value| match value {
            Value::Text(bytes) => String::from_utf8(bytes).ok(),
            _ => None,
        };
        let mut values = values.into_iter();
        let kind = ObjectKind::of(text(values.next()?)?.as_bytes())?;
        let name = text(values.next()?)?;
        let table_name = text(values.next()?)?;
        let root = match values.next()? {
            Value::Integer(root) => u32::try_from(root).ok()?,
            Value::Null => 0,
            _ => return None,
        };
        let sql = match values.next()? {
            Value::Null => String::new(),
            value => text(value)?,
        };
        let table = if kind == ObjectKind::Table && root != 0 {
            Table::parse(&name, &sql).ok().map(Arc::new)
        } else {
            None
        };
        Some(Self {
            kind,
            name,
            table_name,
            sql,
            root,
            table,
        })
    }

    /// Errors: its definition can't be understood.
    pub(crate) fn table(&self) -> Result<Arc<Table>, Error> {
        match &self.table {
            Some(table) => Ok(Arc::clone(table)),
            None => Table::parse(&self.name, &self.sql).map(Arc::new),
        }
    }

    /// Whether it can be another one under a new name. A page that was freed may be the first of a new tree at once, so the
    /// columns must be the same, too.
    fn is_renamed(&self, new: &Self) -> bool {
        // Columns may have new names as well, and there may be one more or less at the end.
        let columns = |object: &Self| {
            let columns = object.table.as_ref()?.columns.iter();
            let kind = |column: &Column| (column.declared_type.clone(), column.in_key);
            Some(columns.map(kind).collect::<Vec<_>>())
        };
        let own = |object: &Self| object.name.starts_with("sqlite_");
        let same = self.kind == new.kind && self.root == new.root && !own(self) && !own(new);
        let (Some(old), Some(new)) = (columns(self), columns(new)) else {
            return false;
        };
        same && old.iter().zip(&new).all(|(old, new)| old == new)
    }

    fn definition(&self) -> Definition {
        Definition {
            name: self.name.clone(),
            sql: self.sql.clone(),
        }
    }
}
