//! What names mean: the relations of each query level, from the innermost outwards.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::tree::{ColumnRef, Expr, ExprKind, Relation, RelationId, Source, Window};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{Name, Path, Position};

/// The clause that is analysed: some may not hold aggregates, window functions or sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clause {
    Select,
    From,
    JoinOn,
    Where,
    GroupBy,
    Having,
    OrderBy,
    DistinctOn,
    Limit,
    Offset,
    Filter,
    Window,
    Values,
    Update,
    Returning,
    Check,
    Default,
    Index,
    IndexPredicate,
    Generated,
}

impl Clause {
    /// As PostgreSQL names it where it refuses an aggregate.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::From => "functions in FROM",
            Self::JoinOn => "JOIN conditions",
            Self::Where => "WHERE",
            Self::GroupBy => "GROUP BY",
            Self::Having => "HAVING",
            Self::OrderBy => "ORDER BY",
            Self::DistinctOn => "DISTINCT ON",
            Self::Limit => "LIMIT",
            Self::Offset => "OFFSET",
            Self::Filter => "FILTER",
            Self::Window => "window definitions",
            Self::Values => "VALUES",
            Self::Update => "UPDATE",
            Self::Returning => "RETURNING",
            Self::Check => "check constraints",
            Self::Default => "DEFAULT expressions",
            Self::Index => "index expressions",
            Self::IndexPredicate => "index predicates",
            Self::Generated => "column generation expressions",
        }
    }

    /// Whether an aggregate may stand here.
    pub(crate) fn takes_aggregates(self) -> bool {
        matches!(
            self,
            Self::Select | Self::Having | Self::OrderBy | Self::DistinctOn | Self::Window
        )
    }

    /// Whether a window function may stand here.
    pub(crate) fn takes_windows(self) -> bool {
        matches!(self, Self::Select | Self::OrderBy | Self::DistinctOn)
    }
}

/// One query level.
#[derive(Debug, Default)]
pub(crate) struct Level {
    /// What FROM has brought into scope, in its order.
    pub(crate) items: Vec<Item>,
    /// The first of them beside which a name may not occur again: those before stand outside of a join with an alias,
    /// which hides the names inside it.
    pub(crate) beside: usize,
    /// What FROM has brought too, but the condition of a join may not see.
    pub(crate) unseen: Vec<Item>,
    /// A part of FROM is analysed that may not see its neighbours.
    pub(crate) hidden: bool,
    /// An aggregate of this level was seen.
    pub(crate) aggregates: bool,
    /// A window function was seen.
    pub(crate) windows_used: bool,
    /// The WINDOW clause.
    pub(crate) windows: Vec<(Name, Window)>,
    /// What is wrong with a window: told when all the rest of the query is known to be right.
    pub(crate) window_fault: Option<DialectError>,
}

/// A relation or a join by its name.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// `None`: a join without an alias.
    pub(crate) name: Option<String>,
    /// The table's own schema, where it is called by its own name.
    pub(crate) schema: Option<String>,
    /// `name.column` finds it.
    pub(crate) by_name: bool,
    /// `column` finds its columns.
    pub(crate) by_column: bool,
    /// Its columns.
    pub(crate) columns: Vec<ItemColumn>,
    /// The relation it is, unless it is a join.
    pub(crate) relation: Option<RelationId>,
}

/// A column by its name.
#[derive(Debug, Clone)]
pub(crate) struct ItemColumn {
    pub(crate) name: String,
    /// What it stands for: a column, or the merged value of USING.
    pub(crate) value: Expr,
}

