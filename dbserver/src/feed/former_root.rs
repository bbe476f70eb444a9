//! A former root that has lost transactions which nobody has settled is fed by the root alone (`FormerRootBelow`): below another
//! slave it would pass for one that has nothing more to say.

use dbproto::{Identify, Refuse, state};

use crate::environment::Core;

/// Asked once the source has proved that the own log is the beginning of its own.
pub(super) fn refuse(core: &Core, source: &Identify) -> Result<(), Refuse> {
    if core.config().replication.former_root_below_any {
        return Ok(());
    }
    let Some(greeting) = &source.greeting else {
        return Ok(());
    };
    let Some(path) = greeting.above.as_ref().map(|above| &above.path) else {
        return Ok(());
    };
    if path.root() == Some(path.own()) {
        return Ok(());
    }
    let is_settled = |id| greeting.settled.as_ref().is_some_and(|it| it.contains(id));
    let unsettled = core.forks().lost.unsettled().into_iter();
    let mut unsettled = unsettled.filter(|fork| !is_settled(fork.id()));
    let Some(fork) = unsettled.next() else {
        return Ok(());
    };
    let (own, at) = (&core.config().server.instance, fork.fork.position);
    let source = &path.own().name;
    let root = path.root().map(|root| format!(" ({})", root.name));
    let root = root.unwrap_or_default();
    let message = format!(
        "{own} was root until {at} and has unsettled lost transactions: it must rejoin at the root{root} first"
    );
    Err(Refuse::new(state::LEFT_BEHIND, message)
        .detail(format!(
            "{source} is no root, and {own} keeps {} transactions that the root has not",
            fork.transactions
        ))
        .hint(format!(
            "let the root{root} feed it; or do them again there ('dbctl lost apply') and say 'dbctl lost complete': then {source} may feed it, too. FormerRootBelow = any in the eloqdb.cfg of {own} allows it as it is"
        )))
}
