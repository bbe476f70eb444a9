//! The prepared statements of a session, by name; the unnamed one has the empty name.

use std::collections::HashMap;
use std::rc::Rc;

use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::prepared::Prepared;

/// All of them.
#[derive(Default)]
pub struct Statements(HashMap<String, Rc<Prepared>>);

impl Statements {
    /// Refuses a name that is taken (42P05); the unnamed statement gives way.
    pub fn check_free(&self, name: &str) -> Result<(), Failure> {
        if name.is_empty() || !self.0.contains_key(name) {
            return Ok(());
        }
        Err(Failure::new(
            SqlState::DUPLICATE_PREPARED_STATEMENT,
            format!("prepared statement \"{name}\" already exists"),
        ))
    }

    /// Those that have names: name, text, names of the parameters' types.
    pub fn shown(&self) -> Vec<(String, String, Vec<String>)> {
        let named = self.0.iter().filter(|(name, _)| !name.is_empty());
        let shown = named.map(|(name, prepared)| {
            let types = prepared.parameters.iter();
            let types = types.map(|ty| dialect::catalog::Type::from(*ty).id.name());
            (name.clone(), prepared.source.clone(), types.collect())
        });
        shown.collect()
    }

    /// Keeps a statement.
    pub fn insert(&mut self, name: String, prepared: Rc<Prepared>) {
        self.0.insert(name, prepared);
    }

    /// The statement of that name.
    ///
    /// Errors: 26000.
    pub fn get(&self, name: &str) -> Result<Rc<Prepared>, Failure> {
        self.0.get(name).cloned().ok_or_else(|| missing(name))
    }

    /// Forgets the statement of that name.
    ///
    /// Errors: 26000.
    pub fn remove(&mut self, name: &str) -> Result<(), Failure> {
        self.0.remove(name).map(drop).ok_or_else(|| missing(name))
    }

    /// Forgets the statement of that name, if there is one.
    pub fn close(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

fn missing(name: &str) -> Failure {
    let message = if name.is_empty() {
        "unnamed prepared statement does not exist".to_owned()
    } else {
        format!("prepared statement \"{name}\" does not exist")
    };
    Failure::new(SqlState::INVALID_SQL_STATEMENT_NAME, message)
}