impl Analyzer<'_> {
    /// The current query level.
    pub(crate) fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// An item for all columns of a relation.
    pub(crate) fn item(
        &self,
        id: RelationId,
        name: Option<String>,
        schema: Option<String>,
    ) -> Item {
        let relation = &self.relations[id.0];
        let columns = relation
            .columns
            .iter()
            .enumerate()
            .map(|(column, info)| ItemColumn {
                name: info.name.clone(),
                value: Expr {
                    ty: info.ty,
                    kind: ExprKind::Column(ColumnRef {
                        relation: id,
                        column,
                    }),
                    at: Position::default(),
                },
            })
            .collect();
        Item {
            name,
            schema,
            by_name: true,
            by_column: true,
            columns,
            relation: Some(id),
        }
    }

    /// What a column reference means.
    pub(crate) fn column(&mut self, path: &Path, at: Position) -> Result<Expr, DialectError> {
        let found = match path.0.as_slice() {
            [column] => self.unqualified(column)?,
            [table, column] => self.qualified(None, table, column, at)?,
            [schema, table, column] => self.qualified(Some(schema), table, column, at)?,
            _ => {
                return Err(self.error(
                    at,
                    SqlState::FEATURE_NOT_SUPPORTED,
                    format!(
                        "cross-database references are not implemented: {}",
                        dotted(path)
                    ),
                ));
            }
        };
        Ok(Expr { at, ..found })
    }

    fn unqualified(&self, column: &Name) -> Result<Expr, DialectError> {
        for level in self.levels.iter().rev() {
            if level.hidden {
                continue;
            }
            let mut found = None;
            for item in level.items.iter().filter(|item| item.by_column) {
                for candidate in item.columns.iter().filter(|c| c.name == column.text) {
                    if found.is_some() {
                        return Err(self.ambiguous(column));
                    }
                    found = Some(candidate.value.clone());
                }
            }
            if let Some(found) = found {
                return Ok(found);
            }
        }
        if let Some(item) = self.find_item(None, &column.text) {
            return Ok(self.whole_row(item, column.at));
        }
        let items = self.levels.last().map_or(&[][..], |level| &level.items);
        if let [only] = items
            && let Some(number) = self.table_number(only, column)
        {
            return Ok(number);
        }
        Err(self.no_system_column(column).unwrap_or_else(|| {
            self.error(
                column.at,
                SqlState::UNDEFINED_COLUMN,
                format!("column \"{}\" does not exist", column.text),
            )
        }))
    }

    /// `tableoid` of a catalog table.
    fn table_number(&self, item: &Item, column: &Name) -> Option<Expr> {
        match self.relation_of(item)?.source {
            Source::Catalog { oid, .. } if column.text == "tableoid" => {
                Some(Expr::integer(i64::from(oid), TypeId::OID, column.at))
            }
            _ => None,
        }
    }

    fn no_system_column(&self, column: &Name) -> Option<DialectError> {
        let system = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];
        let in_scope = self.levels.iter().any(|level| !level.items.is_empty());
        (in_scope && system.contains(&column.text.as_str()))
            .then(|| self.unsupported(column.at, format!("system column \"{}\"", column.text)))
    }

    fn ambiguous(&self, column: &Name) -> DialectError {
        self.error(
            column.at,
            SqlState::AMBIGUOUS_COLUMN,
            format!("column reference \"{}\" is ambiguous", column.text),
        )
    }

    /// The item of that name, in the innermost level that has one.
    pub(crate) fn find_item(&self, schema: Option<&str>, table: &str) -> Option<&Item> {
        self.levels
            .iter()
            .rev()
            .filter(|level| !level.hidden)
            .find_map(|level| level.items.iter().find(|item| item.is(schema, table)))
    }

    fn qualified(
        &self,
        schema: Option<&Name>,
        table: &Name,
        column: &Name,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let schema = schema.map(|schema| schema.text.as_str());
        let Some(item) = self.find_item(schema, &table.text) else {
            return Err(self.missing_table(table, at));
        };
        if schema.is_none() && self.is_twice(table) {
            let message = format!("table reference \"{}\" is ambiguous", table.text);
            return Err(self.error(at, SqlState::AMBIGUOUS_ALIAS, message));
        }
        let mut found = item.columns.iter().filter(|c| c.name == column.text);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(self.ambiguous(column)),
            (Some(found), None) => Ok(found.value.clone()),
            (None, _) => self.table_number(item, column).ok_or_else(|| {
                self.no_system_column(column).unwrap_or_else(|| {
                    self.error(
                        at,
                        SqlState::UNDEFINED_COLUMN,
                        format!("column {}.{} does not exist", table.text, column.text),
                    )
                })
            }),
        }
    }

    /// Whether the innermost level that has the name has it more than once, as where the row that could not be inserted
    /// has the name of its table.
    fn is_twice(&self, table: &Name) -> bool {
        let levels = self.levels.iter().rev().filter(|level| !level.hidden);
        let items = |level: &Level| {
            let items = level.items.iter();
            items.filter(|item| item.is(None, &table.text)).count()
        };
        levels.map(items).find(|count| *count > 0) > Some(1)
    }

    /// 42P01 for a table that is not in FROM, or that may not be seen from here.
    pub(crate) fn missing_table(&self, table: &Name, at: Position) -> DialectError {
        let hidden = self.levels.iter().any(|level| {
            level
                .items
                .iter()
                .chain(&level.unseen)
                .any(|item| item.name.as_deref() == Some(&table.text))
        });
        let by_other_name = self
            .levels
            .iter()
            .rev()
            .flat_map(|level| &level.items)
            .find(|item| {
                item.relation
                    .is_some_and(|id| match &self.relations[id.0].source {
                        Source::Table { name, .. } => *name == table.text,
                        _ => false,
                    })
            });
        let message = if hidden || by_other_name.is_some() {
            format!(
                "invalid reference to FROM-clause entry for table \"{}\"",
                table.text
            )
        } else {
            format!("missing FROM-clause entry for table \"{}\"", table.text)
        };
        let error = self.error(at, SqlState::UNDEFINED_TABLE, message);
        match by_other_name.and_then(|item| item.name.clone()) {
            Some(alias) if !hidden => error.hint(format!(
                "Perhaps you meant to reference the table alias \"{alias}\"."
            )),
            _ if hidden => error.hint(format!(
                "There is an entry for table \"{}\", but it cannot be referenced from this part of the query.",
                table.text
            )),
            _ => error,
        }
    }
}

