//! What a monitor is told of the archives of a server's log.

use dbconfig::Archive;
use dbproto::Weight;

use crate::control_plane::replication::in_short;
use crate::environment::replication_status::ReplicationStatus;

/// The archives that nobody writes, or that lack something for longer than `WarnBehind`. An archive without a section is
/// judged as one with the defaults.
pub(super) fn warnings(all: &[ReplicationStatus], configured: &[Archive]) -> Vec<String> {
    let mut warnings = Vec::new();
    for one in all.iter().filter(|one| one.archive) {
        let section = configured.iter();
        let mut section = section.filter(|it| it.among_slaves().eq_ignore_ascii_case(&one.slave));
        let limit = section
            .next()
            .map_or(Archive::WARN_BEHIND, |it| it.warn_behind);
        if limit.is_zero() {
            continue;
        }
        let lag = one.lag_in_seconds.map_or(0, |lag| lag.0);
        let is_late = u128::from(lag) > limit.as_micros();
        if is_late || one.state.0.weight() > Weight::Ok {
            warnings.push(format!("{}: {}", one.slave, in_short(one)));
        }
    }
    let is_known = |archive: &&Archive| {
        let name = archive.among_slaves();
        all.iter()
            .any(|one| one.archive && one.slave.eq_ignore_ascii_case(&name))
    };
    let unknown = configured
        .iter()
        .filter(|it| !is_known(it) && !it.warn_behind.is_zero());
    warnings.extend(unknown.map(|archive| {
        let name = archive.among_slaves();
        format!("{name}: nothing was archived yet; 'dbctl source list' says why")
    }));
    warnings
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dbproto::Standing;

    use super::*;
    use crate::environment::status::Micros;

    fn archive(state: Standing, lag: u64) -> ReplicationStatus {
        ReplicationStatus {
            address: Some("file:///b".to_owned()),
            lag_in_seconds: Some(Micros(lag * 1_000_000)),
            archive: true,
            ..ReplicationStatus::sample("archive.Near", state)
        }
    }

    fn section(warn_behind: u64) -> Archive {
        Archive {
            name: "near".to_owned(),
            url: "file:///b".to_owned(),
            interval: None,
            part_size: None,
            bandwidth: None,
            warn_behind: Duration::from_secs(warn_behind),
            keep: dbconfig::KeepBackups::default(),
        }
    }

    #[test]
    fn an_archive_that_lacks_something_for_longer_is_told_of() {
        let told = |state, lag, limit| warnings(&[archive(state, lag)], &[section(limit)]).len();
        assert_eq!(told(Standing::Following, 60, 60), 0);
        assert_eq!(told(Standing::Following, 61, 60), 1);
        assert_eq!(told(Standing::NotConnected, 0, 60), 1);
        assert_eq!(told(Standing::NotConnected, 900, 0), 0);
        // One that was begun by hand has no section.
        assert_eq!(warnings(&[archive(Standing::Following, 301)], &[]).len(), 1);
        assert_eq!(warnings(&[archive(Standing::Following, 299)], &[]).len(), 0);
    }

    #[test]
    fn an_archive_that_was_never_written_is_told_of() {
        let told = warnings(&[], &[section(60)]);
        assert!(
            told[0].contains("archive.near: nothing was archived"),
            "{told:?}"
        );
        assert_eq!(warnings(&[], &[section(0)]), Vec::<String>::new());
    }
}
