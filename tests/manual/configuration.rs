//! The page of the configuration file, from the table of keys.

use clap_mangen::roff::{Roff, bold, roman};
use dbconfig::keys::{self, Kind, Section, Support};

const DESCRIPTION: &[&str] = &[
    "The configuration of dbserver, which dbctl and dbrepl read as well: sections in brackets, a key \
     and its value a line. What follows an unquoted # or ; is a comment. Double quotes keep blanks, # \
     and ; in a value. ${NAME} is replaced by the environment variable of that name.",
    "Sizes are bytes, with k, m, g, t in steps of 1024. Times need a unit: ms, s, m, h, d. Switches \
     are 0 or 1. Relative paths start at the directory of the file. Names ignore case. What is not \
     known is an error; 'dbctl config check' finds all of them.",
    "Section [dbrepl] belongs to the file of dbrepl -C, section [client] to the client file of dbctl: \
     ~/.config/eloqdb/client.cfg, or what EQ_CLIENTFILE names.",
];

/// Renders the page of section 5.
pub(crate) fn page() -> Vec<u8> {
    let mut page = Roff::new();
    let version = format!("eloqdb {}", env!("CARGO_PKG_VERSION"));
    page.control("TH", ["eloqdb.cfg", "5", "", version.as_str(), "eloqdb"]);
    page.control("SH", ["NAME"]);
    page.text([roman("eloqdb.cfg - configuration of an eloqdb server")]);
    page.control("SH", ["DESCRIPTION"]);
    for paragraph in DESCRIPTION {
        page.control("PP", []);
        page.text([roman(*paragraph)]);
    }
    let files = [
        &Section::SERVER_FILE[..],
        &Section::REPLICATION_FILE[..],
        &Section::CLIENT_FILE[..],
    ];
    for section in files.into_iter().flatten() {
        let heading = format!("SECTION [{section}]");
        page.control("SH", [heading.as_str()]);
        for key in keys::of_section(*section) {
            page.control("TP", []);
            page.text([bold(key.name), roman(format!(" = {}", key.default))]);
            let words = match key.kind {
                Kind::Words(words) => format!(" One of: {}.", words.join(", ")),
                _ => String::new(),
            };
            let later = match key.support {
                Support::Since(_) => "",
                Support::NotYet => " Only the default is accepted by this version.",
            };
            page.text([roman(format!("{}.{words}{later}", key.meaning))]);
        }
    }
    page.control("SH", ["FILES"]);
    page.text([bold(dbconfig::DEFAULT_PATH)]);
    page.control("SH", ["SEE ALSO"]);
    page.text([roman("dbserver(1), dbrepl(1), dbctl(1)")]);
    page.render().into_bytes()
}
