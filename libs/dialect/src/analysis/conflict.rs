//! ON CONFLICT.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::implied::implies;
use crate::analysis::schema::Relation as Stored;
use crate::analysis::scope::Clause;
use crate::analysis::tree::{Conflict, ConflictTarget, ConflictUpdate, Expr, RelationId, Source};
use crate::error::DialectError;
use crate::syntax::ast::{self, Path};
use crate::syntax::only_expression;

impl Analyzer<'_> {
    pub(crate) fn on_conflict(
        &mut self,
        conflict: &ast::OnConflict,
        stored: &Stored,
    ) -> Result<Conflict, DialectError> {
        let target = self.conflict_target(conflict, stored)?;
        if conflict.update.is_some() && target.is_none() {
            return Err(self
                .error(
                    conflict.at,
                    SqlState::SYNTAX_ERROR,
                    "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                )
                .hint("For example, ON CONFLICT (column_name)."));
        }
        let update = match &conflict.update {
            None => None,
            Some((assignments, filter)) => {
                let excluded = self.enter_excluded(stored)?;
                let assignments = self.assignments(assignments, stored)?;
                let filter = self.condition_of(Clause::Where, filter.as_ref(), "WHERE")?;
                self.level()
                    .items
                    .retain(|item| item.relation != Some(excluded));
                Some(ConflictUpdate {
                    assignments,
                    filter,
                })
            }
        };
        Ok(Conflict { target, update })
    }

    /// The row that could not be inserted; the table may have its name, which then is ambiguous here.
    fn enter_excluded(&mut self, stored: &Stored) -> Result<RelationId, DialectError> {
        let id = self.stored_relation(stored, None)?;
        if let Some(relation) = self.relations.get_mut(id.0) {
            "excluded".clone_into(&mut relation.alias);
            relation.source = Source::Excluded;
        }
        let item = self.item(id, Some("excluded".to_owned()), None);
        self.level().items.push(item);
        Ok(id)
    }

    /// The condition of a partial index that is true wherever this one is, or this one.
    fn index_condition(&mut self, said: Expr, stored: &Stored) -> Expr {
        for written in self.schema.index_conditions(stored) {
            let Ok(Some(tree)) = only_expression(&format!("SELECT {written}")) else {
                continue;
            };
            let condition = self.in_clause(Clause::IndexPredicate, |analyzer| {
                analyzer.condition(&tree, "WHERE")
            });
            if let Ok(condition) = condition
                && implies(&said, &condition)
            {
                return condition;
            }
        }
        said
    }

    fn conflict_target(
        &mut self,
        conflict: &ast::OnConflict,
        stored: &Stored,
    ) -> Result<Option<ConflictTarget>, DialectError> {
        match &conflict.target {
            ast::ConflictTarget::Any => Ok(None),
            ast::ConflictTarget::Constraint(name) => {
                let Some(key) = stored.keys.iter().find(|key| key.name == name.text) else {
                    return Err(DialectError::new(
                        SqlState::UNDEFINED_OBJECT,
                        format!(
                            "constraint \"{}\" for table \"{}\" does not exist",
                            name.text, stored.name
                        ),
                    ));
                };
                let names: Vec<&str> = key
                    .columns
                    .iter()
                    .filter_map(|place| stored.columns.get(*place))
                    .map(|column| column.name.as_str())
                    .collect();
                let terms = names
                    .iter()
                    .map(|column| {
                        let path = Path(vec![ast::Name {
                            text: (*column).to_owned(),
                            at: name.at,
                        }]);
                        self.column(&path, name.at)
                    })
                    .collect::<Result<Vec<Expr>, DialectError>>()?;
                Ok(Some(ConflictTarget {
                    terms,
                    filter: None,
                }))
            }
            ast::ConflictTarget::Terms(terms, filter) => {
                let mut values = Vec::with_capacity(terms.len());
                for term in terms {
                    if term.operator_class.is_some() {
                        return Err(self.unsupported(term.value.at, "an operator class"));
                    }
                    let value =
                        self.in_clause(Clause::Index, |analyzer| analyzer.resolved(&term.value))?;
                    // What is said twice is meant once.
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                let filter = self.condition_of(Clause::IndexPredicate, filter.as_ref(), "WHERE")?;
                let filter = filter.map(|filter| self.index_condition(filter, stored));
                Ok(Some(ConflictTarget {
                    terms: values,
                    filter,
                }))
            }
        }
    }
}
