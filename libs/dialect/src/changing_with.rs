//! WITH whose queries change rows. SQLite has none: each change is a statement of its own, which runs before the main one,
//! and what it returns is a parameter of those that read it. As PostgreSQL's, no part sees what another has changed: where
//! one reads a table that another changes, the statement is refused.

use std::collections::HashSet;

use pgtypes::{PgType, SqlState};

use crate::access::Access;
use crate::analysis::tree::{Output, Statement as Tree};
use crate::analysis::{Analyzed, Reads, all_told, analyze_part};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::front;
use crate::known_schema::KnownSchema;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::sqlite;
use crate::statement::{Before, Statement};
use crate::syntax;
use crate::syntax::ast::{self, CommonTable, CommonTableBody, With};
use crate::table_info::ConstraintKind;

/// Whether a statement has such a WITH.
pub(crate) fn is_one(tree: &ast::Statement) -> bool {
    with_of(tree).is_some_and(|with| with.tables.iter().any(|table| change_of(table).is_some()))
}

/// The statement with its changes before it.
pub(crate) fn statement(
    sql: &str,
    tree: &ast::Statement,
    schema: &dyn SchemaView,
    told: &[Option<Type>],
) -> Result<Option<Statement>, DialectError> {
    let Some(with) = with_of(tree) else {
        return Ok(None);
    };
    let count = parameters_in(sql)?.max(told.len());
    let mut told = told.to_vec();
    told.resize(count, None);
    let mut parts = Parts {
        sql,
        schema,
        recursive: with.recursive,
        told,
        count,
        tables: Vec::new(),
        before: Vec::new(),
        done: Vec::new(),
        silent: Vec::new(),
        access: Vec::new(),
    };
    for table in &with.tables {
        match change_of(table) {
            Some(change) => parts.change(table, change)?,
            None => parts.tables.push(table.clone()),
        }
    }
    let mut main = tree.clone();
    set_with(&mut main, Some(parts.with(Vec::new())));
    parts.main(&main).map(Some)
}

/// A part that was analysed: what it changes, and what it reads.
struct Done {
    /// With what its foreign keys change.
    changes: HashSet<String>,
    reads: Reads,
}

struct Parts<'a> {
    sql: &'a str,
    schema: &'a dyn SchemaView,
    recursive: bool,
    /// The types of the client's parameters, and behind them those of what was returned.
    told: Vec<Option<Type>>,
    /// How many parameters are the client's.
    count: usize,
    /// What the next part may name.
    tables: Vec<CommonTable>,
    before: Vec<Before>,
    done: Vec<Done>,
    /// Changes that return nothing.
    silent: Vec<String>,
    access: Vec<Access>,
}

impl Parts<'_> {
    fn with(&self, own: Vec<CommonTable>) -> With {
        With {
            recursive: self.recursive,
            tables: self.tables.iter().cloned().chain(own).collect(),
        }
    }

    /// A change in WITH.
    fn change(
        &mut self,
        table: &CommonTable,
        mut change: ast::Statement,
    ) -> Result<(), DialectError> {
        let own = with_of(&change).map(|with| with.tables.clone());
        let with = self.with(own.unwrap_or_default());
        set_with(&mut change, Some(with));
        let analyzed = self.analyzed(&change)?;
        let printed = sqlite::print(self.sql, &analyzed)?;
        let outputs = analyzed.columns().to_vec();
        let statement = front::finish(&analyzed, printed)?;
        let columns = statement
            .columns
            .iter()
            .map(|ty| ty.unwrap_or(PgType::Text));
        self.access.extend(statement.access);
        self.before.push(Before {
            columns: columns.collect(),
            text: statement.sqlite.concat(),
            tag: statement.tag,
            catalog: statement.catalog,
            moves_rows: statement.moves_rows,
        });
        self.told.push(Some(Type::new(TypeId::JSON)));
        if outputs.is_empty() {
            self.silent.push(table.name.text.clone());
            return Ok(());
        }
        self.tables.push(CommonTable {
            body: CommonTableBody::Query(returned(&outputs, self.told.len())?),
            ..table.clone()
        });
        Ok(())
    }

    /// The statement itself.
    fn main(mut self, main: &ast::Statement) -> Result<Statement, DialectError> {
        let mut analyzed = self.analyzed(main)?;
        self.check()?;
        let types = self.told.get(..self.count).unwrap_or_default();
        analyzed.parameters = all_told(types)?;
        let printed = sqlite::print(self.sql, &analyzed)?;
        let mut statement = front::finish(&analyzed, printed)?;
        self.access.append(&mut statement.access);
        Ok(Statement {
            writes: true,
            access: self.access,
            by_key: false,
            only_inserts: false,
            catalog: statement.catalog || self.before.iter().any(|part| part.catalog),
            moves_rows: statement.moves_rows || self.before.iter().any(|part| part.moves_rows),
            before: self.before,
            ..statement
        })
    }

    fn analyzed(&mut self, part: &ast::Statement) -> Result<Analyzed, DialectError> {
        let found = analyze_part(self.sql, part, &KnownSchema(self.schema), &self.told);
        let found = found.map_err(|error| self.explained(error))?;
        let Some((analyzed, told)) = found else {
            return Err(DialectError::unsupported("a data-modifying WITH"));
        };
        self.told = told;
        let mut reads = analyzed.reads();
        for view in reads.tables.clone() {
            self.read_by(&view, &mut reads.tables);
        }
        let mut changes = HashSet::new();
        if let Some(table) = analyzed.changed_table() {
            self.changed_with(table, Acts::of(&analyzed), &mut changes);
        }
        self.done.push(Done { changes, reads });
        Ok(analyzed)
    }

    /// What can't be named because it returns nothing is there all the same.
    fn explained(&self, error: DialectError) -> DialectError {
        let missing =
            |name: &&String| error.message == format!("relation \"{name}\" does not exist");
        match self.silent.iter().find(missing) {
            Some(name) => DialectError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("WITH query \"{name}\" does not have a RETURNING clause"),
            ),
            None => error,
        }
    }

    /// The parts run one after the other, and each has to see what there was before all of them.
    fn check(&self) -> Result<(), DialectError> {
        for (place, part) in self.done.iter().enumerate() {
            for later in self.done.iter().skip(place + 1) {
                let seen = part.changes.intersection(&later.reads.tables).next();
                if let Some(table) = seen {
                    return Err(DialectError::unsupported(format!(
                        "a WITH that changes \"{table}\", which the statement reads as well,"
                    )));
                }
                let both = part
                    .reads
                    .volatile
                    .intersection(&later.reads.volatile)
                    .next();
                if let Some(name) = both {
                    return Err(DialectError::unsupported(format!(
                        "a data-modifying WITH beside \"{name}\", which gives other rows each time,"
                    )));
                }
            }
        }
        Ok(())
    }

    /// What a view reads.
    fn read_by(&self, view: &str, found: &mut HashSet<String>) {
        let Some(info) = self
            .schema
            .table_info(view)
            .filter(|info| info.view.is_some())
        else {
            return;
        };
        for read in &info.reads {
            if found.insert(read.name.clone()) {
                self.read_by(&read.name, found);
            }
        }
    }

    /// A table, and those whose rows its foreign keys change with it.
    fn changed_with(&self, table: &str, acts: Acts, found: &mut HashSet<String>) {
        if !found.insert(table.to_owned()) {
            return;
        }
        for (_, info) in self.schema.referrers(table) {
            let follow = info
                .constraints
                .iter()
                .any(|key| acts.reach(table, &key.kind));
            if follow {
                let all = Acts {
                    deletes: true,
                    updates: true,
                };
                self.changed_with(&info.name, all, found);
            }
        }
    }
}

