//! `help [command]`.

use clap::CommandFactory as _;

use crate::args::Arguments;
use crate::commands::server;
use crate::error::Result;
use crate::invocation::Invocation;
use crate::output;

/// Help on dbctl and its own commands is here; on all else the server has it.
pub(crate) async fn run(invocation: &mut Invocation, words: &[String]) -> Result<()> {
    let mut command = Arguments::command();
    let Some(name) = words.first() else {
        return output::text(&command.render_help().to_string());
    };
    // Builds the names and usage lines of the subcommands.
    command.build();
    if let Some(local) = command.find_subcommand_mut(name) {
        return output::text(&local.render_help().to_string());
    }
    let mut question = vec!["help".to_owned()];
    question.extend_from_slice(words);
    server::run(invocation, &question).await
}
