//! How far the archives of the log are.

use dbconfig::ARCHIVE_NAMES;

use crate::environment::replication_status::ReplicationStatus;
use crate::web::metrics::exposition::{Exposition, Kind};

pub(super) fn expose(out: &mut Exposition, archives: &[ReplicationStatus]) {
    out.family(
        "eloqdb_archive_connected",
        Kind::Gauge,
        "1: a dbrepl writes the archive.",
    );
    for archive in archives {
        let is_written = archive.state.0.is_connected();
        out.truth(&[("archive", name(archive))], is_written);
    }
    out.family(
        "eloqdb_archive_lag_seconds",
        Kind::Gauge,
        "How old the oldest commit is that is not archived.",
    );
    for archive in archives {
        if let Some(lag) = archive.lag_in_seconds {
            out.seconds(&[("archive", name(archive))], lag.0);
        }
    }
    out.family(
        "eloqdb_archive_lag_bytes",
        Kind::Gauge,
        "Bytes of log that are not archived.",
    );
    for archive in archives {
        if let Some(bytes) = archive.lag_in_bytes {
            out.whole(&[("archive", name(archive))], bytes);
        }
    }
}

/// Its own name, without the word that tells archives from slaves.
fn name(archive: &ReplicationStatus) -> &str {
    let name = archive.slave.as_str();
    name.strip_prefix(ARCHIVE_NAMES).unwrap_or(name)
}