/// What a change does to rows that are there.
#[derive(Debug, Clone, Copy)]
struct Acts {
    deletes: bool,
    updates: bool,
}

impl Acts {
    fn of(analyzed: &Analyzed) -> Self {
        let (deletes, updates) = match &analyzed.statement {
            Tree::Query(_) => (false, false),
            Tree::Insert(insert) => (false, insert.on_conflict.is_some()),
            Tree::Update(_) => (false, true),
            Tree::Delete(_) => (true, false),
        };
        Self { deletes, updates }
    }

    /// Whether it changes rows that refer to those of the table.
    fn reach(self, table: &str, constraint: &ConstraintKind) -> bool {
        let ConstraintKind::ForeignKey {
            table: parent,
            on_delete,
            on_update,
            ..
        } = constraint
        else {
            return false;
        };
        let acts = |action: &str| {
            let none = ["", "NO ACTION", "RESTRICT"];
            !none.iter().any(|none| none.eq_ignore_ascii_case(action))
        };
        parent.eq_ignore_ascii_case(table)
            && ((self.deletes && acts(on_delete)) || (self.updates && acts(on_update)))
    }
}

/// The query that reads what a change has returned, from the parameter of that number.
fn returned(outputs: &[Output], parameter: usize) -> Result<Box<ast::Query>, DialectError> {
    let numbered = outputs.iter().enumerate();
    let (mut values, mut columns) = (Vec::new(), Vec::new());
    for (place, output) in numbered {
        let name = crate::literal::quote_name(&output.name);
        values.push(format!("CAST(c{place} AS {}) AS {name}", output.ty));
        columns.push(format!("c{place} text"));
    }
    let text = format!(
        "SELECT {} FROM json_to_recordset(${parameter}) AS returned({})",
        values.join(", "),
        columns.join(", ")
    );
    // A place in this text is none of the client's.
    let parsed = syntax::parse(&text);
    match parsed.map_err(|error| DialectError::new(error.sqlstate, error.message))? {
        Some(ast::Statement::Query(query)) => Ok(query),
        _ => Err(DialectError::unsupported("a data-modifying WITH")),
    }
}

/// The largest number of a parameter in a text.
fn parameters_in(sql: &str) -> Result<usize, DialectError> {
    let src = Source::new(sql)?;
    let number = |at| src.text(at).strip_prefix('$')?.parse::<usize>().ok();
    Ok((0..src.len()).filter_map(number).max().unwrap_or(0))
}

fn with_of(statement: &ast::Statement) -> Option<&With> {
    match statement {
        ast::Statement::Query(query) => query.with.as_ref(),
        ast::Statement::Insert(insert) => insert.with.as_ref(),
        ast::Statement::Update(update) => update.with.as_ref(),
        ast::Statement::Delete(delete) => delete.with.as_ref(),
        ast::Statement::Other(_) => None,
    }
}

fn set_with(statement: &mut ast::Statement, with: Option<With>) {
    let with = with.filter(|with| !with.tables.is_empty());
    match statement {
        ast::Statement::Query(query) => query.with = with,
        ast::Statement::Insert(insert) => insert.with = with,
        ast::Statement::Update(update) => update.with = with,
        ast::Statement::Delete(delete) => delete.with = with,
        ast::Statement::Other(_) => {}
    }
}

/// The statement that a common table expression is, if it changes rows.
fn change_of(table: &CommonTable) -> Option<ast::Statement> {
    match &table.body {
        CommonTableBody::Insert(insert) => Some(ast::Statement::Insert(insert.clone())),
        CommonTableBody::Update(update) => Some(ast::Statement::Update(update.clone())),
        CommonTableBody::Delete(delete) => Some(ast::Statement::Delete(delete.clone())),
        CommonTableBody::Query(_) | CommonTableBody::Merge => None,
    }
}
