//! How much was tried.

use std::fmt;
use std::ops::AddAssign;

/// Counts of what was done and checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Transactions given to a master.
    pub transactions: u64,
    /// Pages that a reader compared with what must be there.
    pub compared: u64,
    /// Operations of all disks.
    pub operations: u64,
    /// Checkpoints asked for.
    pub checkpoints: u64,
    /// Processes killed.
    pub kills: u64,
    /// Power cuts.
    pub power_cuts: u64,
    /// Clean stops.
    pub stops: u64,
    /// Starts, with recovery.
    pub starts: u64,
    /// Disks that began to fail.
    pub failing_disks: u64,
    /// Disks that were full.
    pub full_disks: u64,
    /// Connections of dbrepl.
    pub connections: u64,
    /// Connections that were cut.
    pub cuts: u64,
    /// Jumps of the clock.
    pub clock_jumps: u64,
    /// Switches of roles.
    pub role_switches: u64,
    /// Handovers of the role that were begun.
    pub handovers: u64,
    /// Those after which the other server was the root.
    pub handovers_taken: u64,
    /// Roles that were changed in the running process.
    pub roles_in_process: u64,
    /// Former masters that were ahead, and refused.
    pub forks_refused: u64,
    /// Those that went back by cutting their log.
    pub rejoins_by_cut: u64,
    /// Those that went back with pages out of their log.
    pub rejoins_by_log: u64,
    /// Power cuts on the way.
    pub rejoins_cut: u64,
    /// Forks that the master knows of in the end.
    pub lost_known: u64,
    /// Forward logging switched off, or on again.
    pub moves: u64,
    /// Forward logs of slaves switched off, or on again.
    pub interrupts: u64,
    /// Slaves made from a copy of their master.
    pub copies: u64,
    /// Copies of a master that was not stopped cleanly, which were refused.
    pub copies_refused: u64,
    /// Cuts that were copied to their end.
    pub state_cuts: u64,
    /// Those of a master that had a transaction in the log in parts.
    pub state_cuts_in_parts: u64,
    /// Cuts that ended for want of room.
    pub state_cuts_ended: u64,
    /// Servers that were put in the place of others, made of a cut.
    pub state_cuts_used: u64,
    /// Copies over the base conversation that were complete.
    pub conversations: u64,
    /// Servers that began with one.
    pub conversations_used: u64,
    /// Those whose line was cut.
    pub conversations_cut: u64,
    /// Those that a side has refused.
    pub conversations_refused: u64,
    /// Segments of the master's log that nobody needed, or that were removed all the same.
    pub segments_removed: u64,
    /// Removals that were refused because a slave would be lost.
    pub removals_refused: u64,
    /// Slaves whose log was gone, and that got a copy.
    pub slaves_lost: u64,
    /// Data files made anew from the log.
    pub rebuilds: u64,
    /// Transactions in databases of one server alone that were answered.
    pub own_commits: u64,
    /// Bits flipped in files of a server that was down.
    pub flips: u64,
    /// Flips with which the server refused to start, or which a check of the log named.
    pub flips_found: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.transactions += other.transactions;
        self.compared += other.compared;
        self.operations += other.operations;
        self.checkpoints += other.checkpoints;
        self.kills += other.kills;
        self.power_cuts += other.power_cuts;
        self.stops += other.stops;
        self.starts += other.starts;
        self.failing_disks += other.failing_disks;
        self.full_disks += other.full_disks;
        self.connections += other.connections;
        self.cuts += other.cuts;
        self.clock_jumps += other.clock_jumps;
        self.role_switches += other.role_switches;
        self.handovers += other.handovers;
        self.handovers_taken += other.handovers_taken;
        self.roles_in_process += other.roles_in_process;
        self.forks_refused += other.forks_refused;
        self.rejoins_by_cut += other.rejoins_by_cut;
        self.rejoins_by_log += other.rejoins_by_log;
        self.rejoins_cut += other.rejoins_cut;
        self.lost_known += other.lost_known;
        self.moves += other.moves;
        self.interrupts += other.interrupts;
        self.copies += other.copies;
        self.copies_refused += other.copies_refused;
        self.state_cuts += other.state_cuts;
        self.state_cuts_in_parts += other.state_cuts_in_parts;
        self.state_cuts_ended += other.state_cuts_ended;
        self.state_cuts_used += other.state_cuts_used;
        self.conversations += other.conversations;
        self.conversations_used += other.conversations_used;
        self.conversations_cut += other.conversations_cut;
        self.conversations_refused += other.conversations_refused;
        self.segments_removed += other.segments_removed;
        self.removals_refused += other.removals_refused;
        self.slaves_lost += other.slaves_lost;
        self.rebuilds += other.rebuilds;
        self.own_commits += other.own_commits;
        self.flips += other.flips;
        self.flips_found += other.flips_found;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in [
            ("transactions", self.transactions),
            ("pages compared", self.compared),
            ("disk operations", self.operations),
            ("checkpoints", self.checkpoints),
            ("kills", self.kills),
            ("power cuts", self.power_cuts),
            ("clean stops", self.stops),
            ("starts", self.starts),
            ("failing disks", self.failing_disks),
            ("full disks", self.full_disks),
            ("connections", self.connections),
            ("cut lines", self.cuts),
            ("clock jumps", self.clock_jumps),
            ("role switches", self.role_switches),
            ("handovers", self.handovers),
            ("handovers taken", self.handovers_taken),
            ("roles changed in the process", self.roles_in_process),
            ("forks refused", self.forks_refused),
            ("rejoins by cut", self.rejoins_by_cut),
            ("rejoins by log", self.rejoins_by_log),
            ("power cuts in them", self.rejoins_cut),
            ("forks known", self.lost_known),
            ("logs moved", self.moves),
            ("slaves' logs off or on", self.interrupts),
            ("copies", self.copies),
            ("copies refused", self.copies_refused),
            ("cuts", self.state_cuts),
            ("cuts among parts", self.state_cuts_in_parts),
            ("cuts without room", self.state_cuts_ended),
            ("servers of cuts", self.state_cuts_used),
            ("copies complete", self.conversations),
            ("copies begun with", self.conversations_used),
            ("copies cut off", self.conversations_cut),
            ("copies ended", self.conversations_refused),
            ("segments removed", self.segments_removed),
            ("removals refused", self.removals_refused),
            ("slaves lost", self.slaves_lost),
            ("rebuilds", self.rebuilds),
            ("commits alone", self.own_commits),
            ("bit flips", self.flips),
            ("bit flips found", self.flips_found),
        ] {
            writeln!(f, "{name:>16}  {count}")?;
        }
        Ok(())
    }
}
