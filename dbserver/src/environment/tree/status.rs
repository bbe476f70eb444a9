//! The tree of instances as values: tables for people and JSON are rendered from these.

use std::collections::HashSet;
use std::fmt;

use dbproto::{Member, Progress, Standing};
use fwlog::{InstanceId, LogDirectory, Position, Speaker, Timestamp, TreePath};
use serde::Serialize;

use crate::environment::replication_status::{ReplicationStatus, bytes_up_to, forward_log_of};
use crate::environment::state::Environment;
use crate::environment::status::{Micros, PointStatus, Shown, Time};
use crate::error::EngineError;

/// All instances that this one knows to be above and below itself.
#[derive(Debug, Clone, Serialize)]
pub struct TreeStatus {
    /// The root; none where it is not known.
    pub root: Option<String>,
    /// From the top down, each followed by those below it.
    pub instances: Vec<TreeInstance>,
    /// Instances below that are not listed: there are too many.
    pub left_out: u32,
}

/// What an instance does in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// It writes.
    Root,
    /// It follows, and others follow it.
    Propagating,
    /// It follows.
    Slave,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "root",
            Self::Propagating => "propagating",
            Self::Slave => "slave",
        })
    }
}

/// Where an instance is, from the one that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// It is on the way to the root.
    Above,
    /// It is the one that is asked.
    Here,
    /// It is fed by that one, or by one that is.
    Below,
}

/// One instance of the tree.
#[derive(Debug, Clone, Serialize)]
pub struct TreeInstance {
    /// Its name.
    pub instance: String,
    /// Its id, where it has told that.
    pub id: Option<String>,
    /// What it does in the tree.
    pub role: Part,
    /// How far it is below the topmost one.
    pub level: usize,
    /// Where it is from here.
    pub place: Place,
    /// Which instance feeds it.
    pub source: Option<String>,
    /// Where dbrepl reaches it; here: from where it is fed.
    pub address: Option<String>,
    /// How the line to it stands; none where nobody can say at present, and for those above.
    pub state: Option<Shown<Standing>>,
    /// Since when.
    pub since: Option<Time>,
    /// When it was last heard of.
    pub last_heard_of: Option<Time>,
    /// On its disk.
    pub durable: Option<PointStatus>,
    /// Visible to its readers.
    pub applied: Option<PointStatus>,
    /// Bytes of log between the end of the log here and what is on its disk; here: the source's end.
    pub lag_in_bytes: Option<u64>,
    /// Commits that its readers do not see.
    pub lag_in_commits: Option<u64>,
    /// How old the oldest of them is now.
    pub lag_in_seconds: Option<Micros>,
    /// Why it stands so.
    pub reason: Option<String>,
}

impl TreeInstance {
    fn new(instance: &str, id: Option<String>, place: Place, level: usize) -> Self {
        Self {
            instance: instance.to_owned(),
            id,
            role: Part::Slave,
            level,
            place,
            source: None,
            address: None,
            state: None,
            since: None,
            last_heard_of: None,
            durable: None,
            applied: None,
            lag_in_bytes: None,
            lag_in_commits: None,
            lag_in_seconds: None,
            reason: None,
        }
    }

    fn of(speaker: &Speaker, place: Place, level: usize) -> Self {
        Self::new(&speaker.name, Some(speaker.id.to_string()), place, level)
    }

    /// What a slave knows of itself.
    fn describe(&mut self, own: ReplicationStatus) {
        self.address = own.address;
        self.state = Some(own.state);
        self.since = Some(own.since);
        self.last_heard_of = own.last_heard_of;
        self.durable = own.durable;
        self.applied = own.applied;
        self.lag_in_bytes = own.lag_in_bytes;
        self.lag_in_commits = own.lag_in_commits;
        self.lag_in_seconds = own.lag_in_seconds;
        self.reason = own.reason;
    }
}

impl TreeStatus {
    /// As this environment knows it now.
    pub fn of(environment: &Environment) -> Result<Self, EngineError> {
        let core = environment.core();
        let (path, below) = (
            core.tree().path(core.instance().speaker()),
            core.tree().below(),
        );
        let above = path.above().iter().enumerate();
        let mut instances: Vec<_> = above
            .map(|(level, speaker)| TreeInstance::of(speaker, Place::Above, level))
            .collect();
        let level = instances.len();
        let mut here = TreeInstance::of(path.own(), Place::Here, level);
        let end = End::of(environment)?;
        if environment.slave().is_some() {
            let mut own = ReplicationStatus::all(environment)?;
            own.truncate(1);
            for own in own {
                here.describe(own);
            }
        } else {
            here.durable = end.durable.as_ref().map(PointStatus::from);
        }
        instances.push(here);
        for member in worth_showing(&path, below.members()) {
            let level = level + usize::from(member.level);
            instances.push(end.member(member, level));
        }
        give_roles(&mut instances, path.root().is_some());
        Ok(Self {
            root: path.root().map(|root| root.name.clone()),
            instances,
            left_out: below.left_out(),
        })
    }
}

