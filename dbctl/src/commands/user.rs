//! `user create NAME` and `user password NAME`: the password is asked for here, and only its
//! verifier travels.

use crate::commands::server;
use crate::credentials::{new_password, verifier};
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;

/// Where a new password comes from when nobody can be asked.
const NEW_PASSWORD: &str = "EQ_NEWPASSWORD";

pub(crate) async fn run(invocation: &mut Invocation, words: Vec<String>) -> Result<()> {
    let words = plain_options(words);
    let command = with_verifier(words, |name| {
        Ok(verifier(&new_password(name, NEW_PASSWORD)?))
    })?;
    server::run(invocation, &command).await
}

/// Behind `user create NAME` an option with a password would be taken for the new user's, and it is that of who
/// asks.
pub(crate) fn refuse_password(words: &[String]) -> Result<()> {
    let is = |index: usize, known: &[&str]| {
        let word = words.get(index);
        word.is_some_and(|word| known.iter().any(|known| word.eq_ignore_ascii_case(known)))
    };
    let names_password = |word: &String| {
        word.starts_with("--password") || (word.starts_with("-p") && !word.starts_with("--"))
    };
    if !is(0, &["user"]) || !is(1, &["create", "password"]) {
        return Ok(());
    }
    let behind = words.iter().skip(2).take_while(|word| *word != "--");
    match behind.into_iter().find(|word| names_password(word)) {
        None => Ok(()),
        Some(option) => {
            let option = option.split('=').next().unwrap_or(option);
            let option = if option.starts_with("--") {
                option
            } else {
                "-p"
            };
            Err(CommandError::usage(format!(
                "{option} is how you log in; the user's new password does not belong on the command line"
            ))
            .with_hint(format!(
                "the new password is asked for, or taken from {NEW_PASSWORD}; {option} stands before 'user'"
            )))
        }
    }
}

/// `--privilege dba` and `--privilege=dba` are `privilege dba`, as the server has it.
fn plain_options(words: Vec<String>) -> Vec<String> {
    let plain = |word: String| match word.strip_prefix("--privilege") {
        Some("") => vec!["privilege".to_owned()],
        Some(value) if value.starts_with('=') => {
            vec![
                "privilege".to_owned(),
                value.trim_start_matches('=').to_owned(),
            ]
        }
        _ => vec![word],
    };
    words.into_iter().flat_map(plain).collect()
}

/// `user create NAME option…` becomes `user create NAME password VERIFIER option…`, and
/// `user password NAME` becomes `user password NAME VERIFIER`.
fn with_verifier(
    mut words: Vec<String>,
    verifier: impl FnOnce(&str) -> Result<String>,
) -> Result<Vec<String>> {
    let Some(name) = words.get(2).cloned() else {
        return Err(CommandError::usage("the name of the user is missing")
            .with_hint("user create NAME, user password NAME"));
    };
    let given = words
        .iter()
        .skip(3)
        .any(|word| word.eq_ignore_ascii_case("password"));
    let change = words
        .get(1)
        .is_some_and(|word| word.eq_ignore_ascii_case("password"));
    if given || (change && words.len() > 3) {
        return Err(
            CommandError::usage("a password does not belong on the command line").with_hint(
                format!("leave it out: it is asked for, or taken from {NEW_PASSWORD}"),
            ),
        );
    }
    if !change {
        check_options(&words)?;
    }
    let verifier = verifier(&name)?;
    if change {
        words.push(verifier);
    } else {
        words.splice(3..3, ["password".to_owned(), verifier]);
    }
    Ok(words)
}

/// What can't be right is said before a password is asked for; the server has the last word.
fn check_options(words: &[String]) -> Result<()> {
    const PRIVILEGES: [&str; 3] = ["dba", "operator", "user"];
    let is = |word: &str, wanted: &str| word.eq_ignore_ascii_case(wanted);
    match words.get(3..).unwrap_or_default() {
        [] => Ok(()),
        [word, privilege] if is(word, "privilege") => {
            if PRIVILEGES.iter().any(|known| is(privilege, known)) {
                return Ok(());
            }
            Err(
                CommandError::usage(format!("there is no privilege '{privilege}'"))
                    .with_hint("dba, operator or user"),
            )
        }
        _ => Err(CommandError::usage(
            "usage: user create NAME [--privilege dba|operator|user]",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(line: &str) -> Result<Vec<String>> {
        let words = line.split_whitespace().map(str::to_owned).collect();
        with_verifier(plain_options(words), |name| Ok(format!("V({name})")))
    }

    #[test]
    fn the_verifier_follows_the_name() {
        assert_eq!(
            sent("user create bob privilege operator")
                .unwrap()
                .join(" "),
            "user create bob password V(bob) privilege operator"
        );
        assert_eq!(
            sent("user password bob").unwrap().join(" "),
            "user password bob V(bob)"
        );
    }

    #[test]
    fn whose_password_an_option_has_is_never_guessed() {
        let refused = |line: &str| {
            let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
            refuse_password(&words).map_err(|failure| failure.message)
        };
        for (line, option) in [
            ("user create bob --password x", "--password "),
            ("user create bob --password=x", "--password "),
            ("user password bob -p x", "-p "),
            ("User Create bob -psecret", "-p "),
            ("user create bob --password-file pw", "--password-file "),
        ] {
            let told = refused(line).unwrap_err();
            assert!(
                told.starts_with(&format!("{option}is how you log in")),
                "{told}"
            );
            assert!(!told.contains("secret"), "{told}");
        }
        for line in [
            "user create bob --privilege dba",
            "user create -- -p",
            "user list -p x",
            "database create user -p x",
        ] {
            assert_eq!(refused(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn a_password_on_the_command_line_is_refused() {
        for line in [
            "user create bob password x",
            "user password bob secret",
            "user create",
            "user create bob privilege boss",
            "user create bob boss",
        ] {
            assert!(sent(line).is_err(), "{line}");
        }
    }
}
