//! Columns and constraints of CREATE TABLE and ALTER TABLE … ADD.

use pgtypes::{PgType, SqlState};

use crate::analysis::Purpose;
use crate::catalog::{Type, TypeId};
use crate::ddl::counting::{self, Counting};
use crate::ddl::layout::{self, Clause};
use crate::ddl::names::chosen_name;
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::stored_name;
use crate::translator::Translator;

/// The collation behind a type.
pub(crate) fn collated(ty: &PgType) -> String {
    let collation = ty.collation();
    collation.map_or_else(String::new, |collation| format!(" COLLATE {collation}"))
}

/// A type as SQLite's text of a table says it: with the collation under which its stored form is compared.
pub(crate) fn declared(ty: &PgType) -> String {
    format!("{}{}", ty.declaration(), collated(ty))
}

/// What a column's definition says about it.
#[derive(Debug, Default)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) ty: Option<PgType>,
    pub(crate) counting: Option<Counting>,
    /// NOT NULL was written.
    pub(crate) not_null: bool,
    /// Its type is a domain.
    pub(crate) domain: bool,
}

impl Translator<'_> {
    /// Translates the column definition in tokens `at..end`. `key`: the column alone is the primary key.
    pub(crate) fn column_definition(
        &mut self,
        at: usize,
        end: usize,
        key: bool,
    ) -> Result<Definition, DialectError> {
        let name = self.src.name(at).ok_or_else(|| self.src.syntax(at))?;
        let type_end = layout::type_end(self.src, at + 1, end);
        let ty = self.declared_type(at + 1, type_end)?;
        let mut counting = self
            .src
            .slice(at + 1, type_end)
            .to_ascii_lowercase()
            .contains("serial")
            .then_some(Counting::Serial);
        let mut not_null = false;
        let (mut null, mut computed) = (false, false);
        let mut default = false;
        let mut identity_at = None;
        let mut next = type_end;
        while next < end {
            let clause = layout::clause(self.src, next, end);
            if self.src.is(next, "CHECK") {
                self.name_check(next, Some(&name));
            }
            let table = self.table_name_in_scope().to_owned();
            if let Some(given) = &clause.name {
                self.take_name(given, clause.keyword == "check")?;
            }
            null |= clause.keyword == "null";
            not_null |= clause.keyword == "not";
            if null && not_null {
                let message = format!(
                    "conflicting NULL/NOT NULL declarations for column \"{name}\" of table \"{table}\""
                );
                return Err(self.src.error(next, SqlState::SYNTAX_ERROR, message));
            }
            let is_default = clause.keyword == "default" || self.src.is(next, "DEFAULT");
            if default && matches!(clause.keyword.as_str(), "generated" | "as")
                || computed && is_default
            {
                let identity = counting::read_identity(self.src, clause.body, clause.end)?;
                if identity.is_none() {
                    let message = format!(
                        "both default and generation expression specified for column \"{name}\" of table \"{table}\""
                    );
                    return Err(self.src.error(next, SqlState::SYNTAX_ERROR, message));
                }
            }
            computed |= matches!(clause.keyword.as_str(), "generated" | "as");
            default |= clause.keyword == "default";
            if let Some(identity) = self.column_clause(&clause, next, ty.as_ref())? {
                self.check_counts(&name, ty.as_ref(), counting.is_some(), next)?;
                counting = Some(identity);
                identity_at = Some(next);
            }
            next = clause.end.max(next + 1);
        }
        if default && let Some(counting) = &counting {
            return Err(self.two_values(&name, counting, identity_at));
        }
        let domain = self.domain(at + 1, type_end);
        if let Some(domain) = &domain {
            let text = self.column_of_domain(domain, &name, default || computed)?;
            self.replace(at + 1, type_end, text);
        } else if let Some(ty) = &ty {
            self.declare((at + 1, type_end), ty, counting.as_ref(), key);
        }
        Ok(Definition {
            domain: domain.is_some(),
            name,
            ty,
            counting,
            not_null,
        })
    }

    /// A column has one source of values.
    fn two_values(&self, name: &str, counting: &Counting, at: Option<usize>) -> DialectError {
        let table = self.table_name_in_scope();
        let message = match counting {
            Counting::Serial => {
                format!(
                    "multiple default values specified for column \"{name}\" of table \"{table}\""
                )
            }
            Counting::Identity(..) => format!(
                "both default and identity specified for column \"{name}\" of table \"{table}\""
            ),
        };
        match at {
            Some(at) => self.src.error(at, SqlState::SYNTAX_ERROR, message),
            None => DialectError::new(SqlState::SYNTAX_ERROR, message),
        }
    }

    fn check_counts(
        &self,
        name: &str,
        ty: Option<&PgType>,
        counts: bool,
        at: usize,
    ) -> Result<(), DialectError> {
        if counts {
            return Err(self.two_values(name, &Counting::Serial, Some(at)));
        }
        if ty.is_some_and(PgType::is_integer) {
            return Ok(());
        }
        Err(DialectError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            "identity column type must be smallint, integer, or bigint",
        ))
    }

    /// Writes the type as SQLite needs it. An integer key must be INTEGER, and nothing else, to be the rowid: what
    /// the user wrote follows in a comment.
    fn declare(
        &mut self,
        (from, to): (usize, usize),
        ty: &PgType,
        counting: Option<&Counting>,
        key: bool,
    ) {
        let text = self.src.slice(from, to);
        let original = text.to_ascii_lowercase();
        if let Some(counting) = counting {
            let marker = counting.marker();
            let name = ty.name();
            let text = if key || !marker.is_empty() {
                format!("INTEGER /*{name}{marker}*/")
            } else {
                name.to_owned()
            };
            self.replace(from, to, text);
            return;
        }
        if ty.is_integer() && key {
            if !text.eq_ignore_ascii_case("INTEGER") {
                self.replace(from, to, format!("INTEGER /*{original}*/"));
            }
            return;
        }
        let composed = matches!(ty, PgType::Composed(..) | PgType::Enum(_));
        if composed || ty.declared_as().is_some() || ty.collation().is_some() {
            self.replace(from, to, declared(ty));
        } else if matches!(
            ty,
            PgType::Timestamp(_) | PgType::Timestamptz(_) | PgType::Time(_) | PgType::Timetz(_)
        ) && to > from + 1
        {
            // SQLite's grammar has no words behind a type's parentheses.
            self.replace(from, to, ty.declaration().to_ascii_uppercase());
        } else if self.src.is(from, "pg_catalog") {
            self.remove(from, from + 2);
        }
    }

    /// One clause of a column; gives the identity that it makes of it.
    fn column_clause(
        &mut self,
        clause: &Clause,
        at: usize,
        ty: Option<&PgType>,
    ) -> Result<Option<Counting>, DialectError> {
        match clause.keyword.as_str() {
            "default" => self.default_clause(clause.body, clause.end, ty)?,
            "generated" => {
                if let Some(identity) = counting::read_identity(self.src, clause.body, clause.end)?
                {
                    self.remove(at, clause.end);
                    return Ok(Some(identity));
                }
                if let Some(open) =
                    (clause.body..clause.end).find(|token| self.src.sign(*token, "("))
                {
                    self.generated(open + 1, self.src.partner(open), ty)?;
                }
            }
            "as" => {
                self.generated(clause.body + 1, self.src.partner(clause.body), ty)?;
            }
            "collate" => {
                let name = self
                    .src
                    .name(clause.end - 1)
                    .unwrap_or_default()
                    .to_ascii_lowercase();
                if !matches!(name.as_str(), "nocase" | "binary" | "rtrim") {
                    self.remove(at, clause.end);
                }
            }
            _ => self.constraint_body(clause)?,
        }
        Ok(None)
    }

    /// DEFAULT value: an expression needs parentheses in SQLite.
    pub(crate) fn default_clause(
        &mut self,
        from: usize,
        to: usize,
        ty: Option<&PgType>,
    ) -> Result<(), DialectError> {
        let ty = ty.map_or(Type::new(TypeId::TEXT), |ty| Type::from(*ty));
        self.before(from, "(");
        self.typed(from, to, Purpose::Default("", ty))?;
        self.after(to, ")");
        Ok(())
    }

    /// The expression of a generated column.
    fn generated(
        &mut self,
        from: usize,
        to: usize,
        ty: Option<&PgType>,
    ) -> Result<(), DialectError> {
        let ty = ty.map_or(Type::new(TypeId::TEXT), |ty| Type::from(*ty));
        self.typed(from, to, Purpose::Generated("", ty))
    }

    /// Notes the name that was given to a constraint.
    pub(crate) fn take_name(&mut self, name: &str, check: bool) -> Result<(), DialectError> {
        if check && self.check_names.iter().any(|taken| taken == name) {
            let message = format!("check constraint \"{name}\" already exists");
            return Err(DialectError::new(SqlState::DUPLICATE_OBJECT, message));
        }
        self.check_names.push(name.to_owned());
        Ok(())
    }

    /// A CHECK without a name gets PostgreSQL's, so that an error can tell it. `column`: whose clause it is; a table's
    /// constraint over one column is named like that column's.
    fn name_check(&mut self, at: usize, column: Option<&str>) {
        let Some(table) = &self.table else {
            return;
        };
        let names: Vec<&str> = table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        let mut used: Vec<&str> = (at + 2..self.src.partner(at + 1))
            .filter_map(|token| self.src.name(token))
            .filter_map(|word| names.iter().find(|name| **name == word).copied())
            .collect();
        used.sort_unstable();
        used.dedup();
        let over: Vec<String> = match (column, used.as_slice()) {
            (Some(column), _) => vec![column.to_owned()],
            (None, [column]) => vec![(*column).to_owned()],
            (None, _) => Vec::new(),
        };
        let name = chosen_name(stored_name::base(&table.name), &over, "check", &|name| {
            self.check_names.iter().any(|taken| taken == name)
        });
        self.before(at, format!("CONSTRAINT {} ", quote_name(&name)));
        self.check_names.push(name);
    }

    /// A table constraint in tokens `at..end`.
    pub(crate) fn table_constraint(&mut self, at: usize, end: usize) -> Result<(), DialectError> {
        if self.src.is(at, "LIKE") {
            return Err(self.src.unsupported(at, "CREATE TABLE … (LIKE …)"));
        }
        let clause = layout::clause(self.src, at, end);
        if clause.keyword == "exclude" {
            return Err(self.src.unsupported(at, "EXCLUDE"));
        }
        if clause.end < end {
            return Err(self.src.syntax(clause.end));
        }
        if self.src.is(at, "CHECK") {
            self.name_check(at, None);
        } else if let Some(given) = &clause.name {
            self.take_name(given, clause.keyword == "check")?;
        }
        self.constraint_body(&clause)
    }

    /// CHECK, REFERENCES, FOREIGN KEY, UNIQUE, PRIMARY KEY: what is translated in them, and what is dropped.
    fn constraint_body(&mut self, clause: &Clause) -> Result<(), DialectError> {
        match clause.keyword.as_str() {
            "check" => {
                if !self.src.sign(clause.body, "(") {
                    return Err(self.src.syntax(clause.body));
                }
                self.typed(
                    clause.body + 1,
                    self.src.partner(clause.body),
                    Purpose::Check,
                )?;
                let close = self.src.partner(clause.body);
                if let Some(at) = (close..clause.end).find(|token| {
                    self.src.is_any(*token, &["DEFERRABLE", "INITIALLY"])
                        && !self.src.is(*token - 1, "NOT")
                }) {
                    let message = format!(
                        "misplaced {} clause",
                        if self.src.is(at, "DEFERRABLE") {
                            "DEFERRABLE"
                        } else {
                            "INITIALLY DEFERRED"
                        }
                    );
                    return Err(self.src.error(at, SqlState::SYNTAX_ERROR, message));
                }
                self.drop_words(clause.body, clause.end);
            }
            "references" => self.referenced(clause.body, clause.end)?,
            "foreign" => {
                let references =
                    (clause.body..clause.end).find(|token| self.src.is(*token, "REFERENCES"));
                let references = references.ok_or_else(|| self.src.syntax(clause.end))?;
                self.referenced(references + 1, clause.end)?;
            }
            "unique" | "primary" => {
                if let Some(at) =
                    (clause.body..clause.end).find(|token| self.src.is(*token, "NULLS"))
                {
                    return Err(self.src.unsupported(at, "NULLS NOT DISTINCT"));
                }
                let deferred = (clause.body..clause.end).find(|token| {
                    self.src.is(*token, "DEFERRABLE") && !self.src.is(*token - 1, "NOT")
                        || self.src.are(*token, &["INITIALLY", "DEFERRED"])
                });
                if let Some(at) = deferred {
                    return Err(self.src.unsupported(at, "a deferrable unique constraint"));
                }
                if let Some(at) =
                    (clause.body..clause.end).find(|token| self.src.is(*token, "INCLUDE"))
                {
                    return Err(self.src.unsupported(at, "INCLUDE in a constraint"));
                }
                for word in ["WITH", "USING", "DEFERRABLE", "INITIALLY", "NOT"] {
                    if let Some(at) =
                        (clause.body..clause.end).find(|token| self.src.is(*token, word))
                    {
                        self.remove(at, clause.end);
                    }
                }
            }
            "not" | "null" | "deferrable" | "initially" => {}
            _ => return Err(self.src.syntax(clause.body.saturating_sub(1))),
        }
        Ok(())
    }

    /// The table behind REFERENCES, without its schema; NOT VALID is dropped.
    fn referenced(&mut self, at: usize, end: usize) -> Result<(), DialectError> {
        let (_, to) = self.table_name(at, end)?;
        self.drop_words(to, end);
        Ok(())
    }

    fn drop_words(&mut self, from: usize, end: usize) {
        let mut at = from;
        while at < end {
            if self.src.are(at, &["NOT", "VALID"]) || self.src.are(at, &["NO", "INHERIT"]) {
                self.remove(at, at + 2);
                at += 1;
            }
            at += 1;
        }
    }
}