/// Those below that have not moved: a former source tells of a slave that it does not feed any more, and whose place is
/// elsewhere in the tree by now.
fn worth_showing<'a>(path: &TreePath, members: &'a [Member]) -> Vec<&'a Member> {
    let id = |member: &Member| member.speaker.map(|(id, _)| id);
    let is_fed = |it: &&Member| it.standing.is_some_and(Standing::is_connected);
    let above = path.instances().map(|it| it.id);
    let placed: HashSet<InstanceId> = above
        .chain(members.iter().filter(is_fed).filter_map(id))
        .collect();
    let mut shown: Vec<&Member> = Vec::new();
    for member in members.iter().rev() {
        let was_left = matches!(member.standing, None | Some(Standing::NotConnected));
        let has_moved = was_left && id(member).is_some_and(|id| placed.contains(&id));
        // Whoever is shown below it has a place below it.
        let has_below = shown.last().is_some_and(|next| next.level > member.level);
        if !has_moved || has_below {
            shown.push(member);
        }
    }
    shown.reverse();
    shown
}

/// Who has somebody below is a source; the topmost one is the root, if that is known.
fn give_roles(instances: &mut [TreeInstance], root_is_known: bool) {
    let mut sources: Vec<String> = Vec::new();
    for at in 0..instances.len() {
        let next = instances.get(at + 1).map(|next| next.level);
        let Some(instance) = instances.get_mut(at) else {
            return;
        };
        sources.truncate(instance.level);
        instance.source = sources.last().cloned();
        sources.push(instance.instance.clone());
        instance.role = match next {
            _ if instance.level == 0 && root_is_known => Part::Root,
            Some(next) if next > instance.level => Part::Propagating,
            _ => Part::Slave,
        };
    }
}

/// The end of the log here, which those below are held against.
struct End {
    now: Timestamp,
    durable: Option<Progress>,
    directory: Option<LogDirectory>,
}

impl End {
    fn of(environment: &Environment) -> Result<Self, EngineError> {
        let core = environment.core();
        let durable = match environment.slave() {
            Some(slave) => slave.progress().durable,
            None => environment.durable().as_ref().map(Progress::from),
        };
        let directory = match forward_log_of(core)? {
            Some(location) => Some(
                LogDirectory::scan(&location)
                    .map_err(|error| EngineError::Corrupt(error.to_string()))?,
            ),
            None => None,
        };
        Ok(Self {
            now: core.host().clock.now(),
            durable,
            directory,
        })
    }

    fn member(&self, member: &Member, level: usize) -> TreeInstance {
        let id = member.speaker.map(|(id, _)| id.to_string());
        let has_lag = member.standing.is_none_or(Standing::has_lag);
        let commits = self.durable.filter(|_| has_lag).map(|end| {
            let has = member.applied.map_or(0, |applied| applied.commit.get());
            end.commit.get().saturating_sub(has)
        });
        TreeInstance {
            address: Some(member.address.clone()).filter(|address| !address.is_empty()),
            state: member.standing.map(Shown),
            since: Some(Time(member.since)),
            last_heard_of: (member.heard != Timestamp::ZERO).then_some(Time(member.heard)),
            durable: member.durable.as_ref().map(PointStatus::from),
            applied: member.applied.as_ref().map(PointStatus::from),
            lag_in_bytes: self.bytes_behind(member).filter(|_| has_lag),
            lag_in_commits: commits,
            lag_in_seconds: commits.and_then(|commits| self.age(commits, member)),
            reason: member.reason.clone(),
            ..TreeInstance::new(&member.name, id, Place::Below, level)
        }
    }

    fn bytes_up_to(&self, position: Position) -> Option<u64> {
        bytes_up_to(self.directory.as_ref()?, position)
    }

    fn bytes_behind(&self, member: &Member) -> Option<u64> {
        let end = self.bytes_up_to(self.durable?.point.position)?;
        let has = self.bytes_up_to(member.durable?.point.position)?;
        Some(end.saturating_sub(has))
    }

    /// How old the oldest commit is that it has not applied; unknown where its segment is gone.
    fn age(&self, commits: u64, member: &Member) -> Option<Micros> {
        if commits == 0 {
            return Some(Micros(0));
        }
        let (from, end) = (member.applied?.point.position, self.durable?.point.position);
        let oldest = self.directory.as_ref()?.commit_time_behind(from, end);
        let oldest = oldest.ok()??;
        Some(Micros(self.now.micros().saturating_sub(oldest.micros())))
    }
}

