//! Who needs no password: an administrator of this machine, on the Unix socket.

use crate::environment::Environment;
use crate::failure::Failure;
use crate::peer::Peer;
use crate::system::users::{Privilege, Users};

/// The user number of root.
const ROOT: u32 = 0;

/// Whether a process that asks to be this user is one of root or of the server's own user, and the user has the
/// privilege dba. These two can read and change all files of the environment anyway; every other user is somebody's
/// own, and stays so.
pub(super) fn is_administrator(
    environment: &Environment,
    peer: Peer,
    user: &str,
) -> Result<bool, Failure> {
    let Peer::Local { uid, pid: _ } = peer else {
        return Ok(false);
    };
    if !may_be_dba(uid, rustix::process::geteuid().as_raw()) {
        return Ok(false);
    }
    let users = Users::of(environment);
    let broken = |error| Failure::from(error).into_fatal();
    // A name that nobody has is refused as a wrong password is.
    if users.verifier(user).map_err(broken)?.is_none() {
        return Ok(false);
    }
    let is_dba = users.privilege(user).map_err(broken)? == Privilege::Dba;
    if is_dba {
        tracing::debug!(host = %peer.host(), user, "a dba is let in without a password");
    }
    Ok(is_dba)
}

fn may_be_dba(uid: u32, own: u32) -> bool {
    uid == ROOT || uid == own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_user_of_the_server_are_administrators_and_nobody_else() {
        for (uid, own, expected) in [
            (0, 0, true),
            (0, 999, true),
            (999, 999, true),
            (1000, 999, false),
            (1000, 0, false),
            // What a user is shown as who has no number here.
            (65534, 999, false),
        ] {
            assert_eq!(may_be_dba(uid, own), expected, "{uid} {own}");
        }
    }
}
