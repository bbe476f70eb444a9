//! ALTER DOMAIN. A column of a domain has its conditions and its default in the text of its table: a domain that
//! columns have stays as it is.

use pgtypes::SqlState;

use crate::access::Access;
use crate::ddl::names::chosen_name;
use crate::ddl::{domain_type, layout, object_name, owner};
use crate::domain::{self, Domain};
use crate::error::DialectError;
use crate::literal::quote;
use crate::schema::SchemaView;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::{Notice, Statement};
use crate::stored_name;
use crate::translator::Translator;

const TAG: &str = "ALTER DOMAIN";

/// ALTER DOMAIN name action
pub(crate) fn alter(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let (_, name, at) = object_name(src, 2)?;
    let Some(domain) = domain::find(schema, &name) else {
        return Err(domain_type::none_of(schema, &name));
    };
    if src.are(at, &["OWNER", "TO"]) {
        return owner::change_of_type(src, at, &name, TAG);
    }
    let mut action = Action {
        src,
        schema,
        domain,
        notices: Vec::new(),
    };
    let changed = action.run(at)?;
    let Action {
        domain, notices, ..
    } = action;
    let statement = if changed {
        let (definition, oid) = (quote(&domain.definition()), domain.oid);
        let update =
            format!("UPDATE main.eloqdb_domain SET definition = {definition} WHERE oid = {oid}");
        Statement::ddl(TAG, vec![update])
    } else {
        Statement::accepted(TAG)
    };
    Ok(Statement {
        notices,
        access: vec![Access::OwnType { name, drops: false }],
        ..statement
    })
}

/// What is to become of a domain.
struct Action<'a> {
    src: &'a Source<'a>,
    schema: &'a dyn SchemaView,
    domain: Domain,
    notices: Vec<Notice>,
}

impl Action<'_> {
    /// The action at `at`; whether it has changed the domain.
    fn run(&mut self, at: usize) -> Result<bool, DialectError> {
        let src = self.src;
        if src.are(at, &["SET", "DEFAULT"]) && at + 2 < src.len() {
            let text = src.slice(at + 2, src.len()).to_owned();
            self.domain.default = Some(text);
            Translator::new(src, self.schema).check_domain(&self.domain)?;
        } else if src.are(at, &["DROP", "DEFAULT"]) {
            end_at(src, at + 2)?;
            self.domain.default = None;
        } else if src.is_any(at, &["SET", "DROP"]) && src.are(at + 1, &["NOT", "NULL"]) {
            end_at(src, at + 3)?;
            let wanted = src.is(at, "SET");
            if self.domain.not_null == wanted {
                return Ok(false);
            }
            self.domain.not_null = wanted;
        } else if src.is(at, "ADD") {
            self.add(at + 1)?;
        } else if src.are(at, &["DROP", "CONSTRAINT"]) {
            if !self.drop_check(at + 2)? {
                return Ok(false);
            }
        } else if src.are(at, &["VALIDATE", "CONSTRAINT"]) {
            let name = src.name(at + 2).ok_or_else(|| src.syntax(at + 2))?;
            end_at(src, at + 3)?;
            if self.has_check(&name) {
                return Ok(false);
            }
            return Err(self.no_check(&name));
        } else {
            let words = src.slice(at, (at + 2).min(src.len())).to_ascii_uppercase();
            return Err(src.unsupported(1, &format!("ALTER DOMAIN … {words}")));
        }
        if let Some((table, column)) = self.schema.columns_of_domain(&self.domain.name).first() {
            let table = stored_name::base(table);
            let what =
                format!("ALTER DOMAIN of a domain that column \"{column}\" of \"{table}\" has");
            return Err(src.unsupported(0, &what));
        }
        Ok(true)
    }

    fn has_check(&self, name: &str) -> bool {
        self.domain.checks.iter().any(|(known, _)| known == name)
    }

    fn no_check(&self, name: &str) -> DialectError {
        let domain = stored_name::base(&self.domain.name);
        let message = format!("constraint \"{name}\" of domain \"{domain}\" does not exist");
        DialectError::new(SqlState::UNDEFINED_OBJECT, message)
    }

    /// ADD [CONSTRAINT name] CHECK (condition) [NOT VALID]
    fn add(&mut self, at: usize) -> Result<(), DialectError> {
        let src = self.src;
        let clause = layout::clause(src, at, src.len());
        if clause.keyword != "check" || !src.sign(clause.body, "(") {
            let what = format!("{} of a domain", clause.keyword.to_ascii_uppercase());
            return Err(src.unsupported(at, &what));
        }
        let close = src.partner(clause.body);
        let late = src.are(close + 1, &["NOT", "VALID"]);
        end_at(src, close + if late { 3 } else { 1 })?;
        let base = stored_name::base(&self.domain.name);
        let name = match clause.name.clone() {
            Some(name) if self.has_check(&name) => {
                let message = format!("constraint \"{name}\" for domain \"{base}\" already exists");
                return Err(DialectError::new(SqlState::DUPLICATE_OBJECT, message));
            }
            Some(name) => name,
            None => chosen_name(base, &[], "check", &|name| self.has_check(name)),
        };
        let condition = domain_type::condition(src, clause.body);
        self.domain.checks.push((name, condition));
        Translator::new(src, self.schema).check_domain(&self.domain)
    }

    /// DROP CONSTRAINT [IF EXISTS] name [RESTRICT | CASCADE]; whether there was one.
    fn drop_check(&mut self, at: usize) -> Result<bool, DialectError> {
        let forgiven = self.src.are(at, &["IF", "EXISTS"]);
        let at = at + if forgiven { 2 } else { 0 };
        let name = self.src.name(at).ok_or_else(|| self.src.syntax(at))?;
        let end = at + 1;
        let end = end + usize::from(self.src.is_any(end, &["CASCADE", "RESTRICT"]));
        end_at(self.src, end)?;
        if !self.has_check(&name) {
            let missing = self.no_check(&name);
            if !forgiven {
                return Err(missing);
            }
            let message = format!("{}, skipping", missing.message);
            self.notices.push(Notice::plain(message));
            return Ok(false);
        }
        self.domain.checks.retain(|(known, _)| *known != name);
        Ok(true)
    }
}
