//! Writes the manual pages and the shells' completions of all programs, from their own command lines
//! and from the table of keys: `cargo manual [DIRECTORY]`. The directory is laid out as
//! `/usr/local/share` is.

mod configuration;
mod page;

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use clap::CommandFactory as _;
use clap_complete::Shell;
use dbrepl::cli::RawArguments;
use dbserver::server::arguments::Arguments;

/// Where the files go that nobody has said a place for.
const DEFAULT_DIRECTORY: &str = "target/share";

/// The command lines of the programs.
fn programs() -> [clap::Command; 3] {
    [
        Arguments::command(),
        RawArguments::command(),
        dbctl::command_line(),
    ]
}

/// All files, below the directory that they go to.
fn all() -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = vec![(
        PathBuf::from("man/man5/eloqdb.cfg.5"),
        configuration::page(),
    )];
    for program in programs() {
        let name = program.get_name().to_owned();
        for (shell, path) in [
            (Shell::Bash, format!("bash-completion/completions/{name}")),
            (Shell::Zsh, format!("zsh/site-functions/_{name}")),
            (
                Shell::Fish,
                format!("fish/vendor_completions.d/{name}.fish"),
            ),
        ] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut program.clone(), &name, &mut script);
            files.push((path.into(), script));
        }
        let path = format!("man/man1/{name}.1");
        files.push((path.into(), page::page(program)?));
    }
    Ok(files)
}

fn write(directory: &Path) -> io::Result<()> {
    let disk = disk::Disk::real();
    for (path, content) in all()? {
        let path = directory.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        disk.write_atomic(&path, &content, 0o644)?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let directory = env::args_os().nth(1).map(PathBuf::from);
    write(&directory.unwrap_or_else(|| DEFAULT_DIRECTORY.into()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use dbconfig::keys::KEYS;
    use dbtests::{Folder, process};

    use super::*;

    /// A page as it is read: without the marks of its text processor.
    fn read(path: &str) -> String {
        let files = all().unwrap();
        let found = files.iter().find(|(known, _)| known == Path::new(path));
        let (_, content) = found.unwrap();
        let mut text = String::from_utf8(content.clone()).unwrap();
        for (mark, character) in [("\\fB", ""), ("\\fI", ""), ("\\fR", ""), ("\\-", "-")] {
            text = text.replace(mark, character);
        }
        text
    }

    #[test]
    fn a_page_has_every_option_of_its_program() {
        for program in programs() {
            let page = read(&format!("man/man1/{}.1", program.get_name()));
            for option in program.get_opts() {
                let name = format!("--{}", option.get_long().unwrap());
                assert!(page.contains(&name), "{name}: {page}");
            }
            assert!(page.contains("Exit"), "{page}");
        }
    }

    #[test]
    fn the_page_of_dbctl_has_its_own_commands_and_those_of_the_server() {
        let page = read("man/man1/dbctl.1");
        for usage in [
            "dbctl sql [OPTIONS] [STATEMENT]",
            "dbctl config set [OPTIONS] <NAME> <VALUE>",
            "dbctl database dump NAME FILE",
            "dbctl user create NAME [privilege dba|operator|user]",
            "dbctl shutdown [SECONDS | cancel] [--no-wait]",
        ] {
            assert!(page.contains(&format!(".TP\n{usage}\n")), "{usage}: {page}");
        }
    }

    #[test]
    fn the_page_of_the_configuration_has_every_key_with_its_default() {
        let page = read("man/man5/eloqdb.cfg.5");
        for key in KEYS {
            let entry = format!(".TP\n{} = {}", key.name, key.default);
            assert!(page.contains(entry.trim_end()), "{entry}: {page}");
        }
    }

    /// The words that bash offers behind a line.
    fn offered(folder: &Folder, line: &[&str]) -> Vec<String> {
        let script = folder.join("bash-completion/completions/dbctl");
        let words = line.join(" ");
        let program = format!(
            "source {}; COMP_WORDS=({words} ''); COMP_CWORD={}; _dbctl dbctl '' {}; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display(),
            line.len(),
            line.last().unwrap()
        );
        let run = process::run(Command::new("bash").args(["-c", &program]), b"");
        run.ok().lines().map(str::to_owned).collect()
    }

    #[test]
    fn bash_offers_the_commands_of_dbctl_and_of_the_server() {
        let folder = Folder::new();
        write(folder.path()).unwrap();
        for (line, word) in [
            (&["dbctl"][..], "init"),
            (&["dbctl"], "database"),
            (&["dbctl", "database"], "checksum"),
            (&["dbctl", "fwlog"], "verify"),
            (&["dbctl", "completions"], "fish"),
        ] {
            let words = offered(&folder, line);
            assert!(words.iter().any(|offer| offer == word), "{word}: {words:?}");
        }
    }
}
