//! A store that can't put an object only where there is none, used by one writer at a time.

use std::sync::Arc;

use crate::name::ObjectName;
use crate::store::{Listed, Put, Store, StoreError};

/// Looks first, then puts. Of two writers of one name both may store theirs.
#[derive(Debug)]
pub(crate) struct OneWriter(pub(crate) Arc<dyn Store>);

impl Store for OneWriter {
    fn place(&self) -> String {
        self.0.place()
    }

    fn put_if_absent(&self, name: &ObjectName, content: &[u8]) -> Result<Put, StoreError> {
        match self.0.get_range(name, 0, 0) {
            Ok(_) => Ok(Put::Exists),
            Err(StoreError::Missing { .. }) => self.0.put(name, content).map(|()| Put::Stored),
            Err(error) => Err(error),
        }
    }

    fn put(&self, name: &ObjectName, content: &[u8]) -> Result<(), StoreError> {
        self.0.put(name, content)
    }

    fn get(&self, name: &ObjectName) -> Result<Vec<u8>, StoreError> {
        self.0.get(name)
    }

    fn get_range(
        &self,
        name: &ObjectName,
        offset: u64,
        length: usize,
    ) -> Result<Vec<u8>, StoreError> {
        self.0.get_range(name, offset, length)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        self.0.list(prefix)
    }

    fn delete(&self, name: &ObjectName) -> Result<(), StoreError> {
        self.0.delete(name)
    }
}
