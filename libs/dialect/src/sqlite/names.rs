//! The names that relations, common table expressions and columns have in SQLite's text.

use std::collections::HashSet;

use crate::analysis::Analyzed;
use crate::analysis::tree::{
    Assignment, Body, CommonTable, CommonTableId, Query, Relation, RelationId, Relations, Source,
    Statement,
};

/// All names of a statement.
pub(crate) struct Names {
    /// One a relation.
    aliases: Vec<String>,
    /// One a common table expression, with its columns.
    tables: Vec<(CommonTableId, String, Vec<String>)>,
}

impl Names {
    /// The names of relations alone, where there is no common table expression.
    pub(crate) fn of_relations(relations: &Relations) -> Self {
        Self {
            aliases: aliases(relations, &mut HashSet::new()),
            tables: Vec::new(),
        }
    }

    pub(crate) fn new(analyzed: &Analyzed) -> Self {
        let mut taken = HashSet::new();
        let aliases = aliases(&analyzed.relations, &mut taken);
        let mut tables = Vec::new();
        let mut collect = |table: &CommonTable| {
            let name = unique(&format!("with_{}", table.id.0), &mut taken);
            tables.push((table.id, name, output_names(&table.query)));
        };
        each_common_table(analyzed, &mut collect);
        Self { aliases, tables }
    }

    /// A relation's alias.
    pub(crate) fn alias(&self, id: RelationId) -> &str {
        self.aliases.get(id.0).map_or("", String::as_str)
    }

    /// A common table expression's name and columns.
    pub(crate) fn common_table(&self, id: CommonTableId) -> (&str, &[String]) {
        self.tables
            .iter()
            .find(|(known, ..)| *known == id)
            .map_or(("", &[]), |(_, name, columns)| (name, columns))
    }

    /// A column's name in its relation.
    pub(crate) fn column(&self, relation: &Relation, column: usize) -> String {
        match &relation.source {
            Source::Table { .. } | Source::Catalog { .. } | Source::Excluded => relation
                .columns
                .get(column)
                .map_or_else(String::new, |column| column.stored_name.clone()),
            Source::Query(query) | Source::Lateral(query) => nth(&output_names(query), column),
            Source::CommonTable(id) => nth(self.common_table(*id).1, column),
            Source::Function(_) => format!("c{}", column + 1),
        }
    }
}

fn aliases(relations: &Relations, taken: &mut HashSet<String>) -> Vec<String> {
    relations
        .iter()
        .map(|relation| match relation.source {
            Source::Excluded => "excluded".to_owned(),
            _ => unique(&relation.alias, taken),
        })
        .collect()
}

fn nth(names: &[String], at: usize) -> String {
    names.get(at).cloned().unwrap_or_default()
}

/// A name that differs from all others, also for SQLite, which does not tell case apart.
fn unique(wanted: &str, taken: &mut HashSet<String>) -> String {
    let mut name = wanted.to_owned();
    let mut number = 1;
    while !taken.insert(name.to_ascii_lowercase()) {
        number += 1;
        name = format!("{wanted}_{number}");
    }
    name
}

/// The names of a query's columns in SQLite's text.
pub(crate) fn output_names(query: &Query) -> Vec<String> {
    if let Body::Values(_) = query.body {
        return (1..=query.columns.len())
            .map(|number| format!("column{number}"))
            .collect();
    }
    let mut taken = HashSet::new();
    query
        .columns
        .iter()
        .map(|column| {
            let name = if column.name.is_empty() {
                "c"
            } else {
                &column.name
            };
            unique(name, &mut taken)
        })
        .collect()
}

fn each_common_table(analyzed: &Analyzed, each: &mut dyn FnMut(&CommonTable)) {
    let with = match &analyzed.statement {
        Statement::Query(query) => {
            in_query(query, each);
            &[][..]
        }
        Statement::Insert(insert) => {
            insert.source.iter().for_each(|query| in_query(query, each));
            &insert.with
        }
        Statement::Update(update) => &update.with,
        Statement::Delete(delete) => &delete.with,
    };
    for table in with {
        each(table);
        in_query(&table.query, each);
    }
    for relation in &analyzed.relations {
        if let Source::Query(query) | Source::Lateral(query) = &relation.source {
            in_query(query, each);
        }
    }
    in_expressions(analyzed, each);
}

fn in_query(query: &Query, each: &mut dyn FnMut(&CommonTable)) {
    for table in &query.with {
        each(table);
        in_query(&table.query, each);
    }
    if let Body::SetOperation { sides, .. } = &query.body {
        sides.iter().for_each(|side| in_query(side, each));
    }
    query.visit_top(&mut |expr| in_expr(expr, each));
}

fn in_expr(expr: &crate::analysis::tree::Expr, each: &mut dyn FnMut(&CommonTable)) {
    expr.each_part(&mut |part| in_expr(part, each));
    expr.each_query(&mut |query| in_query(query, each));
}

fn in_expressions(analyzed: &Analyzed, each: &mut dyn FnMut(&CommonTable)) {
    let (filter, returning) = match &analyzed.statement {
        Statement::Query(_) => return,
        Statement::Insert(insert) => {
            let update = insert.on_conflict.as_ref().and_then(|c| c.update.as_ref());
            if let Some(update) = update {
                in_assignments(&update.assignments, each);
            }
            (
                update.and_then(|update| update.filter.as_ref()),
                &insert.returning,
            )
        }
        Statement::Update(update) => {
            in_assignments(&update.assignments, each);
            (update.filter.as_ref(), &update.returning)
        }
        Statement::Delete(delete) => (delete.filter.as_ref(), &delete.returning),
    };
    for expr in filter.into_iter().chain(&returning.values) {
        in_expr(expr, each);
    }
}

fn in_assignments(assignments: &[Assignment], each: &mut dyn FnMut(&CommonTable)) {
    for assignment in assignments {
        match assignment {
            Assignment::One(_, value) => in_expr(value, each),
            Assignment::Several { query, .. } => in_query(query, each),
        }
    }
}
