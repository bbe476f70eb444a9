//! What one simulation is made of, drawn from its seed.

use std::ops::Range;

use crate::draw::Draw as _;
use crate::hooks::Crash;
use dbconfig::{Config, Role};
use dbserver::databases::host::Host;
use disk::testing::Random;

/// Whether cuts are taken in this seed: in almost a third of them, with and without any other trouble.
const fn takes_cuts(seed: u64) -> bool {
    matches!(seed % 13, 4..=7)
}

/// Whether the role is handed over by the servers' own calls.
const fn hands_over(seed: u64) -> bool {
    matches!(seed % 23, 1 | 4 | 8 | 15 | 17 | 20 | 22)
}

/// Whether slaves get copies over the base conversation.
const fn copies_over_a_line(seed: u64) -> bool {
    matches!(seed % 17, 0 | 4 | 9..=11 | 13)
}

/// The seeds whose master removes log: those before them do what they always did.
const RETENTION: Range<u64> = 14_000_000..15_000_000;
/// Those whose last slave leaves a database out.
const PARTIAL: Range<u64> = 15_000_000..16_000_000;
/// Those whose servers have a database of their own each, beside the replicated ones.
const ALONE: Range<u64> = 16_000_000..17_000_000;

/// The first seed in which roles are switched, and who is ahead goes back by its own log.
const REJOINS_FROM: u64 = 17_000_000;

/// Whether who is ahead of a new master goes back by its own log, where it can.
const fn rejoins(seed: u64) -> bool {
    seed >= REJOINS_FROM || matches!(seed % 13, 1 | 5 | 6 | 9 | 11)
}

/// Drawn once a seed. Each kind of trouble is there in about half of the seeds: some bugs show only
/// where one kind is not disturbed by the others.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each kind of trouble is there or not"
)]
pub struct Settings {
    /// The seed that all follows from.
    pub seed: u64,
    /// How many steps are made before all is mended and compared.
    pub steps: u64,
    /// Slaves of the first master.
    pub slaves: usize,
    /// Commits wait for the disk (SyncMode = 1).
    pub sync_every_commit: bool,
    /// Blocks are compressed.
    pub compress: bool,
    /// dbrepl compresses what is stored uncompressed (-Z).
    pub pack: bool,
    /// Bytes after which a segment ends.
    pub segment_size: u64,
    /// Zeros ahead of the end of the log.
    pub preallocate: u64,
    /// Pages of a database, about.
    pub pages: u32,
    /// Pages of a record of the log: transactions of more pages come in parts.
    pub part_pages: u32,
    /// One transaction in so many is larger than that.
    pub large: Option<u64>,
    /// Other work goes on in the middle of checkpoints, syncs and recoveries.
    pub nested: bool,
    /// Processes are killed.
    pub kill: bool,
    /// The power fails.
    pub power: bool,
    /// Kills and power cuts come in the middle of an operation.
    pub within: bool,
    /// Reads, writes and syncs fail.
    pub errors: bool,
    /// Disks fill up.
    pub full: bool,
    /// Lines are cut.
    pub cuts: bool,
    /// The clock jumps.
    pub clock: bool,
    /// Databases are made, dropped and renamed.
    pub databases: bool,
    /// The roles are switched.
    pub roles: bool,
    /// They are switched in the running process instead of by a restart.
    pub roles_in_process: bool,
    /// Who is ahead of a new master goes back by its own log, where it can.
    pub rejoins: bool,
    /// Whoever may goes back by itself (`Rejoin = auto`).
    pub rejoins_by_itself: bool,
    /// Bits flip in the files of a server that is down.
    pub flips: bool,
    /// Forward logging is switched off and on; slaves are made anew afterwards.
    pub moves: bool,
    /// The forward logs of slaves are switched off and on.
    pub interrupts: bool,
    /// Cuts are taken, and servers made of them.
    pub state_cuts: bool,
    /// Slaves get copies from running servers over the base conversation.
    pub base_copies: bool,
    /// The master removes log by its rules, and slaves that are lost with it get copies over the base conversation.
    pub retention: bool,
    /// The last slave leaves out the second database.
    pub partial: bool,
    /// Each server has a database of its own.
    pub alone: bool,
    /// The role is handed over by the servers' own calls, and nothing is lost by it.
    pub handovers: bool,
    /// A master asks its slave before it writes after a start.
    pub guard: bool,
    /// Bytes of old pages in memory; more go to `TmpDir`.
    pub pinned_limit: u64,
}

