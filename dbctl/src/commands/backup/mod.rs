//! `backup`: backups of a running server in a repository.

mod create;
mod list;
mod older;
mod one_database;
mod open;
mod prune;
mod restore;
mod scratch;
mod staging;
mod taking;
mod verify;

use crate::backup_args::BackupCommand;
use crate::commands::archive::{Named, placed};
use crate::commands::server;
use crate::error::Result;
use crate::invocation::Invocation;

pub(crate) async fn run(invocation: &mut Invocation, command: BackupCommand) -> Result<()> {
    match command {
        BackupCommand::Create(mut arguments) => {
            arguments.url = Named::of(invocation, &arguments.url)?.place;
            create::run(invocation, arguments).await
        }
        BackupCommand::List(arguments) => list::run(invocation, &placed(invocation, arguments)?),
        BackupCommand::Verify(mut arguments) => {
            arguments.place = placed(invocation, arguments.place)?;
            verify::run(invocation, &arguments)
        }
        BackupCommand::Prune(arguments) => prune::run(invocation, &arguments),
        BackupCommand::Restore(mut arguments) => {
            arguments.from = Named::of(invocation, &arguments.from)?.place;
            match &arguments.database {
                Some(database) => one_database::run(invocation, &arguments, database).await,
                None => restore::run(invocation, &arguments),
            }
        }
        BackupCommand::Start => mode(invocation, "start").await,
        BackupCommand::Stop => mode(invocation, "stop").await,
        BackupCommand::Status => mode(invocation, "status").await,
    }
}

/// The backup mode is the server's.
async fn mode(invocation: &mut Invocation, word: &str) -> Result<()> {
    server::run(invocation, &["backup".to_owned(), word.to_owned()]).await
}
