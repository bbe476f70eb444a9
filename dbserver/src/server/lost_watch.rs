//! Looks each second what was lost behind forks, and tells it on: `system/lost_news.rs`.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::environment::Environment;
use crate::system::lost_news;

/// Has one look at a time.
#[derive(Default)]
pub(super) struct LostWatch {
    looking: Option<JoinHandle<Option<String>>>,
    /// What went wrong the last time, as it was told.
    told: Option<String>,
}

impl LostWatch {
    /// Looks, unless the look before still does.
    pub(super) fn look(&mut self, environment: &Arc<Environment>) {
        use futures::FutureExt as _;
        if let Some(looking) = &mut self.looking {
            let Some(looked) = looking.now_or_never() else {
                return;
            };
            self.tell(looked.unwrap_or_else(|error| Some(error.to_string())));
        }
        let environment = Arc::clone(environment);
        self.looking = Some(tokio::task::spawn_blocking(move || {
            let looked = lost_news::look(&environment);
            looked.err().map(|error| error.to_string())
        }));
    }

    /// Says it once, however often it comes.
    fn tell(&mut self, why: Option<String>) {
        if let Some(why) = why.as_ref().filter(|why| self.told.as_ref() != Some(why)) {
            tracing::warn!("what was lost behind forks is not told on: {why}");
        }
        self.told = why;
    }
}

/// The first look, before anybody feeds this server: it may have to be refused.
pub(super) async fn begin(environment: &Arc<Environment>) {
    let environment = Arc::clone(environment);
    let looked = tokio::task::spawn_blocking(move || lost_news::look(&environment)).await;
    // The next one says why, if it fails, too.
    if let Ok(Err(error)) = looked {
        tracing::debug!(%error, "the first look at what was lost");
    }
}
