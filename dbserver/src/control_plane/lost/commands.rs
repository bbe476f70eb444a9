//! The commands about lost transactions.

use crate::control_plane::{Command, Needs, lost};

pub(crate) static LOST: &[Command] = &[
    Command {
        words: &["lost", "list"],
        usage: "lost list",
        what: "the directories of lost transactions that this server keeps",
        needs: Needs::Operator,
        run: lost::list,
    },
    Command {
        words: &["lost", "status"],
        usage: "lost status",
        what: "all forks behind which transactions were lost, and what came of those",
        needs: Needs::Anyone,
        run: lost::status,
    },
    Command {
        words: &["lost", "check"],
        usage: "lost check FILE|NAME",
        what: "whether a file of lost transactions, or all that is known of the instance NAME, still has to be applied; exit code 0 no, 1 yes",
        needs: Needs::Anyone,
        run: lost::by_dbctl,
    },
    Command {
        words: &["lost", "apply"],
        usage: "lost apply FILE [--conflict skip|stop|overwrite] [--only N] [--dry-run]",
        what: "do the lost transactions of a file again at the root, each once, as a whole, and where all its rows are as they were",
        needs: Needs::Anyone,
        run: lost::by_dbctl,
    },
    Command {
        words: &["lost", "keep"],
        usage: "lost keep POSITION [--secondary]",
        what: "without a server: make the directory of all that this instance's log has behind POSITION",
        needs: Needs::Anyone,
        run: lost::by_dbctl,
    },
    Command {
        words: &["lost", "complete"],
        usage: "lost complete",
        what: "say that all lost transactions that are known are done, here and on every instance",
        needs: Needs::Dba,
        run: lost::complete,
    },
    Command {
        words: &["lost", "floor"],
        usage: "lost floor [POSITION | none]",
        what: "from where on eloqdb_changed_since_fork takes a row for changed: the oldest fork that is not settled, or the POSITION that is set",
        needs: Needs::Dba,
        run: lost::floor,
    },
    Command {
        words: &["lost", "purge"],
        usage: "lost purge NAME [--yes]",
        what: "remove a directory of lost transactions for good; --yes where they are not settled",
        needs: Needs::Dba,
        run: lost::purge,
    },
    Command {
        words: &["lost", "outcomes"],
        usage: "lost outcomes [GENERATION]",
        what: "what came of lost transactions that were done again: of one generation of the log, or of all",
        needs: Needs::Operator,
        run: lost::outcomes,
    },
    Command {
        words: &["lost", "fork"],
        usage: "lost fork POSITION HASH",
        what: "whether the log of this server has that point: what 'lost check' and 'lost apply' ask the root",
        needs: Needs::Operator,
        run: lost::fork,
    },
    Command {
        words: &["lost", "register"],
        usage: "lost register INSTANCE ID primary|secondary POSITION HASH COMMIT TRANSACTIONS [GENERATION …]",
        what: "note a fork behind which transactions were lost, on every instance and for every later root",
        needs: Needs::Operator,
        run: lost::register,
    },
];
