//! `(row).field`

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::tree::{Body, Call, CommonTableId, Expr, ExprKind, Query, Source};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, Name, Position};

impl Call {
    /// The columns of the rows that a function gives: those of its OUT parameters, else none.
    pub(crate) fn columns(&self) -> Vec<(Type, &'static str)> {
        let element = || {
            let array = self.arguments.first().map(|array| array.ty.id);
            array.and_then(TypeId::element)
        };
        let columns = self.function.out.iter().map(|(id, name)| {
            let id = match *id {
                TypeId::ANYELEMENT => element().unwrap_or(TypeId::TEXT),
                id => id,
            };
            (Type::new(id), *name)
        });
        columns.collect()
    }
}

impl Analyzer<'_> {
    /// A field of a row: of a table's, of one that a set in the select list gives, of one that a query in FROM gives.
    pub(crate) fn field(
        &mut self,
        operand: &ast::Expr,
        field: Option<&Name>,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let Some(field) = field else {
            return Err(self.unsupported(at, "all fields of a composite value"));
        };
        let record = self.resolved(operand)?;
        if record.ty.id.is_composite() {
            return self.field_of_composite(&record, field, at);
        }
        if record.ty.id != TypeId::RECORD {
            return Err(self.error(
                at,
                SqlState::WRONG_OBJECT_TYPE,
                format!(
                    "column notation .{} applied to type {}, which is not a composite type",
                    field.text,
                    record.ty.id.name()
                ),
            ));
        }
        let fields = match &record.kind {
            ExprKind::Row { fields, names } => self.named_here(fields, names),
            _ => self.fields_of(&record),
        };
        let found = fields.iter().position(|(_, name)| *name == field.text);
        let Some((index, (ty, _))) = found.and_then(|at| Some((at, fields.get(at)?))) else {
            return Err(self.error(
                field.at,
                SqlState::UNDEFINED_COLUMN,
                format!(
                    "could not identify column \"{}\" in record data type",
                    field.text
                ),
            ));
        };
        if let ExprKind::Row { fields, .. } = &record.kind
            && let Some(value) = fields.get(index)
        {
            return Ok(Expr {
                at,
                ..value.clone()
            });
        }
        let kind = ExprKind::Field {
            record: Box::new(record),
            index,
        };
        Ok(Expr::new(*ty, kind, at))
    }

    /// A field of a value of a composite type.
    fn field_of_composite(
        &mut self,
        record: &Expr,
        field: &Name,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let fields = self.fields_of_type(record.ty.id, at)?;
        let found = fields.iter().position(|known| known.name == field.text);
        let Some(index) = found else {
            let of = record.ty.id.name();
            let message = format!("column \"{}\" not found in data type {of}", field.text);
            return Err(self.error(field.at, SqlState::UNDEFINED_COLUMN, message));
        };
        let types: Vec<Type> = fields.iter().map(|field| field.ty).collect();
        Ok(part(record, index, &types, at))
    }

    /// The fields of `(row).*`, with their names.
    pub(crate) fn all_fields(
        &mut self,
        operand: &ast::Expr,
        at: Position,
    ) -> Result<Vec<(String, Expr)>, DialectError> {
        let record = self.resolved(operand)?;
        let fields = if record.ty.id.is_composite() {
            let fields = self.fields_of_type(record.ty.id, at)?.into_iter();
            fields.map(|field| (field.ty, field.name)).collect()
        } else {
            match &record.kind {
                ExprKind::Row { fields, names } => self.named_here(fields, names),
                ExprKind::Call(call) if call.function.returns_set => Vec::new(),
                _ => self.fields_of(&record),
            }
        };
        if fields.is_empty() {
            return Err(self.unsupported(at, "all fields of this value"));
        }
        let types: Vec<Type> = fields.iter().map(|(ty, _)| *ty).collect();
        let named = fields.into_iter().enumerate();
        Ok(named
            .map(|(index, (_, name))| (name, part(&record, index, &types, at)))
            .collect())
    }

    /// Types and names of a row's fields; none where they are not known.
    fn fields_of(&self, record: &Expr) -> Vec<(Type, String)> {
        match &record.kind {
            ExprKind::Call(call) => call
                .columns()
                .into_iter()
                .map(|(ty, name)| (ty, name.to_owned()))
                .collect(),
            ExprKind::Row { fields, names } => named(fields, names),
            ExprKind::Column(column) => {
                let relation = self.relations.get(column.relation.0);
                match relation.map(|relation| &relation.source) {
                    Some(Source::Query(query) | Source::Lateral(query)) => {
                        self.fields_of_column(query, column.column)
                    }
                    Some(Source::CommonTable(table)) => self
                        .row_columns
                        .get(&(*table, column.column))
                        .cloned()
                        .unwrap_or_default(),
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// The fields of a row that a query names itself: those of a table have the names that the query gives its columns.
    fn named_here(&self, fields: &[Expr], names: &[String]) -> Vec<(Type, String)> {
        let mut here = named(fields, names);
        for (value, (_, name)) in fields.iter().zip(&mut here) {
            let ExprKind::Column(column) = value.kind else {
                continue;
            };
            let relation = self.relations.get(column.relation.0);
            let column = relation.and_then(|relation| relation.columns.get(column.column));
            if let Some(column) = column.filter(|column| column.stored_name == *name) {
                name.clone_from(&column.name);
            }
        }
        here
    }

    fn fields_of_column(&self, query: &Query, column: usize) -> Vec<(Type, String)> {
        match &query.body {
            Body::Select(select) => select
                .targets
                .get(column)
                .map_or_else(Vec::new, |target| self.fields_of(target)),
            Body::SetOperation { sides, .. } => self.fields_of_column(&sides[0], column),
            Body::Values(_) => Vec::new(),
        }
    }

    /// Notes the fields of those columns of a common table expression that are rows.
    pub(crate) fn note_row_columns(&mut self, table: CommonTableId, query: &Query) {
        for (index, column) in query.columns.iter().enumerate() {
            if column.ty.id == TypeId::RECORD {
                let fields = self.fields_of_column(query, index);
                self.row_columns.insert((table, index), fields);
            }
        }
    }
}

/// Types and names of a row's fields.
fn named(fields: &[Expr], names: &[String]) -> Vec<(Type, String)> {
    let name = |index: usize| match names.get(index) {
        Some(name) => name.clone(),
        None => format!("f{}", index + 1),
    };
    let fields = fields.iter().enumerate();
    fields
        .map(|(index, value)| (value.ty, name(index)))
        .collect()
}

/// A field of a row by its place.
fn part(record: &Expr, index: usize, types: &[Type], at: Position) -> Expr {
    let ty = types.get(index).copied();
    match &record.kind {
        ExprKind::Row { fields, .. } if fields.len() > index => Expr {
            at,
            ..fields[index].clone()
        },
        _ => {
            let kind = ExprKind::Field {
                record: Box::new(record.clone()),
                index,
            };
            Expr::new(ty.unwrap_or(Type::new(TypeId::TEXT)), kind, at)
        }
    }
}
