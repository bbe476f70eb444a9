//! PostgreSQL's protocol, version 3, as bytes: frames in, messages out. What they mean is the business of
//! `pg` and `feed`.

pub mod accept;
pub(crate) mod certificate;
pub mod codec;
pub mod output;
pub mod proxy;
mod silence;
pub mod socket;

use tokio_util::codec::Framed;

pub use accept::{Accepted, Detached, Listener};
pub use codec::{ClientCodec, Phase, Request, WireError};
pub use proxy::ProxyHeader;
pub use silence::Silence;
pub use socket::{Secured, Socket};

/// The connection of a client, or of a dbrepl.
pub type ClientStream = Framed<Socket, ClientCodec>;
