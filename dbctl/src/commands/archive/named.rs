//! Repositories by the names that the configuration has for them.

use dbconfig::Archive;
use repository::is_url;

use crate::error::Result;
use crate::invocation::Invocation;

/// The repository that a word means.
#[derive(Debug)]
pub(in crate::commands) struct Named {
    /// Where it is.
    pub(in crate::commands) place: String,
    /// The section that says so, where one does.
    pub(in crate::commands) archive: Option<Archive>,
}

impl Named {
    /// That of the section `[Archive NAME]`, where the word is the name of one: a URL and a path have a slash, and a directory
    /// that is called as an archive is `./NAME`. Any other word is a place.
    pub(in crate::commands) fn of(invocation: &Invocation, word: &str) -> Result<Self> {
        let is_place = is_url(word) || word.contains('/');
        let config = if is_place {
            None
        } else {
            invocation.config_if_any()?
        };
        let archives = config.map(|config| config.archives).unwrap_or_default();
        let found = archives
            .into_iter()
            .find(|archive| archive.name.eq_ignore_ascii_case(word));
        Ok(Self {
            place: found
                .as_ref()
                .map_or_else(|| word.to_owned(), |archive| archive.url.clone()),
            archive: found,
        })
    }
}
