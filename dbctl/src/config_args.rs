//! The words of `dbctl config`.

use clap::Subcommand;

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Report all mistakes of the file
    Check,
    /// Print values: a key, Section.Key, a section, or all
    Get {
        /// Key, Section.Key or section
        name: Option<String>,
    },
    /// Change a value in the file, which keeps its comments and order
    Set {
        /// Key or Section.Key
        name: String,
        /// New value; empty = the default
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
}
