//! Who has sent a signal, as far as the system tells.

use std::fmt;
use std::fs;

use signal_hook::low_level::siginfo::{Cause, Origin};

/// Bytes of `/etc/passwd` that are looked at; where it is longer, users have their numbers.
const MOST: usize = 1 << 20;

/// The sender of a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A process of this machine.
    Process {
        /// Its number.
        pid: i32,
        /// Its program's name; none where it has ended already.
        program: Option<String>,
        /// The number of its user.
        uid: u32,
        /// The user's name; none where `/etc/passwd` has not got it.
        user: Option<String>,
    },
    /// A process that can't be seen from here: outside of this container.
    Outside {
        /// The number of its user, as it is called here.
        uid: u32,
    },
    /// The kernel, because of a key at the terminal or because the terminal is gone.
    Terminal,
    /// The system does not say.
    Unknown,
}

impl Sender {
    pub(crate) fn of(origin: &Origin) -> Self {
        match (&origin.process, &origin.cause) {
            (Some(process), _) if process.pid > 0 => {
                let comm = fs::read_to_string(format!("/proc/{}/comm", process.pid));
                let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
                Self::Process {
                    pid: process.pid,
                    program: comm.ok().map(|name| plain(name.trim_end())),
                    uid: process.uid,
                    user: user_name(&users, process.uid),
                }
            }
            (Some(process), _) => Self::Outside { uid: process.uid },
            (None, Cause::Kernel) => Self::Terminal,
            (None, _) => Self::Unknown,
        }
    }
}

/// `joe (uid 1000)`, or `uid 1000` where `/etc/passwd` has no name.
pub fn user(uid: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    shown(user_name(&users, uid).as_deref(), uid)
}

fn shown(user: Option<&str>, uid: u32) -> String {
    match user {
        Some(user) => format!("{user} (uid {uid})"),
        None => format!("uid {uid}"),
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process {
                pid,
                program,
                uid,
                user,
            } => {
                write!(out, "process {pid}")?;
                if let Some(program) = program {
                    write!(out, " ({program})")?;
                }
                write!(out, " of {}", shown(user.as_deref(), *uid))
            }
            Self::Outside { uid } => {
                write!(out, "a process outside of this container, of uid {uid}")
            }
            Self::Terminal => out.write_str("the terminal"),
            Self::Unknown => out.write_str("an unknown sender"),
        }
    }
}

/// Anybody may choose the name of a process; a log has one line for a message.
fn plain(name: &str) -> String {
    let visible = |c: char| if c.is_control() { '?' } else { c };
    name.chars().map(visible).collect()
}

/// The name of a user in the text of `/etc/passwd`.
fn user_name(users: &str, uid: u32) -> Option<String> {
    let text = users.get(..MOST).unwrap_or(users);
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| plain(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_named_as_far_as_it_is_known() {
        let process = |program: Option<&str>, user: Option<&str>| Sender::Process {
            pid: 17,
            program: program.map(str::to_owned),
            uid: 1000,
            user: user.map(str::to_owned),
        };
        for (sender, text) in [
            (
                process(Some("bash"), Some("joe")),
                "process 17 (bash) of joe (uid 1000)",
            ),
            (process(None, None), "process 17 of uid 1000"),
            (
                Sender::Outside { uid: 0 },
                "a process outside of this container, of uid 0",
            ),
            (Sender::Terminal, "the terminal"),
            (Sender::Unknown, "an unknown sender"),
        ] {
            assert_eq!(sender.to_string(), text);
        }
    }

    #[test]
    fn users_are_found_by_number_and_names_are_one_line() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\njoe:x:1000:1000::/:/bin/sh\n";
        assert_eq!(user_name(users, 1000).as_deref(), Some("joe"));
        assert_eq!(user_name(users, 0).as_deref(), Some("root"));
        assert_eq!(user_name(users, 1), None);
        assert_eq!(plain("a\nb"), "a?b");
    }
}
