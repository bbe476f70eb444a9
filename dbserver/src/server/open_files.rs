//! The limit of open files, which each session and each database counts against.

/// What a session takes: its connection twice, its event loop's three, and scratch files that it may need.
const OF_A_SESSION: u64 = 8;
/// What the server has open itself: log, data files, ports, connections that wait for their turn, with room to spare.
const OF_THE_SERVER: u64 = 640;

/// Raises the limit as far as the system lets it, and says where it is too low for all sessions.
pub fn raise_limit(max_sessions: u32) {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => {
            let wanted = wanted(max_sessions);
            if limit < wanted {
                tracing::warn!(
                    limit,
                    wanted,
                    "the limit of open files is too low for MaxSessions = {max_sessions}: raise it (LimitNOFILE= in systemd, 'ulimit -Hn'), or lower MaxSessions"
                );
            }
        }
        Err(error) => {
            tracing::warn!(%error, "cannot raise the limit of open files; many sessions may not fit");
        }
    }
}

fn wanted(max_sessions: u32) -> u64 {
    u64::from(max_sessions) * OF_A_SESSION + OF_THE_SERVER
}
