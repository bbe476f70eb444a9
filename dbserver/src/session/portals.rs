//! The open portals and cursors of a session, by name; the unnamed portal has the empty name.

use std::collections::HashMap;

use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::portal::Portal;

/// All of them.
#[derive(Default)]
pub struct Portals(HashMap<String, Portal>);

impl Portals {
    /// Refuses a name that is taken (42P03); the unnamed portal gives way.
    pub fn check_free(&self, name: &str) -> Result<(), Failure> {
        if name.is_empty() || !self.0.contains_key(name) {
            return Ok(());
        }
        Err(Failure::new(
            SqlState::DUPLICATE_CURSOR,
            format!("cursor \"{name}\" already exists"),
        ))
    }

    /// Those that have names: name, text, whether it outlives its transaction, whether it scrolls.
    pub fn shown(&self) -> Vec<(String, String, bool, bool)> {
        let named = self.0.iter().filter(|(name, _)| !name.is_empty());
        let shown = named.map(|(name, portal)| {
            let text = portal.prepared().source.clone();
            (name.clone(), text, portal.is_held(), portal.scrolls())
        });
        shown.collect()
    }

    /// Keeps a portal.
    pub fn insert(&mut self, name: String, portal: Portal) {
        self.0.insert(name, portal);
    }

    /// The portal of that name.
    pub fn get(&self, name: &str) -> Option<&Portal> {
        self.0.get(name)
    }

    /// Takes the portal of that name out, to run it or to close it.
    pub fn take(&mut self, name: &str) -> Option<Portal> {
        self.0.remove(name)
    }

    /// Takes the cursor of that name out.
    ///
    /// Errors: 34000.
    pub fn take_cursor(&mut self, name: &str) -> Result<Portal, Failure> {
        self.take(name).ok_or_else(|| {
            Failure::new(
                SqlState::INVALID_CURSOR_NAME,
                format!("cursor \"{name}\" does not exist"),
            )
        })
    }

    /// Closes all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The transaction is about to write: results that are still being read are kept as they are.
    pub fn keep_all(&mut self) -> Result<(), Failure> {
        self.0.values_mut().try_for_each(Portal::keep)
    }

    /// The transaction is about to end: cursors WITH HOLD are kept, all other portals go.
    pub fn keep_held(&mut self) -> Result<(), Failure> {
        self.0.retain(|_, portal| portal.is_held());
        self.keep_all()
    }
}
