//! What a program does so that its passwords are nobody else's: its list of arguments is overwritten, and it leaves no core
//! dump.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Options without a value that may stand before `p` in one word, as in `-vp`.
const SWITCHES: &[u8] = b"vSGZD";

/// What became of a password on the command line.
#[derive(Debug)]
pub enum Exposure {
    /// There is none.
    None,
    /// The list of processes does not show it any more.
    Hidden,
    /// It still does.
    Shown(io::Error),
}

impl Exposure {
    /// What a person should know of it.
    pub fn warning(&self) -> Option<String> {
        let still = match self {
            Self::None => return None,
            Self::Hidden => String::new(),
            Self::Shown(why) => format!(" It can't be hidden there: {why}."),
        };
        Some(format!(
            "a password on the command line can be read by others of this machine while the program starts, and stays in \
             the history of the shell.{still} Use --password-file or EQ_DBPASSWORD."
        ))
    }
}

/// The words of the command line, program name first. From then on a password among them is stars for everybody else, and for
/// who reads them again.
pub fn arguments() -> (Vec<OsString>, Exposure) {
    let words: Vec<OsString> = std::env::args_os().collect();
    let bytes: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    let passwords = passwords(&bytes);
    if passwords.is_empty() {
        return (words, Exposure::None);
    }
    let exposure = match overwrite(&bytes, &passwords) {
        Ok(()) => Exposure::Hidden,
        Err(error) => Exposure::Shown(error),
    };
    (words, exposure)
}

/// Leaves no core dump, which would have all that was in memory.
pub fn leave_no_core_dump() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    Ok(setrlimit(Resource::Core, none)?)
}

/// Where passwords stand: the word, and the bytes in it.
fn passwords(words: &[&[u8]]) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    let mut is_value = false;
    for (number, word) in words.iter().enumerate().skip(1) {
        if std::mem::take(&mut is_value) {
            found.push((number, 0..word.len()));
            continue;
        }
        if *word == b"--" {
            break;
        }
        let Some(begin) = begin_of_value(word) else {
            continue;
        };
        if begin < word.len() {
            found.push((number, begin..word.len()));
        } else {
            is_value = !word.ends_with(b"=");
        }
    }
    found
}

/// Where in a word the value of the option for a password begins, if it is that.
fn begin_of_value(word: &[u8]) -> Option<usize> {
    const LONG: &[u8] = b"--password";
    if let Some(rest) = word.strip_prefix(LONG) {
        return match rest.first() {
            None => Some(LONG.len()),
            Some(b'=') => Some(LONG.len() + 1),
            // --password-file
            Some(_) => None,
        };
    }
    let short = word
        .strip_prefix(b"-")
        .filter(|rest| !rest.starts_with(b"-"))?;
    let switches = short.iter().take_while(|byte| SWITCHES.contains(byte));
    let option = switches.count();
    (short.get(option) == Some(&b'p')).then_some(option + 2)
}

/// Writes stars over them where the system keeps the list of arguments, which is memory of this process that nothing else of
/// it refers to.
fn overwrite(words: &[&[u8]], passwords: &[(usize, Range<usize>)]) -> io::Result<()> {
    let place = place_of_arguments()?;
    let memory = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/proc/self/mem")?;
    let mut begin = place.start;
    for (number, word) in words.iter().enumerate() {
        let length = word.len() as u64;
        if begin + length > place.end {
            return Err(io::Error::other("the list of arguments ends early"));
        }
        for (_, part) in passwords.iter().filter(|(of, _)| *of == number) {
            overwrite_part(&memory, begin, word, part)?;
        }
        begin += length + 1;
    }
    Ok(())
}

fn overwrite_part(memory: &File, begin: u64, word: &[u8], part: &Range<usize>) -> io::Result<()> {
    let mut there = vec![0; word.len()];
    memory.read_exact_at(&mut there, begin)?;
    if there != word {
        return Err(io::Error::other("the list of arguments is another one"));
    }
    memory.write_all_at(&vec![b'*'; part.len()], begin + part.start as u64)
}

/// Where the list of arguments lies, each ended by a zero.
fn place_of_arguments() -> io::Result<Range<u64>> {
    /// `arg_start` and `arg_end` are the 48th and 49th field; the second, in brackets, may have blanks in it.
    const BEHIND_NAME: usize = 48 - 3;
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut fields = fields.split_ascii_whitespace().skip(BEHIND_NAME);
    let mut next = || fields.next()?.parse().ok().filter(|place| *place > 0);
    match (next(), next()) {
        (Some(start), Some(end)) => Ok(start..end),
        _ => Err(io::Error::other(
            "the system does not say where the arguments are",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Vec<String> {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        passwords(&words)
            .into_iter()
            .map(|(word, part)| String::from_utf8_lossy(&words[word][part]).into_owned())
            .collect()
    }

    #[test]
    fn passwords_are_found_however_they_are_written() {
        for (line, expected) in [
            ("dbctl -p one status", &["one"][..]),
            ("dbctl -pone status", &["one"]),
            ("dbctl --password one status", &["one"]),
            ("dbctl status --password=one", &["one"]),
            ("dbctl --password= status", &[]),
            ("dbctl -p -one status", &["-one"]),
            ("dbrepl -vSp one :8102", &["one"]),
            ("dbrepl -vpone -c m.cfg", &["one"]),
            ("dbctl -p one status -p two", &["one", "two"]),
            ("dbctl --password-file one status", &[]),
            ("dbctl -u -p status", &["status"]),
            ("dbctl sql -- -p one", &[]),
            ("dbrepl -P one -cp", &[]),
            ("dbctl -p", &[]),
            ("-p one", &[]),
        ] {
            assert_eq!(found(line), expected, "{line}");
        }
    }

    #[test]
    fn this_process_has_its_arguments_where_the_system_says() {
        let place = place_of_arguments().unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let mut bytes = vec![0; usize::try_from(place.end - place.start).unwrap()];
        memory.read_exact_at(&mut bytes, place.start).unwrap();
        let words: Vec<OsString> = std::env::args_os().collect();
        let first = words.first().unwrap().as_bytes();
        assert_eq!(bytes.get(..first.len()), Some(first));
    }
}
