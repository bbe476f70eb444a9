//! FROM: what it brings into scope.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::schema::{Relation as Stored, RelationKind, shown_schema};
use crate::analysis::scope::Item;
use crate::analysis::tree::{
    Expr, ExprKind, FromItem, Query, Relation, RelationColumn, RelationId, Source,
};
use crate::error::DialectError;
use crate::stored_name::{self, PUBLIC};
use crate::syntax::ast::{self, Alias, Name, Path, Position};

impl Analyzer<'_> {
    /// The items of FROM, joined by commas.
    pub(crate) fn from(&mut self, items: &[ast::FromItem]) -> Result<Vec<FromItem>, DialectError> {
        let mut result = Vec::with_capacity(items.len());
        for item in items {
            result.push(self.item_of_from(item)?);
        }
        Ok(result)
    }

    pub(crate) fn item_of_from(&mut self, item: &ast::FromItem) -> Result<FromItem, DialectError> {
        match item {
            ast::FromItem::Relation {
                name,
                alias,
                sampled,
                ..
            } => {
                if *sampled {
                    return Err(self.unsupported(at_of(name), "TABLESAMPLE"));
                }
                let id = self.relation(name, alias.as_ref())?;
                let schema = match &self.relations[id.0].source {
                    Source::Table { schema, name, .. } if alias.is_none() => {
                        Some(shown_schema(schema, name).to_owned())
                    }
                    Source::Catalog { schema, .. } if alias.is_none() => Some((*schema).to_owned()),
                    _ => None,
                };
                self.enter(id, schema)?;
                Ok(FromItem::Relation(id))
            }
            ast::FromItem::Query {
                query,
                lateral,
                alias,
            } => self.query_item(query, *lateral, alias.as_ref()),
            ast::FromItem::Function {
                calls,
                ordinality,
                alias,
                at,
                ..
            } => {
                if let ([(call, definitions)], false) = (calls.as_slice(), *ordinality)
                    && definitions.is_empty()
                    && let Some(item) = self.populated(call, alias.as_ref())?
                {
                    return Ok(item);
                }
                self.table_function(calls, *ordinality, alias.as_ref(), *at)
            }
            ast::FromItem::Join(join) => self.join(join),
            ast::FromItem::Unsupported(name, at) => Err(self.unsupported(*at, name)),
        }
    }

    /// A table, a view, or a common table expression.
    fn relation(&mut self, path: &Path, alias: Option<&Alias>) -> Result<RelationId, DialectError> {
        if let [name] = path.0.as_slice()
            && let Some(relation) = self.common_table(name, alias)?
        {
            return Ok(relation);
        }
        let stored = self.stored(path)?;
        self.stored_relation(&stored, alias)
    }

    /// A table or view of the schema; 42P01 if there is none.
    pub(crate) fn stored(&mut self, path: &Path) -> Result<std::rc::Rc<Stored>, DialectError> {
        let (schema, name) = match path.0.as_slice() {
            [name] => (None, name),
            [.., schema, name] => (Some(schema.text.as_str()), name),
            [] => return Err(self.unsupported(Position::default(), "a table without a name")),
        };
        let found = self.relation_in(schema, &name.text).ok_or_else(|| {
            self.error(
                at_of(path),
                SqlState::UNDEFINED_TABLE,
                format!(
                    "relation \"{}\" does not exist",
                    crate::analysis::scope::dotted(path)
                ),
            )
        })?;
        self.catalog |= matches!(
            found.kind,
            RelationKind::Catalog {
                stored: Some(_),
                ..
            }
        );
        Ok(found)
    }

    /// A relation by the names that the statement has.
    pub(crate) fn relation_in(
        &self,
        schema: Option<&str>,
        name: &str,
    ) -> Option<std::rc::Rc<Stored>> {
        match schema {
            Some(place) if place == PUBLIC || self.schema.has_schema(place) => {
                let stored = stored_name::join(place, name);
                self.schema.relation(Some(PUBLIC), &stored)
            }
            schema => self.schema.relation(schema, name),
        }
    }

    pub(crate) fn stored_relation(
        &mut self,
        stored: &Stored,
        alias: Option<&Alias>,
    ) -> Result<RelationId, DialectError> {
        let columns = stored
            .columns
            .iter()
            .map(|column| RelationColumn {
                name: column.name.clone(),
                stored_name: column.name.clone(),
                ty: column.ty,
                not_null: column.not_null,
            })
            .collect();
        let relation = Relation {
            alias: stored.shown_name().to_owned(),
            source: source_of(stored),
            columns,
        };
        self.named(relation, alias)
    }

    /// A relation under the name that the statement gives it.
    pub(crate) fn named(
        &mut self,
        mut relation: Relation,
        alias: Option<&Alias>,
    ) -> Result<RelationId, DialectError> {
        if let Some(alias) = alias {
            if let Some(name) = &alias.name {
                relation.alias.clone_from(&name.text);
            }
            let columns = relation.columns.len();
            if alias.columns.len() > columns {
                return Err(DialectError::new(
                    SqlState::INVALID_COLUMN_REFERENCE,
                    format!(
                        "table \"{}\" has {columns} columns available but {} columns specified",
                        relation.alias,
                        alias.columns.len()
                    ),
                ));
            }
            for (column, name) in relation.columns.iter_mut().zip(&alias.columns) {
                column.name.clone_from(&name.text);
            }
        }
        Ok(self.add_relation(relation))
    }

    /// Brings a relation into scope; 42712 if its name is there already.
    pub(crate) fn enter(
        &mut self,
        id: RelationId,
        schema: Option<String>,
    ) -> Result<(), DialectError> {
        let name = self.relations[id.0].alias.clone();
        let item = self.item(id, Some(name), schema);
        self.enter_item(item)
    }

    /// The items whose names a new one may not have.
    fn named_beside(&mut self) -> impl Iterator<Item = &Item> {
        let level = self.level();
        level.items.iter().skip(level.beside)
    }

    pub(crate) fn enter_item(&mut self, item: Item) -> Result<(), DialectError> {
        let taken = item.name.is_some()
            && self.named_beside().any(|other| {
                other.by_name
                    && other.name == item.name
                    && (other.schema.is_none()
                        || item.schema.is_none()
                        || other.schema == item.schema)
            });
        if taken {
            let name = item.name.unwrap_or_default();
            return Err(DialectError::new(
                SqlState::DUPLICATE_ALIAS,
                format!("table name \"{name}\" specified more than once"),
            ));
        }
        self.level().items.push(item);
        Ok(())
    }

    /// A query in FROM: it sees what stands before it only with LATERAL.
    fn query_item(
        &mut self,
        query: &ast::Query,
        lateral: bool,
        alias: Option<&Alias>,
    ) -> Result<FromItem, DialectError> {
        let before = std::mem::replace(&mut self.level().hidden, !lateral);
        let first = self.relations.len();
        let result = self.subquery(query);
        self.level().hidden = before;
        let result = result?;
        let correlated = lateral && self.reads_beside(&result, first);
        let id = self.query_relation(result, correlated, alias)?;
        self.enter(id, None)?;
        Ok(FromItem::Relation(id))
    }

    /// Whether a query, whose own relations begin at `first`, reads columns of what stands beside it in FROM.
    fn reads_beside(&mut self, query: &Query, first: usize) -> bool {
        let beside: Vec<RelationId> = self
            .level()
            .items
            .iter()
            .filter_map(|item| item.relation)
            .collect();
        let mut found = false;
        let mut visit = |expr: &Expr| {
            if let ExprKind::Column(column) = expr.kind {
                found |= beside.contains(&column.relation);
            }
        };
        query.visit(&mut visit);
        self.visit_sources(first, &mut visit);
        found
    }

    /// Calls `visit` for every expression in the sources of relations from `first` on.
    pub(crate) fn visit_sources(&self, first: usize, visit: &mut dyn FnMut(&Expr)) {
        for relation in self.relations.iter().skip(first) {
            match &relation.source {
                Source::Query(query) | Source::Lateral(query) => query.visit(visit),
                Source::Function(function) => {
                    for value in &function.values {
                        value.visit(visit);
                    }
                }
                Source::Table { .. }
                | Source::Catalog { .. }
                | Source::CommonTable(_)
                | Source::Excluded => {}
            }
        }
    }

    fn query_relation(
        &mut self,
        query: Query,
        correlated: bool,
        alias: Option<&Alias>,
    ) -> Result<RelationId, DialectError> {
        let columns = query
            .columns
            .iter()
            .map(|column| RelationColumn::given(&column.name, column.ty))
            .collect();
        let relation = Relation {
            alias: "unnamed_subquery".to_owned(),
            source: if correlated {
                Source::Lateral(Box::new(query))
            } else {
                Source::Query(Box::new(query))
            },
            columns,
        };
        self.named(relation, alias)
    }
}

fn source_of(stored: &Stored) -> Source {
    match stored.kind {
        RelationKind::Catalog { oid, stored: table } => Source::Catalog {
            oid,
            schema: if is_information_schema(&stored.name) {
                "information_schema"
            } else {
                "pg_catalog"
            },
            stored: table,
        },
        RelationKind::Table | RelationKind::View => Source::Table {
            schema: stored.schema,
            name: stored.name.clone(),
            has_rowid: !stored.without_rowid,
        },
    }
}

/// Every table of `pg_catalog` has a name that begins so.
fn is_information_schema(name: &str) -> bool {
    !name.starts_with("pg_")
}

/// Where a path begins.
pub(crate) fn at_of(path: &Path) -> Position {
    path.0
        .first()
        .map_or_else(Position::default, |name: &Name| name.at)
}
