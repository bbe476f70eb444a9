//! The rules of access with the names in them looked up.

use std::sync::Arc;

use dbconfig::access::Known;
use dbconfig::host::HostName;
use dbconfig::{Access, Asked, Decision};
use futures::future::join_all;

use crate::clients::names::Names;

/// Rules, and what their names stand for.
pub(crate) struct Gate {
    access: Access,
    names: Arc<Names>,
}

impl Gate {
    /// The gate of these rules.
    pub(crate) fn new(access: &Access) -> Self {
        Self {
            access: access.clone(),
            names: Names::new(),
        }
    }

    /// Whether somebody may come in.
    ///
    /// Error: the rule that keeps it out, with file and line. That is for the log alone.
    pub(crate) async fn judge(&self, asked: &Asked<'_>) -> Result<(), String> {
        let mut known = Known::new();
        loop {
            let names = match self.access.decide(asked, &known) {
                Decision::Permitted => return Ok(()),
                Decision::Refused(refusal) => {
                    return Err(match refusal.unresolved {
                        None => refusal.rule.to_owned(),
                        Some(name) => format!("{}, {name} can't be resolved", refusal.rule),
                    });
                }
                Decision::Ask(names) => names,
            };
            let found = join_all(names.into_iter().map(|name| self.look_up(name))).await;
            known.extend(found);
        }
    }

    async fn look_up(&self, name: &HostName) -> (HostName, Option<Vec<std::net::IpAddr>>) {
        (name.clone(), self.names.addresses(name).await)
    }
}
