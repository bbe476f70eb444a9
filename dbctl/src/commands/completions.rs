//! `completions bash | zsh | fish | …`: what a shell asks when TAB is pressed.

use clap_complete::{Shell, generate};

use crate::error::{CommandError, Result};
use crate::output;

/// Prints the script.
pub(crate) fn run(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    generate(shell, &mut crate::command_line(), "dbctl", &mut script);
    let script = String::from_utf8(script)
        .map_err(|error| CommandError::error(format!("the script is no text: {error}")))?;
    output::text(&script)
}
