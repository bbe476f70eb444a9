//! Text that is read only where its hash fits.

use fwlog::sealed_text::Body;

/// The lines with a hash that fits them.
pub(crate) fn sealed(bytes: &[u8]) -> String {
    let mut body = Body::default();
    for line in String::from_utf8_lossy(bytes).lines() {
        match line.split_once(" = ") {
            Some((key, value)) => body.line(key, value),
            None => body.line(line, ""),
        }
    }
    body.seal()
}
