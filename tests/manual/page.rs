//! The page of a program, from its command line.

use std::io;

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// Renders a page of section 1.
pub(crate) fn page(mut program: Command) -> io::Result<Vec<u8>> {
    program.build();
    let man = Man::new(program.clone()).manual("eloqdb");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut rest = Roff::new();
    if program.has_subcommands() {
        rest.control("SH", ["COMMANDS"]);
        commands(&mut rest, &program);
    }
    if let Some(notes) = program.get_after_help() {
        rest.control("SH", ["NOTES"]);
        for paragraph in notes.to_string().split("\n\n") {
            rest.control("PP", []);
            rest.text([roman(paragraph)]);
        }
    }
    rest.control("SH", ["SEE ALSO"]);
    let pages = ["dbserver(1)", "dbrepl(1)", "dbctl(1)", "eloqdb.cfg(5)"];
    rest.text([roman(pages.join(", "))]);
    rest.to_writer(&mut page)?;
    Ok(page)
}

/// One entry a command; a group of commands has none of its own.
fn commands(page: &mut Roff, parent: &Command) {
    for command in parent.get_subcommands() {
        if command.has_subcommands() {
            commands(page, command);
            continue;
        }
        let usage = command.clone().render_usage().to_string();
        let about = command.get_about().map(ToString::to_string);
        entry(page, usage.trim_start_matches("Usage: "), about);
        let own = |argument: &&Arg| !argument.is_global_set() && !argument.is_hide_set();
        let mut arguments = command.get_arguments().filter(own).peekable();
        if arguments.peek().is_some() {
            page.control("RS", []);
            for argument in arguments {
                let help = argument.get_help().map(ToString::to_string);
                let short = argument.get_short().map(|short| format!("-{short}, "));
                let names = short.unwrap_or_default() + &argument.to_string();
                entry(page, &names, help);
            }
            page.control("RE", []);
        }
    }
}

fn entry(page: &mut Roff, head: &str, body: Option<String>) {
    page.control("TP", []);
    page.text([bold(head)]);
    page.text([roman(body.unwrap_or_default())]);
}
