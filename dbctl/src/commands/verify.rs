//! `replication verify SLAVE`: are the databases of a slave those of its master, while both run?

use peers::compare::{self, Rows, Unequal, Verdict};

use crate::commands::asking::{self, connect_to_slave};
use crate::commands::server;
use crate::connection::{Connection, SYSTEM_DATABASE};
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{self, Table};

pub(crate) async fn run(invocation: &mut Invocation, command: &[String]) -> Result<()> {
    let [_, _, slave] = command else {
        // A slave does it by itself; the server has the words for the rest.
        return server::run(invocation, command).await;
    };
    let master = invocation.connect(SYSTEM_DATABASE).await?;
    let peer = connect_to_slave(invocation, &master, slave).await?;
    let (verdict, left_open) = compare::compare(&master, &peer).await;
    for failure in left_open {
        output::note(format_args!(
            "warning: a cut stays open for a minute: {}",
            failure.message
        ));
    }
    master.close().await;
    peer.close().await;
    let verdict = verdict?;
    show(invocation, &verdict)?;
    check(&verdict)
}

/// That they are equal.
pub(super) fn check(verdict: &Verdict) -> Result<()> {
    if verdict.equal {
        Ok(())
    } else {
        Err(CommandError::error("the databases differ")
            .with_hint("docs/recovery.md says what to do; 'dbrepl --resync' makes the slave right"))
    }
}

impl compare::Server for Connection {
    type Error = CommandError;

    async fn ask(&self, words: &[String]) -> Result<Rows> {
        asking::ask(self, words).await.map(|table| table.rows)
    }

    async fn ask_json(&self, words: &[String]) -> Result<String> {
        asking::json(self, words).await
    }
}

impl From<Unequal> for CommandError {
    fn from(unequal: Unequal) -> Self {
        Self::error(unequal.message).with_hint(unequal.hint)
    }
}

pub(super) fn show(invocation: &Invocation, verdict: &Verdict) -> Result<()> {
    if invocation.output.json {
        return output::json(verdict);
    }
    let result = if verdict.equal { "equal" } else { "different" };
    invocation.output.line(format_args!(
        "{result}: master \"{}\" and slave \"{}\" at commit {}",
        verdict.master, verdict.slave, verdict.commit
    ))?;
    let mut table = Table::new(&["database", "pages", "result", "checksum"]);
    for database in &verdict.databases {
        let result = match (database.first_differing_page, database.skipped) {
            _ if database.left_out => "not applied by the slave: not compared".into(),
            (Some(page), _) => format!("page {page} differs"),
            (None, true) => {
                "not in the slave's last checkpoint: compared after the next one".into()
            }
            (None, false) => "equal".into(),
        };
        table.push([
            database.database.clone(),
            database.pages.to_string(),
            result,
            database.checksum.clone().unwrap_or_default(),
        ]);
    }
    invocation.output.result(&table)
}
