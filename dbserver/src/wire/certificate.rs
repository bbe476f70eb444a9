//! The certificate of the configuration, as ports show it.

use std::sync::Arc;

use dbconfig::tls::{ClientCert, TlsVersion};
use dbconfig::{Config, Tls};
use tls::{ClientCertificates, MinVersion, Renewal, ServerOptions, ServerTls, Shown, TlsError};

/// What the configuration says is shown, for what is spoken within TLS.
pub(crate) fn shown(config: &Config, protocol: &'static [u8]) -> Result<Option<Shown>, TlsError> {
    let tls = config.server.tls.as_ref();
    tls.map(|tls| Shown::load(options(tls, protocol)))
        .transpose()
}

/// What is shown to the next client; files that have changed are read before.
pub(crate) fn current(shown: &Shown) -> Arc<ServerTls> {
    tell(shown.renew(false));
    shown.current()
}

/// Reads the files again, whatever they look like.
pub(crate) fn renew(shown: &Shown) {
    tell(shown.renew(true));
}

fn options(tls: &Tls, protocol: &'static [u8]) -> ServerOptions {
    ServerOptions {
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        client_authorities: tls.client_ca.clone(),
        client_certificates: match tls.client_cert {
            ClientCert::Optional => ClientCertificates::Optional,
            ClientCert::Required => ClientCertificates::Required,
        },
        min_version: match tls.min_version {
            TlsVersion::V12 => MinVersion::Tls12,
            TlsVersion::V13 => MinVersion::Tls13,
        },
        protocol,
    }
}

fn tell(renewal: Renewal) {
    match renewal {
        Renewal::Same => {}
        Renewal::Renewed(tls) => {
            let fingerprint = &tls.facts().fingerprint;
            tracing::info!(
                fingerprint,
                "the certificate is read again, and shown from now on"
            );
        }
        Renewal::Refused(error) => {
            tracing::error!(%error, "the certificate cannot be read again: the one that was shown stays");
        }
    }
}
