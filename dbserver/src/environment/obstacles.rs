//! What keeps a slave from becoming the root: named before anything is changed.

use crate::databases::list::SYSTEM_DATABASE;
use crate::environment::slave::Slave;
use crate::environment::state::Environment;
use crate::error::EngineError;

impl Environment {
    /// Whether this server may be the root, by its configuration.
    pub fn may_lead(&self) -> bool {
        self.config().replication.may_lead
    }

    /// Whether it has users: one that has received nothing has none.
    pub fn has_users(&self) -> bool {
        let system = self.core().databases().by_id(SYSTEM_DATABASE);
        system.is_some_and(|system| system.store().latest().1 > 0)
    }

    /// Why it does not apply its log at present, if it is a slave that does not.
    pub fn applying_is_held(&self) -> Option<String> {
        self.slave()?.progress().why_suspended()
    }

    /// What no operator overrides but by the configuration, or by more of the log.
    pub(super) fn refuse_to_lead(&self) -> Result<(), EngineError> {
        if !self.may_lead() {
            return Err(EngineError::CannotLead {
                obstacle: "this server has Priority = 0".to_owned(),
                hint: Some("Promote another slave; or set Priority in section [Replication] of its eloqdb.cfg, and restart it.".into()),
            });
        }
        if self.core().id().is_some() && !self.has_users() {
            return Err(EngineError::CannotLead {
                obstacle: "this slave has no users yet: it has not received those of its master"
                    .to_owned(),
                hint: Some("Let dbrepl bring it further; or promote another slave.".into()),
            });
        }
        Ok(())
    }

    /// A session, or an operator, holds back what is applied.
    pub(super) fn refuse_while_held(slave: &Slave) -> Result<(), EngineError> {
        match slave.progress().why_suspended() {
            Some(why) => Err(EngineError::CannotLead {
                obstacle: format!("this slave does not apply its log: {why}"),
                hint: Some(
                    "End that, and try again; --force ends the sessions that hold it back.".into(),
                ),
            }),
            None => Ok(()),
        }
    }
}
