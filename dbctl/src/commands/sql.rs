//! `sql`: statements and scripts where psql is not at hand.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::pin::pin;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use tokio_postgres::error::ErrorPosition;

use crate::args::SqlArguments;
use crate::connection::{Answer, Connection, query_failure};
use crate::error::{CommandError, Result};
use crate::interrupt::Interrupt;
use crate::invocation::Invocation;
use crate::output;
use crate::script::{Copy, Script, ScriptError, Statement, Step};

/// Bytes of COPY data that are collected for one message.
const COPY_CHUNK: usize = 64 << 10;

pub(crate) async fn run(invocation: &mut Invocation, arguments: SqlArguments) -> Result<()> {
    let file = arguments
        .file
        .as_deref()
        .filter(|path| *path != Path::new("-"));
    let (input, source): (Box<dyn BufRead>, Source) = match (file, arguments.statement) {
        (_, Some(statement)) => (Box::new(io::Cursor::new(statement)), Source::Argument),
        (Some(path), None) => {
            let file = File::open(path).map_err(|error| CommandError::io("read", path, &error))?;
            (
                Box::new(BufReader::new(file)),
                Source::Script(path.display().to_string()),
            )
        }
        (None, None) => (
            Box::new(BufReader::new(io::stdin())),
            Source::Script("standard input".to_owned()),
        ),
    };
    let connection = invocation.connect(&arguments.database).await?;
    let mut runner = Runner {
        script: Script::new(input),
        source,
        connection,
        interrupt: Interrupt::listen(invocation.tls()?)?,
        single: arguments.single_transaction,
    };
    let done = runner.run_all(invocation).await;
    runner.connection.close().await;
    done
}

enum Source {
    /// The command line; the data of COPY comes from standard input.
    Argument,
    /// A file of that name.
    Script(String),
}

struct Runner {
    script: Script<Box<dyn BufRead>>,
    source: Source,
    connection: Connection,
    interrupt: Interrupt,
    /// All is one transaction.
    single: bool,
}

/// Whether what has gone before would be done, or taken back, without the rest.
fn ends_transaction(statement: &Statement) -> bool {
    let has = |wanted: &str| {
        let mut words = statement.sql.split_whitespace();
        words.any(|word| word.eq_ignore_ascii_case(wanted))
    };
    match statement.verb.as_str() {
        "COMMIT" | "END" | "ABORT" => true,
        "ROLLBACK" => !has("TO"),
        "PREPARE" => has("TRANSACTION"),
        _ => false,
    }
}

fn of_one_transaction(what: &str) -> CommandError {
    CommandError::error(format!(
        "{what} can't be in a script that is one transaction; nothing was done"
    ))
}

impl Runner {
    /// The whole script, as one transaction if that is wanted.
    async fn run_all(&mut self, invocation: &mut Invocation) -> Result<()> {
        if !self.single {
            return self.run(invocation).await;
        }
        self.control("BEGIN").await?;
        match self.run(invocation).await {
            Ok(()) => self.control("COMMIT").await,
            Err(failure) => {
                // The end of the connection takes it back as well.
                drop(self.control("ROLLBACK").await);
                Err(failure)
            }
        }
    }

    async fn control(&self, sql: &str) -> Result<()> {
        let done = self.connection.query(sql).await;
        done.map(drop).map_err(|error| query_failure(&error))
    }

    async fn run(&mut self, invocation: &mut Invocation) -> Result<()> {
        while let Some(step) = self
            .script
            .next()
            .map_err(|error| self.script_failure(error))?
        {
            match step {
                Step::Echo(text) => invocation.output.line(text)?,
                Step::Connect { line, .. } if self.single => {
                    return Err(self.placed(of_one_transaction("\\c"), line));
                }
                Step::Connect { database, line } => {
                    let connection = invocation.connect(&database).await;
                    let connection = connection.map_err(|failure| self.placed(failure, line))?;
                    std::mem::replace(&mut self.connection, connection)
                        .close()
                        .await;
                }
                Step::Statement(statement) if self.single && ends_transaction(&statement) => {
                    return Err(self.placed(of_one_transaction(&statement.verb), statement.line));
                }
                Step::Statement(statement) => self.statement(invocation, &statement).await?,
            }
        }
        Ok(())
    }

