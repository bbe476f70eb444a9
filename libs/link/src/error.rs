//! Why there is no conversation.

/// Why a conversation with a server does not come about, or is over. The words of most follow the name of who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It left: what it did.
    #[error("{0}")]
    Left(&'static str),
    /// The connection is lost.
    #[error("lost the connection: {0}")]
    Lost(String),
    /// It refuses.
    #[error("refused: {message} ({sqlstate})")]
    Told {
        /// The SQLSTATE.
        sqlstate: String,
        /// What it says.
        message: String,
        /// What is to be done; may be empty.
        hint: String,
    },
    /// It wants a password, and there is none.
    #[error("wants a password for user {user}")]
    NoPassword {
        /// The user.
        user: String,
    },
    /// It asks for a kind of authentication that is not known here.
    #[error(
        "asks for a kind of authentication that is not known here; SCRAM-SHA-256 and trust are"
    )]
    UnknownAuthentication,
    /// It could not prove that it knows the password.
    #[error("could not prove that it knows the password")]
    Unproved,
    /// What it says can't be understood.
    #[error("gave an answer to the start-up that can't be understood: {0}")]
    Unreadable(String),
    /// It sent a message of an impossible length.
    #[error("sent a message '{}' of {length} bytes", kind.escape_ascii())]
    ImpossibleLength {
        /// Type byte.
        kind: u8,
        /// Bytes.
        length: usize,
    },
    /// The user's name can't be sent.
    #[error("can't be told a user name with a zero byte")]
    OddUser,
}
