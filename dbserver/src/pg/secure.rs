//! TLS before the start-up packet: who gets it, who must have it, and what it says of a client.

use std::io;
use std::sync::Arc;

use bytes::BufMut as _;
use dbconfig::Config;
use dbconfig::tls::CertUser;
use pgtypes::SqlState;
use tls::{Facts, ServerTls, Shown, TlsError};

use crate::failure::Failure;
use crate::peer::PeerHost;
use crate::pg::caller::Caller;
use crate::pg::startup;
use crate::wire::{ClientStream, Secured, certificate};

/// The certificate of the service port, and the rules that go with it.
#[derive(Debug)]
pub(crate) struct Certificates {
    shown: Option<Shown>,
    cert_user: CertUser,
    require: bool,
}

/// What TLS has told of a connection.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub(super) secured: Arc<Secured>,
    /// What the client has seen of this server.
    pub(super) tls: Arc<ServerTls>,
}

impl Certificates {
    /// Reads the files that the configuration names.
    pub(crate) fn load(config: &Config) -> Result<Self, TlsError> {
        let server = &config.server;
        let cert_user = server.tls.as_ref().map(|tls| tls.cert_user);
        Ok(Self {
            shown: certificate::shown(config, tls::ALPN)?,
            cert_user: cert_user.unwrap_or_default(),
            require: server.require_tls,
        })
    }

    /// What is shown, if there is anything.
    pub(crate) fn facts(&self) -> Option<Facts> {
        Some(self.shown.as_ref()?.current().facts().clone())
    }

    /// What is shown to the next client; files that have changed are read before.
    fn current(&self) -> Option<Arc<ServerTls>> {
        self.shown.as_ref().map(certificate::current)
    }

    /// Reads the files again.
    pub(super) fn renew(&self) {
        if let Some(shown) = &self.shown {
            certificate::renew(shown);
        }
    }

    /// The user that a client's certificate stands for, if it stands for one.
    pub(super) fn user_of<'c>(&self, channel: &'c Channel) -> Option<&'c str> {
        match self.cert_user {
            CertUser::Nothing => None,
            CertUser::CommonName => channel.secured.client.as_ref()?.common_name.as_deref(),
        }
    }

    /// Whether a client without TLS may come in from there.
    ///
    /// Error: 28000.
    pub(super) fn check(&self, caller: &Caller) -> Result<(), Failure> {
        let is_near = is_near(caller.peer.host());
        if !self.require || caller.channel.is_some() || is_near {
            return Ok(());
        }
        let host = caller.peer.host();
        Err(Failure::fatal(
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            format!("this server takes no connection in clear text from {host}"),
        )
        .hint("Connect with sslmode=require, or verify-full and the authority's certificate."))
    }

    /// A client that begins with TLS without having asked for it (`sslnegotiation=direct`).
    pub(super) async fn begin(
        &self,
        stream: &mut ClientStream,
        caller: &mut Caller,
    ) -> Result<(), Failure> {
        if self.shown.is_none() {
            return Ok(());
        }
        let begins = stream.get_ref().begins_with_tls().await;
        match (begins, self.current()) {
            (Ok(true), Some(tls)) => shake_hands(stream, caller, tls, true).await,
            // What has gone is seen by the next read.
            _ => Ok(()),
        }
    }

    /// A client that asks for TLS.
    pub(super) async fn answer(
        &self,
        stream: &mut ClientStream,
        caller: &mut Caller,
    ) -> Result<(), Failure> {
        let may_have = caller.channel.is_none() && caller.peer.address().is_some();
        let tls = self.current().filter(|_| may_have);
        let Some(tls) = tls else {
            stream.write_buffer_mut().put_u8(b'N');
            return startup::flush(stream).await;
        };
        // What is here already came in clear text, and would be taken for something that came within TLS.
        if !stream.read_buffer().is_empty() {
            return Err(Failure::fatal(
                SqlState::PROTOCOL_VIOLATION,
                "received unencrypted data after SSL request",
            )
            .detail("This could be either a client-software bug or evidence of an attempted man-in-the-middle attack."));
        }
        stream.write_buffer_mut().put_u8(b'S');
        startup::flush(stream).await?;
        shake_hands(stream, caller, tls, false).await
    }
}

async fn shake_hands(
    stream: &mut ClientStream,
    caller: &mut Caller,
    tls: Arc<ServerTls>,
    direct: bool,
) -> Result<(), Failure> {
    stream.codec().waits_for_client(true);
    let secured = stream.get_mut().secure(&tls, direct).await;
    stream.codec().waits_for_client(false);
    let secured = secured.map_err(|error| {
        let state = match error.kind() {
            // A monitor that looks at the port, or a client that does not like the certificate and says nothing.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                SqlState::CONNECTION_FAILURE
            }
            _ => SqlState::PROTOCOL_VIOLATION,
        };
        Failure::fatal(state, format!("could not accept SSL connection: {error}"))
    })?;
    let secured = Arc::new(secured);
    caller.channel = Some(Channel { secured, tls });
    Ok(())
}

/// Whether what goes over the line stays on this machine.
fn is_near(host: PeerHost) -> bool {
    match host {
        PeerHost::Address(address) => address.to_canonical().is_loopback(),
        PeerHost::Local { .. } => true,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn caller(address: &str) -> Caller {
        let peer: SocketAddr = address.parse().unwrap();
        Caller::new(peer.into(), Some(SocketAddr::from(([10, 0, 0, 1], 8102))))
    }

    #[test]
    fn clear_text_stays_outside_but_for_loopback_where_tls_is_required() {
        let certificates = |require| Certificates {
            shown: None,
            cert_user: CertUser::Nothing,
            require,
        };
        for (address, is_refused) in [
            ("127.0.0.1:5000", false),
            ("127.9.9.9:5000", false),
            ("[::1]:5000", false),
            ("[::ffff:127.0.0.1]:5000", false),
            ("10.0.0.5:5000", true),
            ("[fd00::5]:5000", true),
        ] {
            let mut caller = caller(address);
            assert!(certificates(false).check(&caller).is_ok());
            assert_eq!(
                certificates(true).check(&caller).is_err(),
                is_refused,
                "{address}"
            );
            // What a header says of the client does not count: the line ends at the peer.
            caller.client = SocketAddr::from(([127, 0, 0, 1], 5000)).into();
            assert_eq!(
                certificates(true).check(&caller).is_err(),
                is_refused,
                "{address}"
            );
        }
    }
}
