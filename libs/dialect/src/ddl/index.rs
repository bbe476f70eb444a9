//! CREATE INDEX.

use pgtypes::SqlState;

use crate::analysis::{self, Purpose};
use crate::ddl::names::chosen_name;
use crate::ddl::place::{Object, quoted};
use crate::ddl::{comment, layout};
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::own_tables::refuse_reserved;
use crate::schema::SchemaView;
use crate::source::{Edits, Source};
use crate::statement::{Notice, Statement, StatementKind};
use crate::syntax;
use crate::translator::Translator;

/// CREATE [UNIQUE] INDEX [CONCURRENTLY] [[IF NOT EXISTS] name] ON [ONLY] table [USING method] (…) [INCLUDE (…)]
/// [WITH (…)] [TABLESPACE t] [WHERE …]; INDEX at `at`.
pub(crate) fn create(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
) -> Result<Statement, DialectError> {
    let mut translator = Translator::new(src, schema);
    let mut next = at + 1;
    let unique = src.is(at - 1, "UNIQUE");
    let concurrently = src.is(next, "CONCURRENTLY");
    next += usize::from(concurrently);
    let if_not_exists = src.are(next, &["IF", "NOT", "EXISTS"]);
    if if_not_exists {
        next += 3;
    }
    let mut given = None;
    if !src.is(next, "ON") {
        given = Some(src.name(next).ok_or_else(|| src.syntax(next))?);
        next += 1;
    }
    if !src.is(next, "ON") {
        return Err(src.syntax(next));
    }
    next += 1;
    next += usize::from(src.is(next, "ONLY"));
    let object = indexed_table(src, schema, next)?;
    if let Some(name) = &given
        && let Some(done) = taken(schema, name, if_not_exists)?
    {
        return Ok(done);
    }
    let (table, mut open) = (object.name.as_str(), object.to);
    let begin = open;
    if src.is(open, "USING") {
        if !src.is_any(open + 1, &["btree", "hash"]) {
            return Err(src.unsupported(
                open + 1,
                &format!("index method \"{}\"", src.text(open + 1)),
            ));
        }
        translator.remove(open, open + 2);
        open += 2;
    }
    if !src.sign(open, "(") {
        return Err(src.syntax(open));
    }
    let close = src.partner(open);
    translator.about(table);
    let names = translator.index_terms(open + 1, close)?;
    translator.index_tail(close + 1)?;
    let name = given.unwrap_or_else(|| {
        chosen_name(table, &names, "idx", &|name| {
            schema.index_table(name).is_some() || schema.columns(name).is_some()
        })
    });
    let text = format!(
        "CREATE {}INDEX {} ON {} {}",
        if unique { "UNIQUE " } else { "" },
        quoted(object.place, &name),
        quote_name(table),
        translator.rendered(begin, src.len())
    );
    let statement = Statement {
        writes: true,
        outside_block: concurrently.then_some("CREATE INDEX CONCURRENTLY"),
        ..Statement::session(StatementKind::Ddl, "CREATE INDEX")
    };
    Ok(translator.finish_with(vec![text], statement))
}

/// The operator classes of B-trees, without `_ops`: their orders are those of the types.
const OPERATOR_CLASSES: &[&str] = &[
    "array",
    "bit",
    "bool",
    "bpchar",
    "bpchar_pattern",
    "bytea",
    "char",
    "cidr",
    "date",
    "enum",
    "float4",
    "float8",
    "inet",
    "int2",
    "int4",
    "int8",
    "interval",
    "jsonb",
    "macaddr",
    "money",
    "name",
    "numeric",
    "oid",
    "record",
    "text",
    "text_pattern",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "uuid",
    "varbit",
    "varchar",
    "varchar_pattern",
];

/// The table behind ON.
fn indexed_table(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
) -> Result<Object, DialectError> {
    let object = Object::read(src, schema, at)?;
    if object.is_elsewhere() {
        return Err(object.no_schema());
    }
    let name = object.name.as_str();
    let found = if object.place == "temp" || !schema.is_temporary(name) {
        schema.table_info(name)
    } else {
        schema.hidden_table(name)
    };
    if found.is_none() && schema.columns(name).is_none() {
        let message = format!("relation \"{}\" does not exist", object.dotted());
        return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
    }
    if found.is_some_and(|info| info.view.is_some()) {
        let message = format!("cannot create index on relation \"{name}\"");
        return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message)
            .detail("This operation is not supported for views."));
    }
    Ok(object)
}

/// What is to be done about a name that another relation has; `None` where none has it.
fn taken(
    schema: &dyn SchemaView,
    name: &str,
    forgiven: bool,
) -> Result<Option<Statement>, DialectError> {
    refuse_reserved(name)?;
    if schema.index_table(name).is_none() && schema.columns(name).is_none() {
        return Ok(None);
    }
    let message = format!("relation \"{name}\" already exists");
    if !forgiven {
        return Err(DialectError::new(SqlState::DUPLICATE_TABLE, message));
    }
    let message = format!("{message}, skipping");
    Ok(Some(Statement {
        notices: vec![Notice::coded(SqlState::DUPLICATE_TABLE, message)],
        ..Statement::accepted("CREATE INDEX")
    }))
}

