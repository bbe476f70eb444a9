//! INSERT, UPDATE, DELETE.

use squawk_parser::SyntaxKind::*;

use super::super::ast::{
    Assignment, AssignmentTarget, ConflictTarget, ConflictTerm, Delete, Expr, ExprKind, Filter,
    Insert, Name, OnConflict, Overriding, Target, Update,
};
use super::chain::query_in;
use super::names::Place;
use super::{Lowering, Result, at, expr, is_query};
use crate::syntax::tree::Node;

impl Lowering<'_> {
    /// INSERT.
    pub(super) fn lower_insert(&self, node: Node<'_>) -> Result<Insert> {
        let table = self.relation_path(self.need(node, RELATION_NAME_REF)?)?;
        let mut insert = Insert {
            with: self.with_clause(node)?,
            table,
            alias: None,
            columns: Vec::new(),
            overriding: None,
            source: None,
            on_conflict: None,
            returning: Vec::new(),
        };
        let mut source = false;
        for child in node.children() {
            match child.kind() {
                WITH_CLAUSE | RELATION_NAME_REF => {}
                REQUIRED_AS_ALIAS => insert.alias = Some(self.alias_name(child)?),
                COLUMN_TARGET_LIST => insert.columns = self.targets(child)?,
                OVERRIDING_SYSTEM_VALUE => insert.overriding = Some(Overriding::System),
                OVERRIDING_USER_VALUE => insert.overriding = Some(Overriding::User),
                DEFAULT_VALUES => {
                    if !insert.columns.is_empty() || insert.overriding.is_some() {
                        return Err(self.syntax(child));
                    }
                    source = true;
                }
                ON_CONFLICT_CLAUSE if source => {
                    insert.on_conflict = Some(self.on_conflict(child)?);
                }
                RETURNING_CLAUSE if source => insert.returning = self.returning(child)?,
                kind if is_query(kind) => {
                    insert.source = Some(Box::new(self.lower_query(child)?));
                    source = true;
                }
                _ if child.is_token() => {}
                _ => return Err(self.syntax(child)),
            }
        }
        if !source {
            return Err(self.syntax_after(node));
        }
        Ok(insert)
    }

    /// UPDATE.
    pub(super) fn lower_update(&self, node: Node<'_>) -> Result<Update> {
        let (table, _) = self.relation_name(self.need(node, RELATION_NAME)?)?;
        let mut update = Update {
            with: self.with_clause(node)?,
            table,
            alias: None,
            assignments: Vec::new(),
            from: Vec::new(),
            filter: Filter::None,
            returning: Vec::new(),
        };
        for child in node.children() {
            match child.kind() {
                OPTIONAL_AS_ALIAS => update.alias = Some(self.alias_name(child)?),
                SET_CLAUSE => update.assignments = self.assignments(child)?,
                FROM_CLAUSE => update.from = self.lower_from(child)?,
                WHERE_CLAUSE | WHERE_CURRENT_OF => update.filter = self.filter(child)?,
                RETURNING_CLAUSE => update.returning = self.returning(child)?,
                WITH_CLAUSE | RELATION_NAME => {}
                _ if child.is_token() => {}
                _ => return Err(self.syntax(child)),
            }
        }
        if update.assignments.is_empty() {
            return Err(self.syntax_after(node));
        }
        Ok(update)
    }

    /// DELETE.
    pub(super) fn lower_delete(&self, node: Node<'_>) -> Result<Delete> {
        let (table, _) = self.relation_name(self.need(node, RELATION_NAME)?)?;
        let mut delete = Delete {
            with: self.with_clause(node)?,
            table,
            alias: None,
            using: Vec::new(),
            filter: Filter::None,
            returning: Vec::new(),
        };
        for child in node.children() {
            match child.kind() {
                OPTIONAL_AS_ALIAS => delete.alias = Some(self.alias_name(child)?),
                USING_CLAUSE => delete.using = self.lower_from(child)?,
                WHERE_CLAUSE | WHERE_CURRENT_OF => delete.filter = self.filter(child)?,
                RETURNING_CLAUSE => delete.returning = self.returning(child)?,
                WITH_CLAUSE | RELATION_NAME => {}
                _ if child.is_token() => {}
                _ => return Err(self.syntax(child)),
            }
        }
        Ok(delete)
    }

    fn alias_name(&self, node: Node<'_>) -> Result<Name> {
        let name = self.need(node, TABLE_ALIAS)?;
        // without AS the word SET begins the clause
        if name.start() == node.start() && name.children().any(|word| word.kind() == SET_KW) {
            return Err(self.syntax(name));
        }
        self.column_name(name)
    }

    fn filter(&self, node: Node<'_>) -> Result<Filter> {
        if node.kind() == WHERE_CLAUSE {
            return Ok(Filter::Where(self.clause_value(node)?));
        }
        let cursor = node.nodes().next();
        let cursor = cursor.ok_or_else(|| self.syntax_after(node))?;
        Ok(Filter::CurrentOf(self.column_name(cursor)?))
    }

    fn returning(&self, node: Node<'_>) -> Result<Vec<Target>> {
        if let Some(options) = node.child(RETURNING_OPTION_LIST) {
            return Err(self.syntax(options));
        }
        self.lower_targets(self.need(node, TARGET_LIST)?)
    }

    /// `(a, b)` of columns that are assigned to.
    fn targets(&self, node: Node<'_>) -> Result<Vec<AssignmentTarget>> {
        self.check_commas(node)?;
        let mut targets = Vec::new();
        for target in node.nodes() {
            targets.push(self.assignment_target(target)?);
        }
        if targets.is_empty() {
            return Err(self.syntax_close(node));
        }
        Ok(targets)
    }

    fn assignment_target(&self, node: Node<'_>) -> Result<AssignmentTarget> {
        let mut target = AssignmentTarget {
            column: self.column_name(self.need(node, COLUMN_NAME_REF)?)?,
            partial: false,
            subscripts: Vec::new(),
        };
        for accessor in node.nodes().skip(1) {
            if accessor.kind() == FIELD_ACCESSOR {
                target.partial = true;
                if let Some(name) = accessor.child(COMPOSITE_FIELD_REF) {
                    self.lower_name(name, Place::Label)?;
                }
                continue;
            }
            target.subscripts.push(self.subscript(accessor)?);
        }
        Ok(target)
    }

    /// SET.
    fn assignments(&self, node: Node<'_>) -> Result<Vec<Assignment>> {
        let list = self.need(node, SET_COLUMN_LIST)?;
        self.check_commas(list)?;
        let mut assignments = Vec::new();
        for item in list.nodes() {
            assignments.push(self.assignment(item)?);
        }
        if assignments.is_empty() {
            return Err(self.syntax_after(node));
        }
        Ok(assignments)
    }

    fn assignment(&self, node: Node<'_>) -> Result<Assignment> {
        if node.kind() == SET_SINGLE_COLUMN {
            let target = self.assignment_target(self.need(node, COLUMN_TARGET)?)?;
            self.check_sign(self.need(node, EQ)?)?;
            let value = self.set_value(self.need(node, SET_EXPR)?)?;
            return Ok(Assignment::One(target, value));
        }
        let targets = self.targets(self.need(node, COLUMN_TARGET_LIST)?)?;
        let source = node.nodes().nth(1).ok_or_else(|| self.syntax_after(node))?;
        let value = if source.kind() == SET_EXPR_LIST {
            self.check_commas(source)?;
            let mut fields = Vec::new();
            for field in source.nodes() {
                fields.push(self.set_value(field)?);
            }
            let explicit = source.has(ROW_KW);
            match fields.len() {
                // (a) = (1) is the value in parentheses
                1 if !explicit => fields.swap_remove(0),
                _ => expr(
                    ExprKind::Row { fields, explicit },
                    at(source),
                    source.start(),
                    source.end(),
                ),
            }
        } else {
            let query = query_in(source).ok_or_else(|| self.syntax(source))?;
            let query = Box::new(self.lower_query(query)?);
            expr(
                ExprKind::Subquery(query),
                at(source),
                source.start(),
                source.end(),
            )
        };
        Ok(Assignment::Several(targets, value))
    }

    fn set_value(&self, node: Node<'_>) -> Result<Expr> {
        let value = node
            .children()
            .next()
            .ok_or_else(|| self.syntax_after(node))?;
        if value.kind() == DEFAULT_KW {
            let (from, to) = (value.start(), value.end());
            return Ok(expr(ExprKind::Default, at(value), from, to));
        }
        self.lower_expr(value)
    }

    /// ON CONFLICT.
    fn on_conflict(&self, node: Node<'_>) -> Result<OnConflict> {
        let mut conflict = OnConflict {
            target: ConflictTarget::Any,
            update: None,
            at: at(node),
        };
        for child in node.nodes() {
            match child.kind() {
                CONFLICT_ON_INDEX => conflict.target = self.conflict_terms(child)?,
                CONFLICT_ON_CONSTRAINT => {
                    let name = self.need(child, CONSTRAINT_NAME_REF)?;
                    let path = name.child(PATH_REF).unwrap_or(name);
                    let mut names = self.lower_path(path, Place::Column)?.0;
                    if let (Some(name), true) = (names.pop(), names.is_empty()) {
                        conflict.target = ConflictTarget::Constraint(name);
                    } else {
                        return Err(
                            self.syntax_after(super::names::first_token(path).unwrap_or(path))
                        );
                    }
                }
                CONFLICT_DO_NOTHING => {}
                CONFLICT_DO_UPDATE_SET => {
                    let assignments = self.assignments(self.need(child, SET_CLAUSE)?)?;
                    let filter = match child.child(WHERE_CLAUSE) {
                        Some(clause) => Some(self.clause_value(clause)?),
                        None => None,
                    };
                    conflict.update = Some((assignments, filter));
                }
                _ => return Err(self.syntax(child)),
            }
        }
        Ok(conflict)
    }

    fn conflict_terms(&self, node: Node<'_>) -> Result<ConflictTarget> {
        let list = self.need(node, CONFLICT_INDEX_ITEM_LIST)?;
        self.check_commas(list)?;
        let mut terms = Vec::new();
        for item in list.nodes() {
            let mut value = item.nodes().next().ok_or_else(|| self.syntax_after(item))?;
            let mut collation = None;
            if value.kind() == COLLATE {
                let path = self.need(self.need(value, COLLATION_REF)?, PATH_REF)?;
                collation = Some(self.lower_path(path, Place::Column)?);
                value = value.nodes().next().ok_or_else(|| self.syntax(item))?;
            }
            if !matches!(value.kind(), NAME_REF | CALL_EXPR | PAREN_EXPR) {
                return Err(self.syntax_after(super::names::first_token(value).unwrap_or(value)));
            }
            let operator_class = match item.child(OP_CLASS_REF) {
                Some(class) => Some(self.lower_path(self.need(class, PATH_REF)?, Place::Column)?),
                None => None,
            };
            terms.push(ConflictTerm {
                value: self.lower_expr(value)?,
                collation,
                operator_class,
            });
        }
        let filter = match node.child(WHERE_CLAUSE) {
            Some(clause) => Some(self.clause_value(clause)?),
            None => None,
        };
        Ok(ConflictTarget::Terms(terms, filter))
    }
}
