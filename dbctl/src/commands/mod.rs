//! The commands, one file each. To add one that the server carries out, add it to the server:
//! dbctl sends what it does not know. Help and completions have the list in `server_commands`.

mod archive;
mod asking;
mod backup;
mod certificate;
mod check;
mod completions;
mod config;
mod fwlog;
mod health;
mod help;
mod init;
pub(crate) mod input;
mod instance;
mod lost;
mod rejoin;
mod repair;
mod secondary;
mod server;
mod shutdown;
mod sql;
mod switchover;
mod user;
mod verify;
mod wait;

use init::find_server;

use crate::args::Command;
use crate::error::Result;
use crate::invocation::Invocation;

/// Runs one command.
pub(crate) async fn run(invocation: &mut Invocation, command: Command) -> Result<()> {
    match command {
        Command::Init { instance } => init::run(invocation, instance.as_deref()),
        Command::Instance(command) => instance::run(invocation, command),
        Command::Config(command) => config::run(invocation, command),
        Command::Archive(command) => archive::run(invocation, command),
        Command::Backup(command) => Box::pin(backup::run(invocation, command)).await,
        Command::Fwlog(command) => Box::pin(fwlog::run(invocation, command)).await,
        Command::Sql(arguments) => Box::pin(sql::run(invocation, arguments)).await,
        Command::Completions { shell } => completions::run(shell),
        Command::Help { words } => help::run(invocation, &words).await,
        Command::Server(words) => run_on_server(invocation, words).await,
    }
}

/// Options may stand behind the words of a command, too.
async fn run_on_server(invocation: &mut Invocation, mut words: Vec<String>) -> Result<()> {
    user::refuse_password(&words)?;
    invocation.take_options(&mut words)?;
    let mut take = |option: &str| {
        let before = words.len();
        words.retain(|word| word != option);
        words.len() < before
    };
    let wait = !take("--no-wait");
    if take("--help") || take("-help") {
        return help::run(invocation, &words).await;
    }
    let is = |index: usize, word: &str| {
        words
            .get(index)
            .is_some_and(|w| w.eq_ignore_ascii_case(word))
    };
    if is(0, "user") && (is(1, "create") || is(1, "password")) {
        return user::run(invocation, words).await;
    }
    if is(0, "shutdown") {
        return shutdown::run(
            invocation,
            &words,
            wait && !is(1, "cancel") && !is(1, "--cancel"),
        )
        .await;
    }
    if is(0, "status") && is(1, "--wait") {
        return wait::run(invocation, words.get(2..).unwrap_or_default()).await;
    }
    if is(0, "database") && is(1, "repair") {
        return repair::run(invocation, words).await;
    }
    if is(0, "rejoin") {
        words.insert(0, "replication".to_owned());
        return rejoin::run(invocation, words, wait).await;
    }
    if is(0, "replication") && is(1, "rejoin") {
        return rejoin::run(invocation, words, wait).await;
    }
    if is(0, "replication") && is(1, "verify") {
        return verify::run(invocation, &words).await;
    }
    if is(0, "replication") && is(1, "switchover") {
        return switchover::run(invocation, &words).await;
    }
    if is(0, "replication") && is(1, "check") {
        return check::run(invocation, &words).await;
    }
    if is(0, "lost") {
        return lost::run(invocation, &words).await;
    }
    secondary::fill_in(&mut words);
    if (is_word(&words, 0, "source") || is_word(&words, 0, "receiver"))
        && is_word(&words, 1, "checkhealth")
    {
        return health::run(invocation, &words).await;
    }
    server::run(invocation, &words).await
}

fn is_word(words: &[String], index: usize, word: &str) -> bool {
    words
        .get(index)
        .is_some_and(|it| it.eq_ignore_ascii_case(word))
}
