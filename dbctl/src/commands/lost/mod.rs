//! `lost check | apply | keep`: transactions that only a former root had, read from the directory that it has kept.
//!
//! The other commands of `lost` are the server's. These read files where they run, and do the rest in sessions of the
//! root as anybody else would.

mod apply;
mod check;
mod conflict;
mod examine;
mod keep;
mod root;

use std::path::PathBuf;

use crate::commands::lost::apply::Policy;
use crate::commands::server;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;

const APPLY: &str = "dbctl lost apply FILE [--conflict skip|stop|overwrite] [--only N] [--dry-run]";
const CHECK: &str = "dbctl lost check FILE|NAME";

/// Carries out one of them, or hands the words on.
pub(crate) async fn run(invocation: &mut Invocation, words: &[String]) -> Result<()> {
    let word = words.get(1).map(|word| word.to_ascii_lowercase());
    let rest = words.get(2..).unwrap_or_default();
    match word.as_deref() {
        Some("apply") => {
            let wish = Wish::parse(rest)?;
            Box::pin(apply::run(invocation, &wish)).await
        }
        Some("keep") => keep::run(invocation, rest),
        Some("check") => match rest {
            [what] => check::run(invocation, what).await,
            _ => Err(usage(CHECK)),
        },
        _ => server::run(invocation, words).await,
    }
}

fn usage(usage: &str) -> CommandError {
    CommandError::usage(format!("usage: {usage}"))
}

/// What `lost apply` is to do.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    file: PathBuf,
    policy: Policy,
    /// The number of the one transaction that is meant, from 1 on.
    only: Option<u64>,
    dry_run: bool,
}

impl Wish {
    fn parse(words: &[String]) -> Result<Self> {
        let mut file = None;
        let mut wish = Self {
            file: PathBuf::new(),
            policy: Policy::Skip,
            only: None,
            dry_run: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (option, given) = match word.split_once('=') {
                Some((option, value)) if option.starts_with("--") => (option, Some(value)),
                _ => (word.as_str(), None),
            };
            let mut value = || given.or_else(|| words.next().map(String::as_str));
            match option {
                "--dry-run" => wish.dry_run = true,
                "--conflict" => {
                    let policy = value().and_then(Policy::of);
                    wish.policy = policy.ok_or_else(|| usage(APPLY))?;
                }
                "--only" => {
                    let number = value().and_then(|value| value.parse().ok());
                    wish.only = Some(number.filter(|n| *n > 0).ok_or_else(|| usage(APPLY))?);
                }
                option if option.starts_with("--") || file.is_some() => return Err(usage(APPLY)),
                path => file = Some(PathBuf::from(path)),
            }
        }
        wish.file = file.ok_or_else(|| usage(APPLY))?;
        Ok(wish)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_apply_say_what_is_wished() {
        let parse = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            Wish::parse(&words)
        };
        let wish = parse("--conflict=stop lost/a --only 7 --dry-run").unwrap();
        let expected = Wish {
            file: PathBuf::from("lost/a"),
            policy: Policy::Stop,
            only: Some(7),
            dry_run: true,
        };
        assert_eq!(wish, expected);
        assert_eq!(parse("a").unwrap().policy, Policy::Skip);
        for wrong in [
            "",
            "a b",
            "a --only 0",
            "a --only x",
            "a --conflict",
            "a --conflict all",
            "a --force",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