/// The tree in short, for one line of `status`.
#[derive(Debug, Clone, Serialize)]
pub struct TreeSummary {
    /// Names from the topmost instance down to this one.
    pub path: Vec<String>,
    /// The topmost one is the root.
    pub root_is_known: bool,
    /// Instances below this one.
    pub below: usize,
    /// Those of them that are not fed, or of which nobody can say.
    pub below_not_connected: usize,
}

impl TreeSummary {
    /// As this environment knows it now.
    pub fn of(environment: &Environment) -> Self {
        let core = environment.core();
        let path = core.tree().path(core.instance().speaker());
        let below = core.tree().below();
        let is_connected = |it: &&&Member| it.standing.is_some_and(Standing::is_connected);
        let shown = worth_showing(&path, below.members());
        let all = shown.len();
        let more = usize::try_from(below.left_out()).unwrap_or(usize::MAX);
        Self {
            path: path.instances().map(|it| it.name.clone()).collect(),
            root_is_known: path.root().is_some(),
            below: all.saturating_add(more),
            below_not_connected: all - shown.iter().filter(is_connected).count(),
        }
    }

    /// Whether there is more to say than the name of this instance.
    pub fn is_worth_a_line(&self) -> bool {
        self.path.len() > 1 || self.below > 0
    }
}

/// `north > south; 20 instances below, 1 of them not connected`
impl fmt::Display for TreeSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.root_is_known {
            f.write_str("root unknown > ")?;
        }
        f.write_str(&self.path.join(" > "))?;
        match self.below {
            0 => return Ok(()),
            1 => f.write_str("; 1 instance below")?,
            below => write!(f, "; {below} instances below")?,
        }
        match self.below_not_connected {
            0 => Ok(()),
            lost => write!(f, ", {lost} of them not connected"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_feeds_whom_and_who_propagates_follows_from_the_levels() {
        let levels = [("a", 0), ("b", 1), ("d", 2), ("c", 1)];
        let new = |(name, level)| TreeInstance::new(name, None, Place::Below, level);
        let mut instances: Vec<_> = levels.map(new).to_vec();
        give_roles(&mut instances, true);
        let shown = |it: &TreeInstance| (it.role, it.source.clone().unwrap_or_default());
        let shown: Vec<_> = instances.iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                (Part::Root, String::new()),
                (Part::Propagating, "a".into()),
                (Part::Slave, "b".into()),
                (Part::Slave, "a".into()),
            ]
        );
        give_roles(&mut instances, false);
        assert_eq!(instances[0].role, Part::Propagating);
    }

    #[test]
    fn who_has_moved_is_shown_where_it_is_fed() {
        let member = |level: u8, id: u8, standing| Member {
            level,
            name: format!("i{id}"),
            speaker: Some((
                InstanceId::from_bytes([id; 16]),
                fwlog::BootNonce::from_bytes([0; 16]),
            )),
            address: String::new(),
            standing,
            since: Timestamp::ZERO,
            reason: None,
            connected: Timestamp::ZERO,
            heard: Timestamp::ZERO,
            durable: None,
            applied: None,
        };
        let own = Speaker {
            id: InstanceId::from_bytes([1; 16]),
            boot: fwlog::BootNonce::from_bytes([0; 16]),
            name: "i1".into(),
        };
        let (fed, lost) = (Some(Standing::Following), Some(Standing::NotConnected));
        let members = [
            member(1, 2, fed),
            // It feeds this one now.
            member(2, 1, lost),
            // It has moved, and one that was below it has not.
            member(1, 3, lost),
            member(2, 4, None),
            member(2, 5, None),
            member(1, 5, fed),
            member(1, 3, fed),
            member(1, 6, lost),
        ];
        let shown = worth_showing(&TreePath::alone(own, true), &members);
        let shown: Vec<_> = shown.iter().map(|it| (it.level, &*it.name)).collect();
        let expected = [
            (1, "i2"),
            (1, "i3"),
            (2, "i4"),
            (1, "i5"),
            (1, "i3"),
            (1, "i6"),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_tree_in_short_is_one_line() {
        let mut tree = TreeSummary {
            path: vec!["north".into(), "south".into()],
            root_is_known: true,
            below: 20,
            below_not_connected: 1,
        };
        assert_eq!(
            tree.to_string(),
            "north > south; 20 instances below, 1 of them not connected"
        );
        (tree.below, tree.root_is_known) = (0, false);
        assert_eq!(tree.to_string(), "root unknown > north > south");
    }
}
