//! Who may come to which database, from where: before anything is asked of the client, so that one that is
//! refused costs no key derivation, and before its session is handed on.

use std::collections::BTreeMap;

use dbconfig::{Asked, Origin, Target};
use pgtypes::SqlState;

use crate::environment::Environment;
use crate::failure::Failure;
use crate::peer::PeerHost;
use crate::pg::acting;
use crate::pg::caller::{Caller, claimed};
use crate::pg::service::Service;
use crate::pg::startup::{self, Purpose};

/// Looks at the rules. The client is told what it has said itself, and nothing of them; the log gets the rule from
/// `caller`.
///
/// Error: 28000.
pub(super) async fn check(
    service: &Service,
    environment: &Environment,
    caller: &mut Caller,
    parameters: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let text = |name: &str| parameters.get(name).map_or("", String::as_str);
    let user = text("user");
    // A forwarder comes from RedirectFrom, and tells where the client is: only then does it speak for one.
    let acted_for = acting::claimed(parameters).filter(|_| caller.through.is_some());
    let user = acted_for.unwrap_or(user);
    let database = Some(text("database")).filter(|name| !name.is_empty());
    let database = startup::named(environment, database.unwrap_or(text("user")).to_owned());
    let replication = parameters.get("replication").map(String::as_str);
    let names = environment.names_of(&database);
    let targets = match startup::purpose(replication) {
        Ok(Purpose::ForwardLog | Purpose::Base) => vec![Target::Replication],
        // What is no purpose is refused once somebody has logged in.
        Ok(Purpose::Sql) | Err(_) => names.iter().map(|name| Target::Database(name)).collect(),
    };
    let host = match caller.client.host() {
        PeerHost::Address(address) => PeerHost::Address(address.to_canonical()),
        local @ PeerHost::Local { .. } => local,
    };
    let origin = match host {
        PeerHost::Address(address) => Origin::Address(address),
        PeerHost::Local { .. } => Origin::Local,
    };
    let mut refused = None;
    for target in targets {
        let asked = Asked {
            origin,
            user,
            target,
        };
        refused = refused.or(service.gate().judge(&asked).await.err());
    }
    let Some(rule) = refused else {
        return Ok(());
    };
    let (user, database) = (claimed(user), claimed(&database));
    caller.refused_by = Some(rule);
    let why = format!("no access for host \"{host}\", user \"{user}\", database \"{database}\"");
    Err(Failure::fatal(
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        why,
    ))
}
