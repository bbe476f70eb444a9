//! Where a repository is, as users write it.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use repository::Store;

use crate::bucket::Bucket;

/// Who keeps a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// S3, and what speaks it.
    Amazon,
    /// Azure Blob Storage.
    Azure,
    /// Google Cloud Storage.
    Google,
}

impl Provider {
    const ALL: [Self; 3] = [Self::Amazon, Self::Azure, Self::Google];

    /// How a place of it begins.
    fn scheme(self) -> &'static str {
        match self {
            Self::Amazon => "s3://",
            Self::Azure => "az://",
            Self::Google => "gs://",
        }
    }
}

/// `s3://bucket/prefix?endpoint=https://minio.example:9000&region=eu-west-1`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketUrl {
    /// Who keeps it.
    pub provider: Provider,
    /// The bucket, which Azure calls a container.
    pub bucket: String,
    /// What all names in it begin with; may be empty.
    pub prefix: String,
    /// Where the provider answers, if not where it does for everybody.
    pub endpoint: Option<String>,
    /// In which region, for S3.
    pub region: Option<String>,
}

impl BucketUrl {
    /// `None`: it is no place of an object store.
    pub fn parse(url: &str) -> Option<Result<Self, String>> {
        let (provider, rest) = Provider::ALL
            .into_iter()
            .find_map(|it| Some((it, url.strip_prefix(it.scheme())?)))?;
        Some(Self::of(provider, rest).map_err(|why| format!("'{url}': {why}")))
    }

    fn of(provider: Provider, rest: &str) -> Result<Self, String> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        if bucket.is_empty() || !bucket.chars().all(is_of_bucket) {
            return Err(format!(
                "write {}BUCKET/PREFIX, the bucket of letters, digits, -, _ and .",
                provider.scheme()
            ));
        }
        let prefix = prefix.trim_end_matches('/');
        let is_plain =
            |word: &str| !matches!(word, "" | "." | "..") && word.chars().all(is_of_prefix);
        if !prefix.is_empty() && !prefix.split('/').all(is_plain) {
            return Err(
                "the prefix may have letters, digits, -, _, =, + and . between its slashes"
                    .to_owned(),
            );
        }
        let mut made = Self {
            provider,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: None,
            region: None,
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            made.set(pair)?;
        }
        Ok(made)
    }

    fn set(&mut self, pair: &str) -> Result<(), String> {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            "endpoint" if value.starts_with("http://") || value.starts_with("https://") => {
                self.endpoint = Some(value.trim_end_matches('/').to_owned());
            }
            "endpoint" => {
                return Err(format!(
                    "endpoint={value}: write http://HOST:PORT or https://HOST:PORT"
                ));
            }
            "region" if self.provider == Provider::Amazon && !value.is_empty() => {
                self.region = Some(value.to_owned());
            }
            "region" => return Err("region=NAME is of S3 alone".to_owned()),
            _ => {
                return Err(format!(
                    "there is no '{key}', but endpoint=URL and region=NAME; credentials come from the environment"
                ));
            }
        }
        Ok(())
    }

    /// Whether nothing is encrypted on the way.
    pub(crate) fn is_plain(&self) -> bool {
        (self.endpoint.as_deref()).is_some_and(|endpoint| endpoint.starts_with("http://"))
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.provider.scheme(), self.bucket)?;
        if !self.prefix.is_empty() {
            write!(f, "/{}", self.prefix)?;
        }
        let endpoint = self.endpoint.as_ref().map(|it| format!("endpoint={it}"));
        let region = self.region.as_ref().map(|it| format!("region={it}"));
        for (mark, pair) in ["?", "&"]
            .into_iter()
            .zip(endpoint.into_iter().chain(region))
        {
            write!(f, "{mark}{pair}")?;
        }
        Ok(())
    }
}

fn is_of_bucket(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn is_of_prefix(c: char) -> bool {
    is_of_bucket(c) || matches!(c, '=' | '+')
}

/// The store at a place, a directory or a bucket; nothing is looked at yet.
pub fn store_at(url: &str) -> Result<Arc<dyn Store>, String> {
    match BucketUrl::parse(url) {
        Some(bucket) => Ok(Arc::new(Bucket::open(&bucket?, &variables())?)),
        None if url.starts_with("file://") => repository::directory_at(url),
        None => Err(format!(
            "'{url}' is no place that a repository can be kept in: write file:///DIRECTORY, s3://BUCKET/PREFIX, az://CONTAINER/PREFIX or gs://BUCKET/PREFIX"
        )),
    }
}

/// Those of this process that are text.
fn variables() -> Vec<(String, String)> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    env::vars_os().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Result<BucketUrl, String> {
        BucketUrl::parse(url).unwrap()
    }

    #[test]
    fn a_bucket_is_named_with_its_prefix_and_where_it_answers() {
        let plain = parsed("s3://bucket").unwrap();
        assert_eq!(
            (plain.bucket.as_str(), plain.prefix.as_str()),
            ("bucket", "")
        );
        let full = "s3://b.1/a/b?endpoint=http://127.0.0.1:9000&region=eu-1";
        let made = parsed(full).unwrap();
        assert_eq!(made.prefix, "a/b");
        assert_eq!(made.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!(made.region.as_deref(), Some("eu-1"));
        assert!(made.is_plain());
        for url in [
            full,
            "az://c/x",
            "gs://b/x?endpoint=https://h",
            "s3://b?region=r",
        ] {
            assert_eq!(parsed(url).unwrap().to_string(), url);
        }
        assert_eq!(parsed("s3://b/x/").unwrap().to_string(), "s3://b/x");
    }

    #[test]
    fn what_would_mean_nothing_is_refused() {
        for (url, why) in [
            ("s3://", "write s3://BUCKET"),
            ("s3:///x", "write s3://BUCKET"),
            ("s3://b/../x", "the prefix"),
            ("s3://b/a//x", "the prefix"),
            ("s3://b/a%20x", "the prefix"),
            ("s3://b?endpoint=minio:9000", "http://HOST"),
            ("az://b?region=x", "S3 alone"),
            ("s3://b?key=secret", "credentials come from the environment"),
        ] {
            let refused = parsed(url).unwrap_err();
            assert!(refused.contains(why), "{url}: {refused}");
        }
        assert!(BucketUrl::parse("file:///x").is_none());
        let refused = store_at("ftp://host/x").unwrap_err();
        assert!(refused.contains("s3://BUCKET/PREFIX"), "{refused}");
        assert!(store_at("file:///backup/x").is_ok());
    }
}
