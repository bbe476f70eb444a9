//! TLS to a server, as the options want it.

use peers::driver::DriverTls;
use tls::{ClientOptions, ClientTls, TlsError};

use crate::args::TlsArguments;
use crate::error::{CommandError, Result};

/// What the options say; the files that they name are read.
pub(crate) fn from_arguments(arguments: &TlsArguments) -> Result<DriverTls> {
    let certificate = match (&arguments.cert_file, &arguments.key_file) {
        (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
        (None, None) => None,
        _ => {
            return Err(CommandError::usage(
                "--cert-file and --key-file belong together",
            ));
        }
    };
    let options = ClientOptions {
        mode: arguments.tls.unwrap_or_default(),
        authorities: arguments.ca_file.clone(),
        certificate,
    };
    let tls = ClientTls::load(&options);
    tls.map(DriverTls).map_err(|error| {
        let names = match error {
            TlsError::NoAuthorities(_) => "; --ca-file names it",
            _ => "",
        };
        CommandError::usage(format!("--tls: {error}{names}"))
    })
}
