//! A bucket as a store.

use std::future::Future;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{
    Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, Result,
};
use repository::{Listed, ObjectName, Put, Store, StoreError};

use crate::client::{Retries, client};
use crate::failure::{Attempt, reason};
use crate::runner::Runner;
use crate::url::BucketUrl;

/// How often an object that must not be there is put once more, and after which pauses.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1600),
    Duration::from_millis(6400),
    Duration::from_secs(10),
];

/// A bucket of an object store, or what is in it below a prefix.
#[derive(Debug)]
pub struct Bucket {
    place: String,
    prefix: Path,
    /// Sends again by itself what failed.
    store: Arc<dyn ObjectStore>,
    /// Does not, so that it is known when an answer may have been lost.
    once: Arc<dyn ObjectStore>,
    runner: Runner,
}

impl Bucket {
    /// A bucket whose credentials are among these variables of an environment; nothing is asked yet.
    pub fn open(
        url: &BucketUrl,
        variables: &[(String, String)],
    ) -> std::result::Result<Self, String> {
        tls::install_provider();
        let store = client(url, variables, Retries::Some)?;
        let once = client(url, variables, Retries::None)?;
        Self::with(url.to_string(), &url.prefix, store, once)
    }

    fn with(
        place: String,
        prefix: &str,
        store: Arc<dyn ObjectStore>,
        once: Arc<dyn ObjectStore>,
    ) -> std::result::Result<Self, String> {
        let runner = Runner::new();
        Ok(Self {
            prefix: Path::parse(prefix).map_err(|error| error.to_string())?,
            runner: runner.map_err(|error| format!("no thread for {place}: {error}"))?,
            place,
            store,
            once,
        })
    }

    fn path(&self, name: &ObjectName) -> Path {
        self.prefix
            .parts()
            .chain(Path::from(name.to_string()).parts())
            .collect()
    }

    fn attempt<'a>(&'a self, during: &'static str, name: &'a str) -> Attempt<'a> {
        let place = &self.place;
        Attempt {
            during,
            name,
            place,
        }
    }

    fn wait<T: Send + 'static>(
        &self,
        attempt: Attempt<'_>,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> std::result::Result<T, StoreError> {
        let broken = || attempt.with(ErrorKind::Other, "its client has panicked".to_owned());
        let done = self.runner.wait(work).ok_or_else(broken)?;
        done.map_err(|error| attempt.failed(&error))
    }

    fn length(&self, name: &ObjectName) -> std::result::Result<u64, StoreError> {
        let (store, path) = (Arc::clone(&self.store), self.path(name));
        let work = async move { Ok(store.head(&path).await?.size) };
        self.wait(self.attempt("read", &name.to_string()), work)
    }
}

/// Puts an object that must not be there. Behind an attempt whose answer may have been lost it is looked first whether it is
/// there, and whether it is ours: it has our bytes then. To send it again would cost as much as before, and a store that
/// refuses it before it has read all of it closes the connection, which is no answer.
async fn put_new(store: Arc<dyn ObjectStore>, path: Path, content: Bytes) -> Result<Put> {
    let mut pauses = PAUSES.iter();
    let mut is_uncertain = false;
    loop {
        let put = if is_uncertain {
            put_again(&*store, &path, &content).await
        } else {
            put_once(&*store, &path, &content).await
        };
        let error = match put {
            Ok(put) => return Ok(put),
            Err(error) => error,
        };
        let is_passing = matches!(error, Error::Generic { .. } | Error::AlreadyExists { .. });
        let Some(pause) = pauses.next().filter(|_| is_passing) else {
            return Err(error);
        };
        is_uncertain = true;
        tokio::time::sleep(*pause).await;
    }
}

async fn put_once(store: &dyn ObjectStore, path: &Path, content: &Bytes) -> Result<Put> {
    let options = PutOptions::from(PutMode::Create);
    let payload = PutPayload::from_bytes(content.clone());
    match store.put_opts(path, payload, options).await {
        Ok(_) => Ok(Put::Stored),
        // S3's answer while somebody else puts it: nobody knows yet whose it will be.
        Err(error @ Error::AlreadyExists { .. })
            if reason(&error).contains("ConditionalRequestConflict") =>
        {
            Err(error)
        }
        Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Put::Exists),
        Err(error) => Err(error),
    }
}

