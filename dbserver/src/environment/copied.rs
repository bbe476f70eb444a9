//! A DataDir that another server ran before: mostly a copy that a slave is to begin with.
//!
//! A copy can begin without the log of its original only where its data files are complete, which a clean
//! stop of a master makes them. Any other copy is told apart at its first start, while the original and
//! the person who copied it are still there.

use dbconfig::{Config, Role};
use fwlog::LogLocation;

use crate::databases::control::{Control, Identity, role_word};
use crate::databases::layout::Layout;
use crate::error::EngineError;

/// Whether another instance, or a master where this is a slave, ran the server on this DataDir last. A
/// start writes its own name and role there, so only the first one of a copy sees that.
pub(crate) fn is_copy(control: &Control, config: &Config) -> bool {
    let becomes_slave = config.replication.role == Role::Slave && control.role != Role::Slave;
    control.instance != config.server.instance || becomes_slave
}

/// Why a copy does not start: the log here does not go on where its data files end.
pub(crate) fn refusal(
    control: &Control,
    layout: &Layout,
    location: &LogLocation,
    identity: &Identity,
) -> EngineError {
    let data_dir = layout.data_dir().display();
    let (instance, role) = (&control.instance, role_word(control.role));
    let log_dir = location.directory.display();
    let redo = identity.redo.point.position;
    if control.is_complete() {
        return EngineError::state(
            format!(
                "{data_dir} was last run by '{instance}' ({role}), and the segments in {log_dir} are of another log: they do not have {redo}, where its data files end"
            ),
            "Move those segments away: a copy begins with an empty log directory. If this is no copy, set FwLog to where its segments are.",
        );
    }
    let why = if control.role == Role::Slave {
        "a slave's data files are not complete without its log"
    } else {
        "it was not stopped cleanly there"
    };
    EngineError::state(
        format!(
            "{data_dir} was last run by '{instance}' ({role}), and {why}: it needs the log from {redo} on, which {log_dir} does not have"
        ),
        "If this is a copy: stop the master cleanly (dbserver ends with 0), copy its DataDir again, and start with an empty log directory. If it is none: set FwLog to where its segments are, or bring back the missing ones.",
    )
}

#[cfg(test)]
mod tests {
    use fwlog::EnvironmentId;

    use super::*;
    use crate::databases::control::{LogPlace, RedoPoint};

    fn control(instance: &str, role: Role) -> Control {
        Control {
            instance: instance.into(),
            role,
            configured_role: role,
            clean: false,
            log: LogPlace::ForwardLog,
            detached: false,
            next_database: 1,
            identity: None,
            bootstrap: None,
            audit_open: false,
            handover: None,
            fence: None,
            alone_since: None,
        }
    }

    fn config(instance: &str, role: Role) -> Config {
        let text = format!(
            "[Server]\nDataDir = /data\nInstance = {instance}\n[Replication]\nRole = {}\n",
            role_word(role)
        );
        Config::parse("/eloqdb.cfg".as_ref(), &text).unwrap()
    }

    #[test]
    fn another_instance_and_a_master_that_is_to_be_a_slave_are_copies() {
        for (was, is, copy) in [
            (("north", Role::Master), ("north", Role::Master), false),
            (("north", Role::Slave), ("north", Role::Slave), false),
            (("north", Role::Slave), ("north", Role::Master), false),
            (("north", Role::Master), ("north", Role::Slave), true),
            (("north", Role::Master), ("south", Role::Slave), true),
            (("north", Role::Master), ("south", Role::Master), true),
            (("north", Role::Slave), ("south", Role::Slave), true),
        ] {
            let found = is_copy(&control(was.0, was.1), &config(is.0, is.1));
            assert_eq!(found, copy, "{was:?} {is:?}");
        }
    }

    #[test]
    fn a_refusal_says_whose_copy_it_is_and_what_to_do() {
        let identity = Identity {
            environment: EnvironmentId::from_bytes([7; 16]),
            redo: RedoPoint::BEGINNING,
            databases: Vec::new(),
        };
        let layout = Layout::new(disk::Disk::real(), "/data");
        let location = LogLocation::parse("/fwlog/fw-%N").unwrap();
        let say = |control: &Control| {
            let error = refusal(control, &layout, &location, &identity);
            format!("{error} {}", error.hint().unwrap())
        };
        let crashed = control("north", Role::Master);
        let clean = Control {
            clean: true,
            ..crashed.clone()
        };
        for (control, says) in [
            (crashed, "not stopped cleanly"),
            (clean, "segments in /fwlog are of another log"),
            (
                control("north", Role::Slave),
                "not complete without its log",
            ),
        ] {
            let said = say(&control);
            for part in ["/data was last run by 'north'", says, "empty log directory"] {
                assert!(said.contains(part), "{said}");
            }
        }
    }
}
