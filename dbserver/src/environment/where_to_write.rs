//! What whoever wants to write on a server that takes no writes is told: where to do it, as far as this server knows.

use crate::databases::handover::Handover;
use crate::environment::state::Environment;

impl Environment {
    /// The hint of 25006.
    pub(crate) fn where_to_write(&self) -> String {
        let core = self.core();
        if let (Some(_), Some(words)) = (self.paused(), self.paused_in_words()) {
            return format!("This server is {words}. 'dbctl status' shows it; try again.");
        }
        let (handover, fence) = {
            let control = core.control();
            (control.handover.clone(), control.fence.clone())
        };
        if let Some(fence) = fence {
            let by = fence.by;
            return format!("This server was left behind as the root: write on {by}.");
        }
        if let Some(Handover::Given { to, .. }) = handover {
            return format!(
                "This server gave the role of the root to {to}, and has not heard what became of that: write on {to}, or let 'dbctl replication switchover {to}' go on with it."
            );
        }
        let path = core.tree().path(core.instance().speaker());
        let root = path.root().map(|root| root.name.as_str());
        let root = root.filter(|name| *name != core.config().server.instance);
        let Some(root) = root else {
            return "This server is a slave: write on its master.".to_owned();
        };
        let masters = &core.config().replication.redirect_write;
        let addresses: Vec<String> = masters.iter().map(ToString::to_string).collect();
        let at = if addresses.is_empty() {
            String::new()
        } else {
            format!(" ({})", addresses.join(", "))
        };
        format!("This server is a slave: the root is {root}{at}; write there.")
    }
}