impl Settings {
    /// The settings of this seed.
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let (part_pages, large) = match random.below(12) {
            // As in a server; such a transaction costs as much as a hundred others.
            0 => (256, Some(40)),
            1..=4 => (2 + random.small(6), Some(8)),
            _ => (256, None),
        };
        let chance = |random: &mut Random, one_in: u64| random.below(one_in) == 0;
        Self {
            seed,
            steps: 40 + random.below(160),
            slaves: 1 + usize::from(random.coin()),
            sync_every_commit: !chance(&mut random, 5),
            compress: random.coin(),
            pack: random.coin(),
            // Large transactions in small segments are a file for each page.
            segment_size: if large.is_some() { 32_768 } else { 4096 } << random.below(6),
            preallocate: if random.coin() { 8192 } else { 0 },
            pages: 4 + random.small(24),
            part_pages,
            large,
            nested: random.coin(),
            kill: random.coin(),
            power: random.coin(),
            within: random.coin(),
            errors: chance(&mut random, 3),
            full: chance(&mut random, 4),
            cuts: random.coin(),
            clock: chance(&mut random, 3),
            databases: random.coin(),
            roles: chance(&mut random, 4),
            // Not drawn, so that what all seeds do otherwise stays what it was.
            roles_in_process: seed % 4 == 1,
            flips: chance(&mut random, 4),
            moves: chance(&mut random, 6),
            // Not drawn either.
            interrupts: seed % 5 == 2,
            // Nor these.
            state_cuts: takes_cuts(seed),
            base_copies: copies_over_a_line(seed),
            retention: RETENTION.contains(&seed),
            partial: PARTIAL.contains(&seed),
            alone: ALONE.contains(&seed),
            rejoins: rejoins(seed),
            rejoins_by_itself: false,
            handovers: hands_over(seed) || ALONE.contains(&seed) && seed.is_multiple_of(2),
            guard: false,
            pinned_limit: if takes_cuts(seed) {
                4096 * (seed % 4)
            } else {
                Host::PINNED_LIMIT
            },
        }
        .without_contradictions()
    }

    /// A master and a slave, and no trouble but what somebody makes.
    pub(crate) fn calm(seed: u64) -> Self {
        Self {
            seed,
            steps: 0,
            slaves: 1,
            sync_every_commit: true,
            compress: true,
            pack: false,
            segment_size: 32_768,
            preallocate: 0,
            pages: 6,
            part_pages: 256,
            large: None,
            nested: false,
            kill: false,
            power: false,
            within: false,
            errors: false,
            full: false,
            cuts: false,
            clock: false,
            databases: false,
            roles: false,
            roles_in_process: false,
            rejoins: false,
            rejoins_by_itself: false,
            flips: false,
            moves: false,
            interrupts: true,
            state_cuts: false,
            base_copies: false,
            retention: false,
            partial: false,
            alone: false,
            handovers: false,
            guard: false,
            pinned_limit: Host::PINNED_LIMIT,
        }
    }

    /// The same, and the master asks its slave before it writes after a start. With an even seed commits do not wait for
    /// the disk.
    pub(crate) fn guarded(seed: u64) -> Self {
        Self {
            guard: true,
            sync_every_commit: !seed.is_multiple_of(2),
            interrupts: false,
            ..Self::calm(seed)
        }
    }

    /// The same as the calm ones, and whoever has more than its source goes back by itself.
    pub(crate) fn that_goes_back(seed: u64) -> Self {
        Self {
            rejoins_by_itself: true,
            compress: seed.is_multiple_of(2),
            interrupts: false,
            segment_size: 4096 << (seed % 6),
            ..Self::calm(seed)
        }
    }

    /// Where the log moves, only one server has all of it.
    fn without_contradictions(mut self) -> Self {
        if self.seed >= REJOINS_FROM {
            self.roles = true;
            self.moves = false;
            self.handovers = false;
        }
        self.roles &= !self.moves;
        self.flips &= !self.moves;
        if self.retention {
            // What is missing is missing by the rules alone, and a slave does not go back to where its slot was before.
            self.moves = false;
            self.roles = false;
            self.flips = false;
            self.interrupts = false;
            self.state_cuts = false;
            self.base_copies = false;
            self.handovers = false;
        }
        if self.partial {
            // It is no root and gives no copies; and by which name it leaves a database out does not change.
            self.databases = false;
            self.handovers = false;
        }
        if self.partial || self.alone {
            self.moves = false;
            self.roles = false;
            self.flips = false;
            self.interrupts = false;
            self.state_cuts = false;
            self.base_copies = false;
        }
        // What was not handed over may be lost; and who has no whole log is nobody's source.
        self.handovers &= !self.moves && !self.interrupts;
        self.roles &= !self.handovers;
        self
    }

    /// The worst way in which a server may end.
    pub(crate) fn worst_crash(&self) -> Option<Crash> {
        match (self.power, self.kill) {
            (true, _) => Some(Crash::Power),
            (false, true) => Some(Crash::Kill),
            (false, false) => None,
        }
    }

    /// The database that the server of this name leaves out.
    pub(crate) fn left_out(&self, instance: &str) -> Option<&'static str> {
        let is_last = instance == format!("s{}", self.slaves);
        (self.partial && is_last).then_some("d2")
    }

    /// The configuration of a server of this simulation.
    pub fn config(&self, instance: &str, role: Role) -> Result<Config, String> {
        let text = format!(
            "[Server]\nService = 0\nDataDir = /data\nInstance = {instance}\nSyncMode = {}\n\
             [ForwardLog]\nFwLog = /fwlog/fw-%N\nFwCompress = {}\n\
             [Replication]\nRole = {}\nTmpDir = /tmp\n{}{}{}",
            u8::from(self.sync_every_commit),
            if self.compress { "zstd" } else { "none" },
            match role {
                Role::Slave => "Slave",
                Role::Master | Role::Standalone => "Master",
            },
            if self.guard {
                "Peers = slave:1\nPeerPasswordFile = /password\nStartGuard = require\n"
            } else {
                ""
            },
            if self.rejoins_by_itself {
                "Rejoin = auto\n"
            } else {
                ""
            },
            self.left_out(instance)
                .map_or_else(String::new, |name| format!("ApplyNot = {name}\n"))
        );
        let mut config = Config::parse("/eloqdb.cfg".as_ref(), &text).map_err(|e| e.to_string())?;
        // Far below what a configuration may ask for: many segments in a short life.
        config.forward_log.max_size = self.segment_size;
        if self.retention {
            config.forward_log.keep_for_slaves = self.segment_size * (self.seed % 4);
        }
        Ok(config)
    }
}
