//! What an error of the library means.

use std::error::Error as _;
use std::io::ErrorKind;

use object_store::Error;
use repository::StoreError;

/// Longest reason that a store is quoted with.
const MAX_REASON: usize = 300;

/// What was tried, and with which object of which place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) during: &'static str,
    pub(crate) name: &'a str,
    pub(crate) place: &'a str,
}

impl Attempt<'_> {
    pub(crate) fn failed(self, error: &Error) -> StoreError {
        let why = reason(error);
        let is_object = !why.contains("NoSuchBucket") && !why.contains("ContainerNotFound");
        if self.during == "read" && is_object && matches!(error, Error::NotFound { .. }) {
            return self.missing();
        }
        self.with(kind(error, &why), why)
    }

    pub(crate) fn missing(self) -> StoreError {
        StoreError::Missing {
            name: self.name.to_owned(),
            place: self.place.to_owned(),
        }
    }

    pub(crate) fn short(self, length: u64) -> StoreError {
        StoreError::Short {
            name: self.name.to_owned(),
            place: self.place.to_owned(),
            length,
        }
    }

    pub(crate) fn with(self, kind: ErrorKind, why: String) -> StoreError {
        StoreError::Failed {
            during: self.during,
            name: self.name.to_owned(),
            place: self.place.to_owned(),
            kind,
            why,
        }
    }
}

fn kind(error: &Error, why: &str) -> ErrorKind {
    match error {
        Error::NotFound { .. } => ErrorKind::NotFound,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            ErrorKind::PermissionDenied
        }
        Error::NotImplemented { .. } | Error::NotSupported { .. } => ErrorKind::Unsupported,
        _ if why.contains("501 Not Implemented") => ErrorKind::Unsupported,
        _ if why.contains("timed out") => ErrorKind::TimedOut,
        _ => ErrorKind::Other,
    }
}

/// The innermost cause, which is the answer of the store, or why there is none; on one line.
pub(crate) fn reason(error: &Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    let (before, body) = text.split_once("<?xml").unwrap_or((&text, ""));
    let code = between(body, "<Code>", "</Code>");
    let message = between(body, "<Message>", "</Message>");
    let said = [before.trim_end_matches([' ', ':']), code, message];
    let said: Vec<&str> = said.into_iter().filter(|it| !it.is_empty()).collect();
    let line = said.join(": ");
    let line = line.replace("Server returned non-2xx status code: ", "the store says ");
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ").chars().take(MAX_REASON).collect()
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let inside = text
        .split_once(begin)
        .and_then(|(_, rest)| rest.split_once(end));
    inside.map_or("", |(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Answer(&'static str);

    impl std::fmt::Display for Answer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Answer {}

    #[test]
    fn the_answer_of_the_store_is_told_on_one_line() {
        let answer = "Server returned non-2xx status code: 403 Forbidden: <?xml version=\"1.0\"?>\n<Error><Code>SignatureDoesNotMatch</Code>\n<Message>The key\nis wrong</Message></Error>";
        let error = Error::PermissionDenied {
            path: "x".to_owned(),
            source: Box::new(Answer(answer)),
        };
        let attempt = Attempt {
            during: "read",
            name: "eloqdb.repository",
            place: "s3://b/x",
        };
        let said = attempt.failed(&error);
        assert_eq!(
            said.to_string(),
            "can't read eloqdb.repository in s3://b/x: the store says 403 Forbidden: SignatureDoesNotMatch: The key is wrong"
        );
        let kind = |error| match attempt.failed(&error) {
            StoreError::Failed { kind, .. } => Some(kind),
            _ => None,
        };
        assert_eq!(kind(error), Some(ErrorKind::PermissionDenied));
        let not_found = |answer| Error::NotFound {
            path: "x".to_owned(),
            source: Box::new(Answer(answer)),
        };
        assert_eq!(kind(not_found("404 <?xml?><Code>NoSuchKey</Code>")), None);
        let bucket = not_found("404 <?xml?><Code>NoSuchBucket</Code>");
        assert_eq!(kind(bucket), Some(ErrorKind::NotFound));
        let unknown = Error::Generic {
            store: "S3",
            source: Box::new(Answer(
                "Server returned non-2xx status code: 501 Not Implemented: ",
            )),
        };
        assert_eq!(kind(unknown), Some(ErrorKind::Unsupported));
    }
}
