//! `help [command]`.

use clap::CommandFactory as _;

use crate::args::Arguments;
use crate::commands::server;
use crate::error::Result;
use crate::invocation::Invocation;
use crate::output;

/// Help on all commands of this version is here, without a server.
pub(crate) async fn run(invocation: &mut Invocation, words: &[String]) -> Result<()> {
    if words.is_empty() {
        return output::text(&Arguments::command().render_help().to_string());
    }
    let mut all = crate::command_line();
    // Builds the names and usage lines of the subcommands.
    all.build();
    let mut command = Some(&mut all);
    for word in words {
        command =
            command.and_then(|command| command.find_subcommand_mut(word.to_ascii_lowercase()));
    }
    if let Some(known) = command {
        return output::text(&known.render_help().to_string());
    }
    // A newer server may know it.
    let mut question = vec!["help".to_owned()];
    question.extend_from_slice(words);
    server::run(invocation, &question).await
}