impl Item {
    fn is(&self, schema: Option<&str>, table: &str) -> bool {
        self.by_name
            && self.name.as_deref() == Some(table)
            && schema.is_none_or(|schema| self.schema.as_deref() == Some(schema))
    }
}

impl Analyzer<'_> {
    /// The row of a relation as a value; of a function that gives single values it is the value.
    fn whole_row(&self, item: &Item, at: Position) -> Expr {
        let source = self.relation_of(item).map(|relation| &relation.source);
        if let (Some(Source::Function(_)), [only]) = (source, item.columns.as_slice()) {
            return only.value.clone();
        }
        self.row_of(item, at)
    }

    /// All columns as a row. A table's row has the names of the table's columns, whatever the statement calls those.
    pub(crate) fn row_of(&self, item: &Item, at: Position) -> Expr {
        let stored = self.relation_of(item).filter(|relation| {
            let source = &relation.source;
            matches!(source, Source::Table { .. } | Source::Catalog { .. })
        });
        let given = || {
            let columns = item.columns.iter();
            columns.map(|column| column.name.clone()).collect()
        };
        let names = stored.map_or_else(given, |relation| {
            let columns = relation.columns.iter();
            columns.map(|column| column.stored_name.clone()).collect()
        });
        let fields = item.columns.iter().map(|column| column.value.clone());
        let fields = fields.collect();
        let kind = ExprKind::Row { fields, names };
        Expr::new(Type::new(TypeId::RECORD), kind, at)
    }

    fn relation_of(&self, item: &Item) -> Option<&Relation> {
        self.relations.get(item.relation?.0)
    }
}

/// A path as it is written.
pub(crate) fn dotted(path: &Path) -> String {
    let names: Vec<&str> = path.0.iter().map(|name| name.text.as_str()).collect();
    names.join(".")
}