impl Translator<'_> {
    /// Index terms: expressions, with operator classes and NULLS FIRST or LAST dropped. Gives names for the index.
    fn index_terms(&mut self, at: usize, close: usize) -> Result<Vec<String>, DialectError> {
        let mut names = Vec::new();
        let mut at = at;
        while at < close {
            let end = layout::item_end(self.src, at, close);
            let to = self.term_end(at, end)?;
            if to <= at {
                return Err(self.src.syntax(at));
            }
            if let Some(column) = self.src.name(at).filter(|_| to == at + 1) {
                names.push(column);
            } else {
                names.push(self.term_name(at, to));
                self.typed(at, to, Purpose::IndexTerm)?;
            }
            at = end + 1;
        }
        Ok(names)
    }

    /// The end of a term's expression; what SQLite does not know behind it is dropped.
    fn term_end(&mut self, at: usize, end: usize) -> Result<usize, DialectError> {
        let mut to = end;
        if to >= at + 2
            && self.src.is(to - 2, "NULLS")
            && self.src.is_any(to - 1, &["FIRST", "LAST"])
        {
            self.remove(to - 2, to);
            to -= 2;
        }
        if to > at && self.src.is_any(to - 1, &["ASC", "DESC"]) {
            to -= 1;
        }
        if to > at + 1
            && let Some(name) = self.src.name(to - 1)
            && let Some(kind) = name.strip_suffix("_ops")
        {
            if !OPERATOR_CLASSES.contains(&kind) {
                let message =
                    format!("operator class \"{name}\" does not exist for access method \"btree\"");
                return Err(DialectError::new(SqlState::UNDEFINED_OBJECT, message));
            }
            self.remove(to - 1, to);
            to -= 1;
        }
        Ok(to)
    }

    /// What an expression would be called as a column; `expr` where that says nothing.
    fn term_name(&self, from: usize, to: usize) -> String {
        let text = format!("SELECT {}", self.src.slice(from, to));
        let name = syntax::only_expression(&text).ok().flatten();
        match name.map(|expr| analysis::column_name(&expr)) {
            Some(name) if name != "?column?" => name,
            _ => "expr".to_owned(),
        }
    }

    fn index_tail(&mut self, at: usize) -> Result<(), DialectError> {
        let mut at = at;
        while at < self.src.len() {
            let start = at;
            match self.src.text(at).to_ascii_lowercase().as_str() {
                "include" | "with" if self.src.sign(at + 1, "(") => {
                    at = self.src.partner(at + 1) + 1;
                }
                "tablespace" => at += 2,
                "where" => {
                    self.typed(at + 1, self.src.len(), Purpose::IndexCondition)?;
                    return Ok(());
                }
                "nulls" if self.src.is(at + 1, "DISTINCT") => at += 2,
                "nulls" => return Err(self.src.unsupported(at, "NULLS NOT DISTINCT")),
                _ => return Err(self.src.syntax(at)),
            }
            self.remove(start, at);
        }
        Ok(())
    }
}

/// Whether a text is that of an index of this name.
pub(crate) fn index_named(sql: &str, name: &str) -> bool {
    let Ok(src) = Source::new(sql) else {
        return false;
    };
    let at = 1 + usize::from(src.is(1, "UNIQUE"));
    src.is(at, "INDEX")
        && src
            .name(at + 1)
            .is_some_and(|own| own.eq_ignore_ascii_case(name))
}

/// The same index of another table, under a name of its own; `None` where the text is none of an index.
pub(crate) fn copy_of(
    sql: &str,
    (place, table): (&str, &str),
    taken: &dyn Fn(&str) -> bool,
) -> Result<Option<String>, DialectError> {
    let index = Source::new(sql)?;
    let unique = index.is(1, "UNIQUE");
    let at = 2 + usize::from(unique);
    let on = (at..index.len()).find(|token| index.is(*token, "ON"));
    let (true, Some(on)) = (index.is(at - 1, "INDEX"), on) else {
        return Ok(None);
    };
    let open = (on..index.len()).find(|token| index.sign(*token, "("));
    let open = open.unwrap_or(index.len());
    let mut names = Vec::new();
    let mut term = open + 1;
    while term < index.partner(open) {
        let end = layout::item_end(&index, term, index.partner(open));
        let column = index.name(term).filter(|_| !index.sign(term + 1, "("));
        names.push(column.unwrap_or_else(|| "expr".to_owned()));
        term = end + 1;
    }
    let name = chosen_name(table, &names, "idx", taken);
    Ok(Some(format!(
        "CREATE {}INDEX {} ON {} {}",
        if unique { "UNIQUE " } else { "" },
        quoted(place, &name),
        quote_name(table),
        index.slice(open, index.len())
    )))
}

/// ALTER INDEX [IF EXISTS] name RENAME TO new
pub(crate) fn rename(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    object: &Object,
) -> Result<Statement, DialectError> {
    let at = object.to + 2;
    let new = src.name(at).ok_or_else(|| src.syntax(at))?;
    crate::session::end_at(src, at + 1)?;
    refuse_reserved(&new)?;
    let name = &object.name;
    if schema.index_table(&new).is_some() || schema.columns(&new).is_some() {
        let message = format!("relation \"{new}\" already exists");
        return Err(DialectError::new(SqlState::DUPLICATE_TABLE, message));
    }
    let table = schema.index_table(name).unwrap_or_default();
    for place in ["main", "temp"] {
        let texts = schema.dependents_in(place, &table);
        let Some(text) = texts.iter().find(|sql| index_named(sql, name)) else {
            continue;
        };
        let index = Source::new(text)?;
        let at = 2 + usize::from(index.is(1, "UNIQUE"));
        let mut edits = Edits::default();
        edits.replace(
            index.start(at)..index.end_before(at + 1),
            quoted(place, &new),
        );
        let mut sqlite = vec![
            format!("DROP INDEX {}", quoted(place, name)),
            edits.render(text, 0..text.len()),
        ];
        sqlite.extend(comment::rename_relation(schema, name, &new));
        return Ok(Statement::ddl("ALTER INDEX", sqlite));
    }
    Err(src
        .unsupported(1, "ALTER INDEX … RENAME of a constraint's index")
        .hint("Use ALTER TABLE ... RENAME CONSTRAINT."))
}
