//! MERGE.

use squawk_parser::SyntaxKind::*;

use super::super::ast::{Merge, MergeAction, MergeWhen, Overriding, QueryBody};
use super::{Lowering, Result, at};
use crate::syntax::fault;
use crate::syntax::tree::Node;

impl Lowering<'_> {
    /// MERGE.
    pub(super) fn lower_merge(&self, node: Node<'_>) -> Result<Merge> {
        let (table, _) = self.relation_name(self.need(node, RELATION_NAME)?)?;
        let using = self.need(node, USING_ON_CLAUSE)?;
        let source = using.nodes().next();
        let source = source.filter(|item| item.kind() != ON_CLAUSE);
        let source = self.item(source.ok_or_else(|| self.syntax_after(using))?)?;
        let mut merge = Merge {
            with: self.with_clause(node)?,
            table,
            alias: None,
            source,
            on: self.clause_value(self.need(using, ON_CLAUSE)?)?,
            whens: Vec::new(),
        };
        for child in node.children() {
            match child.kind() {
                OPTIONAL_AS_ALIAS => merge.alias = Some(self.alias_name(child)?),
                MERGE_WHEN_MATCHED => merge.whens.push(self.when(child, true)?),
                // PostgreSQL 15 has no BY TARGET.
                MERGE_WHEN_NOT_MATCHED_TARGET if !child.has(BY_TARGET) => {
                    merge.whens.push(self.when(child, false)?);
                }
                WITH_CLAUSE | RELATION_NAME | USING_ON_CLAUSE => {}
                MERGE_WHEN_NOT_MATCHED_TARGET | MERGE_WHEN_NOT_MATCHED_SOURCE => {
                    let by = child.child(BY_TARGET).or_else(|| child.child(BY_KW));
                    return Err(self.syntax(by.unwrap_or(child)));
                }
                _ if child.is_token() => {}
                _ => return Err(self.syntax(child)),
            }
        }
        if merge.whens.is_empty() {
            return Err(self.syntax_after(node));
        }
        Ok(merge)
    }

    fn when(&self, node: Node<'_>, matched: bool) -> Result<MergeWhen> {
        let condition = match node.child(MERGE_CONDITION) {
            Some(clause) => Some(self.clause_value(clause)?),
            None => None,
        };
        let action = node.nodes().find(|child| {
            let kinds = [MERGE_UPDATE, MERGE_DELETE, MERGE_INSERT, MERGE_DO_NOTHING];
            kinds.contains(&child.kind())
        });
        let action = action.ok_or_else(|| self.syntax_after(node))?;
        let action = match action.kind() {
            MERGE_UPDATE if matched => {
                MergeAction::Update(self.assignments(self.need(action, SET_CLAUSE)?)?)
            }
            MERGE_DELETE if matched => MergeAction::Delete,
            MERGE_INSERT if !matched => self.merge_insert(action)?,
            MERGE_DO_NOTHING => MergeAction::Nothing,
            _ => return Err(self.syntax(action)),
        };
        Ok(MergeWhen {
            matched,
            condition,
            action,
            at: at(node),
        })
    }

    fn merge_insert(&self, node: Node<'_>) -> Result<MergeAction> {
        let (mut columns, mut overriding) = (Vec::new(), None);
        let mut values = None;
        for child in node.children() {
            match child.kind() {
                COLUMN_TARGET_LIST => columns = self.targets(child)?,
                OVERRIDING_SYSTEM_VALUE => overriding = Some(Overriding::System),
                OVERRIDING_USER_VALUE => overriding = Some(Overriding::User),
                DEFAULT_VALUES if columns.is_empty() && overriding.is_none() => {
                    values = Some(None);
                }
                VALUES => {
                    let query = self.lower_query(child)?;
                    // One row: PostgreSQL's grammar has no second.
                    if let QueryBody::Values(rows) = &query.body
                        && let Some(second) = rows.get(1).and_then(|row| row.first())
                    {
                        let before = self.sql.get(..second.at.0 as usize).unwrap_or_default();
                        let comma = before.rfind(',').unwrap_or_default();
                        return Err(fault::syntax(self.sql, comma));
                    }
                    values = Some(Some(Box::new(query)));
                }
                _ if child.is_token() => {}
                _ => return Err(self.syntax(child)),
            }
        }
        Ok(MergeAction::Insert {
            columns,
            overriding,
            values: values.ok_or_else(|| self.syntax_after(node))?,
        })
    }
}