    async fn statement(&mut self, invocation: &Invocation, statement: &Statement) -> Result<()> {
        let interrupt = self.interrupt.clone();
        let _running = interrupt.running(&self.connection.client);
        let done = match statement.copy {
            Some(Copy::In) => self.copy_in(statement).await?,
            Some(Copy::Out) => return self.copy_out(statement).await,
            None => self.connection.query(&statement.sql).await,
        };
        let answers = done.map_err(|error| self.sql_failure(&error, statement))?;
        for answer in answers {
            match answer {
                Answer::Rows(table) => invocation.output.rows(&table)?,
                Answer::Done(count) => invocation.output.line(tag(&statement.verb, count))?,
            }
        }
        Ok(())
    }

    /// The outer error is about the data, the inner one is the server's.
    async fn copy_in(
        &mut self,
        statement: &Statement,
    ) -> Result<std::result::Result<Vec<Answer>, tokio_postgres::Error>> {
        let sink = match self
            .connection
            .client
            .copy_in::<_, Bytes>(&statement.sql)
            .await
        {
            Ok(sink) => sink,
            Err(error) => return Ok(Err(error)),
        };
        let mut sink = pin!(sink);
        let mut chunk = Vec::new();
        loop {
            let line = self.copy_line()?;
            let ended = line.is_none();
            chunk.extend(line.unwrap_or_default());
            if chunk.len() >= COPY_CHUNK || (ended && !chunk.is_empty()) {
                let message = Bytes::from(std::mem::take(&mut chunk));
                if let Err(error) = sink.send(message).await {
                    return Ok(Err(error));
                }
            }
            if ended {
                break;
            }
        }
        Ok(sink.finish().await.map(|count| vec![Answer::Done(count)]))
    }

    fn copy_line(&mut self) -> Result<Option<Vec<u8>>> {
        if let Source::Script(_) = self.source {
            return self
                .script
                .copy_line()
                .map_err(|error| self.script_failure(error));
        }
        let mut line = Vec::new();
        match io::stdin().lock().read_until(b'\n', &mut line) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(line)),
            Err(error) => Err(CommandError::error(format!(
                "cannot read standard input: {error}"
            ))),
        }
    }

    async fn copy_out(&self, statement: &Statement) -> Result<()> {
        let failed = |error: tokio_postgres::Error| self.sql_failure(&error, statement);
        let stream = self
            .connection
            .client
            .copy_out(&statement.sql)
            .await
            .map_err(failed)?;
        let mut stream = pin!(stream);
        while let Some(data) = stream.next().await {
            output::bytes(&data.map_err(failed)?)?;
        }
        Ok(())
    }

    fn script_failure(&self, error: ScriptError) -> CommandError {
        self.placed(CommandError::error(error.message), error.line)
    }

    fn sql_failure(&self, error: &tokio_postgres::Error, statement: &Statement) -> CommandError {
        let position = match error.as_db_error().and_then(|error| error.position()) {
            Some(ErrorPosition::Original(position)) => *position,
            _ => 1,
        };
        let before = statement
            .sql
            .chars()
            .take(position.saturating_sub(1) as usize);
        let line = statement.line + before.filter(|letter| *letter == '\n').count();
        self.placed(query_failure(error), line)
    }

    fn placed(&self, failure: CommandError, line: usize) -> CommandError {
        match &self.source {
            Source::Argument => failure,
            Source::Script(name) => failure.at(&format!("{name}:{line}")),
        }
    }
}

/// The line that psql prints for a statement without result.
fn tag(verb: &str, count: u64) -> String {
    match verb {
        "INSERT" => format!("INSERT 0 {count}"),
        "UPDATE" | "DELETE" | "MERGE" | "COPY" => format!("{verb} {count}"),
        _ => verb.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_the_protocol() {
        assert_eq!(tag("INSERT", 3), "INSERT 0 3");
        assert_eq!(tag("DELETE", 1), "DELETE 1");
        assert_eq!(tag("CREATE TABLE", 0), "CREATE TABLE");
    }
}
