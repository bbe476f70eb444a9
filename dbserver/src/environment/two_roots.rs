//! Two instances that became the root behind one point: neither yields, and each says so until that is settled.

use dbproto::Standing;
use fwlog::Rival;

use crate::environment::replication_status::ReplicationStatus;
use crate::environment::state::Environment;

impl Environment {
    /// Another one is the root, too. It is in the file of the instance, so that a restart does not forget it.
    pub(crate) fn note_rival(&self, rival: Rival) {
        self.core().instance().set_rival(Some(rival));
    }

    /// Who is the root, too; settled once the log of one of the two is the other's: this one has got its generation, or it
    /// follows this one.
    pub(crate) fn rival(&self) -> Option<Rival> {
        let rival = self.core().instance().rival()?;
        let has = |line: &fwlog::HistoryLine| {
            line.number == rival.ours && line.parent.position >= rival.at
        };
        let instance = self.core().instance();
        let own = &self.config().server.instance;
        let goes_on = instance.with_history(|history| {
            history
                .branch()
                .iter()
                .any(|it| has(it) && it.instance == *own)
        });
        if goes_on && !self.is_fed_here(&rival.name) {
            return Some(rival);
        }
        instance.set_rival(None);
        tracing::info!(other = rival.name, "there is one root again");
        None
    }

    /// The other one is a slave of this log.
    fn is_fed_here(&self, name: &str) -> bool {
        let known = ReplicationStatus::on_this_log(self).unwrap_or_default();
        known
            .iter()
            .any(|(slave, standing)| slave == name && *standing == Standing::Following)
    }

    /// The same for people, with what to do about it.
    pub(crate) fn two_roots_in_words(&self) -> Option<String> {
        let Rival {
            at,
            ours,
            theirs,
            name,
        } = self.rival()?;
        let own = &self.config().server.instance;
        Some(format!(
            "{own} and {name} are both roots: up to {at} both logs are the same; behind it generation {ours} was begun by {own}, and generation {theirs} by {name}; make one of them a slave (Role = Slave in section [Replication] of its eloqdb.cfg, and a restart), and start the dbrepl of the other one with --resync"
        ))
    }
}