async fn put_again(store: &dyn ObjectStore, path: &Path, content: &Bytes) -> Result<Put> {
    match store.get(path).await {
        Ok(there) => {
            let is_ours = there.bytes().await? == *content;
            Ok(if is_ours { Put::Stored } else { Put::Exists })
        }
        Err(Error::NotFound { .. }) => put_once(store, path, content).await,
        Err(error) => Err(error),
    }
}

/// All objects below a prefix, with names behind it.
async fn list(store: Arc<dyn ObjectStore>, base: Path, below: Path) -> Result<Vec<Listed>> {
    let below = (!below.is_root()).then_some(&below);
    let mut listed = pin!(store.list(below));
    let mut found = Vec::new();
    while let Some(object) = listed.try_next().await? {
        let inside: Option<Path> = (object.location.prefix_match(&base)).map(Iterator::collect);
        let name = inside.unwrap_or(object.location);
        found.push(Listed {
            name: name.to_string(),
            length: object.size,
        });
    }
    found.sort_unstable();
    Ok(found)
}

impl Store for Bucket {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn put_if_absent(
        &self,
        name: &ObjectName,
        content: &[u8],
    ) -> std::result::Result<Put, StoreError> {
        let content = Bytes::copy_from_slice(content);
        let work = put_new(Arc::clone(&self.once), self.path(name), content);
        self.wait(self.attempt("write", &name.to_string()), work)
    }

    fn put(&self, name: &ObjectName, content: &[u8]) -> std::result::Result<(), StoreError> {
        let (store, path) = (Arc::clone(&self.store), self.path(name));
        let content = PutPayload::from_bytes(Bytes::copy_from_slice(content));
        let work = async move { store.put(&path, content).await.map(drop) };
        self.wait(self.attempt("write", &name.to_string()), work)
    }

    fn get(&self, name: &ObjectName) -> std::result::Result<Vec<u8>, StoreError> {
        let (store, path) = (Arc::clone(&self.store), self.path(name));
        let work = async move { store.get(&path).await?.bytes().await };
        let bytes = self.wait(self.attempt("read", &name.to_string()), work)?;
        Ok(bytes.into())
    }

    fn get_range(
        &self,
        name: &ObjectName,
        offset: u64,
        length: usize,
    ) -> std::result::Result<Vec<u8>, StoreError> {
        let text = name.to_string();
        let attempt = self.attempt("read", &text);
        if length > 0 {
            let (store, path) = (Arc::clone(&self.store), self.path(name));
            let range = offset..offset.saturating_add(length as u64);
            let work = async move { store.get_range(&path, range).await };
            match self.wait(attempt, work) {
                Ok(bytes) if bytes.len() == length => return Ok(bytes.into()),
                Ok(bytes) => return Err(attempt.short(offset + bytes.len() as u64)),
                // Of one that ends before the range stores say in many ways that there is no such range.
                Err(error @ StoreError::Missing { .. }) => return Err(error),
                Err(error) => match self.length(name)? {
                    there if there >= offset.saturating_add(length as u64) => return Err(error),
                    there => return Err(attempt.short(there)),
                },
            }
        }
        match self.length(name)? {
            there if there >= offset => Ok(Vec::new()),
            there => Err(attempt.short(there)),
        }
    }

    fn list(&self, prefix: &str) -> std::result::Result<Vec<Listed>, StoreError> {
        let below = Path::parse(prefix);
        let below = below.map_err(|error| {
            let attempt = self.attempt("list", prefix);
            attempt.with(ErrorKind::InvalidInput, error.to_string())
        })?;
        let below = self.prefix.parts().chain(below.parts()).collect();
        let work = list(Arc::clone(&self.store), self.prefix.clone(), below);
        self.wait(self.attempt("list", prefix), work)
    }

    fn delete(&self, name: &ObjectName) -> std::result::Result<(), StoreError> {
        let (store, path) = (Arc::clone(&self.store), self.path(name));
        let work = async move {
            match store.delete(&path).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        };
        self.wait(self.attempt("delete", &name.to_string()), work)
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use repository::conformance;

    use super::*;

    #[test]
    fn a_bucket_in_memory_is_a_store_with_a_prefix_and_without() {
        for prefix in ["", "a/b"] {
            let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
            let place = format!("memory:{prefix}");
            let bucket = Bucket::with(place, prefix, Arc::clone(&memory), memory).unwrap();
            let bucket: Arc<dyn Store> = Arc::new(bucket);
            conformance::check(&bucket);
        }
    }
}
