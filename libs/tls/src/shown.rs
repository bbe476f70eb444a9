//! The certificate that a server shows now: read again when its files change, without a word to those who are connected.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::TlsError;
use crate::server::{ServerOptions, ServerTls};

/// The pair in use, and where it comes from.
#[derive(Debug)]
pub struct Shown {
    options: ServerOptions,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    current: Arc<ServerTls>,
    /// What the files looked like when they were last read, well or badly.
    seen: Vec<Look>,
}

/// What has become of the files.
#[derive(Debug)]
pub enum Renewal {
    /// Nothing.
    Same,
    /// They are another pair, which is shown from now on.
    Renewed(Arc<ServerTls>),
    /// They are of no use: the pair that was shown stays.
    Refused(TlsError),
}

/// Number, size and time of a file, by which a change of it is seen without reading it; `None` where it is not there.
type Look = Option<(u64, u64, i64, i64)>;

impl Shown {
    /// Reads the files for the first time.
    pub fn load(options: ServerOptions) -> Result<Self, TlsError> {
        // Before they are read: a change meanwhile is seen the next time.
        let seen = look(&options);
        let current = Arc::new(ServerTls::load(&options)?);
        let state = Mutex::new(State { current, seen });
        Ok(Self { options, state })
    }

    /// The pair that is shown now.
    pub fn current(&self) -> Arc<ServerTls> {
        Arc::clone(&self.state().current)
    }

    /// Reads the files again if they have changed; or whatever they look like, where somebody asks for it.
    pub fn renew(&self, asked: bool) -> Renewal {
        let seen = look(&self.options);
        if !asked && self.state().seen == seen {
            return Renewal::Same;
        }
        let loaded = ServerTls::load(&self.options);
        let mut state = self.state();
        state.seen = seen;
        match loaded {
            Ok(loaded) => {
                state.current = Arc::new(loaded);
                Renewal::Renewed(Arc::clone(&state.current))
            }
            Err(error) => Renewal::Refused(error),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn look(options: &ServerOptions) -> Vec<Look> {
    let look = |path| {
        let metadata = fs::metadata(path).ok()?;
        Some((
            metadata.ino(),
            metadata.size(),
            metadata.mtime(),
            metadata.mtime_nsec(),
        ))
    };
    options.files().map(look).collect()
}
