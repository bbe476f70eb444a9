//! Random values, in the spellings that PostgreSQL reads.

use disk::testing::Random;

/// 64 bits.
pub(crate) fn any(random: &mut Random) -> u64 {
    random.next() ^ (random.next() << 32)
}

/// Any bytes.
pub(crate) fn bytes<const N: usize>(random: &mut Random) -> [u8; N] {
    std::array::from_fn(|_| any(random).to_le_bytes()[0])
}

/// One of them.
pub(crate) fn pick<T: Copy>(random: &mut Random, of: &[T]) -> T {
    let index = usize::try_from(random.below(of.len() as u64)).unwrap_or(0);
    of[index]
}

pub(crate) fn spaced(random: &mut Random, text: String) -> String {
    match random.below(8) {
        0 => format!(" {text}"),
        1 => format!("{text}  "),
        _ => text,
    }
}

/// A decimal number of at most that many digits before and behind the point. A numeric is exact to fifteen.
pub(crate) fn fraction(random: &mut Random, whole: u32, behind: u32) -> String {
    let digits = |random: &mut Random, most: u32| {
        let count = u32::try_from(random.below(u64::from(most) + 1)).unwrap_or(0);
        any(random) % 10_u64.pow(count)
    };
    let sign = if random.coin() { "-" } else { "" };
    let (before, after) = (digits(random, whole), digits(random, behind));
    let places = usize::try_from(random.below(u64::from(behind) + 1)).unwrap_or(0);
    let after = format!(
        "{after:0width$}",
        width = usize::try_from(behind).unwrap_or(0)
    );
    match places {
        0 => format!("{sign}{before}"),
        _ => format!("{sign}{before}.{}", &after[after.len() - places..]),
    }
}

/// Text with all that must be quoted somewhere.
pub(crate) fn characters(random: &mut Random, most: u64) -> String {
    const SPECIAL: &[char] = &[
        '\'', '"', '\\', '\n', '\r', '\t', ',', ' ', '.', '%', '\u{1}', '\u{7f}', 'ä', '€', '🦀',
        '$', '{', '}',
    ];
    let length = random.below(most + 1);
    (0..length)
        .map(|_| match random.below(3) {
            0 => pick(random, SPECIAL),
            _ => pick(random, &['a', 'b', 'Z', '0', 'N']),
        })
        .collect()
}

pub(crate) fn date(random: &mut Random) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "February", "Mar", "April", "May", "June", "July", "Aug", "Sept", "Oct", "November",
        "Dec",
    ];
    let (month, day) = (random.below(12) + 1, random.below(28) + 1);
    let year = match random.below(5) {
        0 => random.below(9999) + 1,
        _ => 1900 + random.below(200),
    };
    let name = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
    match random.below(6) {
        0 => format!("{name} {day}, {year:04}"),
        1 => format!("{month}/{day}/{year:04}"),
        2 => format!("{year:04}{month:02}{day:02}"),
        _ => format!("{year:04}-{month:02}-{day:02}"),
    }
}

pub(crate) fn clock(random: &mut Random) -> String {
    let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
    match random.below(6) {
        0 => format!(
            "{}:{minute:02} {}",
            hour % 12 + 1,
            if random.coin() { "AM" } else { "pm" }
        ),
        1 => format!("{hour:02}:{minute:02}"),
        2 => format!("{hour:02}:{minute:02}:{second:02}"),
        _ => format!(
            "{hour:02}:{minute:02}:{second:02}.{}",
            random.below(1_000_000)
        ),
    }
}

/// A time of day with its zone.
pub(crate) fn zoned(random: &mut Random) -> String {
    let (clock, zone) = (clock(random), zone(random));
    // Behind letters it would be a part of a name.
    let gap = if clock.ends_with(char::is_alphabetic) {
        " "
    } else {
        ""
    };
    format!("{clock}{gap}{zone}")
}

fn zone(random: &mut Random) -> String {
    let sign = if random.coin() { '+' } else { '-' };
    let (hours, minutes) = (random.below(15), random.below(60));
    match random.below(4) {
        0 => "Z".to_owned(),
        1 => format!("{sign}{hours:02}:{minutes:02}"),
        2 => format!("{sign}{hours:02}{minutes:02}"),
        _ => format!("{sign}{hours:02}"),
    }
}

pub(crate) fn interval(random: &mut Random) -> String {
    const UNITS: [&str; 8] = [
        "years",
        "mons",
        "days",
        "hours",
        "minutes",
        "seconds",
        "weeks",
        "centuries",
    ];
    let parts = random.below(4) + 1;
    let text: Vec<String> = (0..parts)
        .map(|at| {
            let unit = UNITS[usize::try_from((random.below(2) + at * 2) % 8).unwrap_or(0)];
            let sign = if random.below(4) == 0 { "-" } else { "" };
            format!("{sign}{} {unit}", random.below(10_000))
        })
        .collect();
    text.join(" ")
}

pub(crate) fn json(random: &mut Random, depth: u64) -> String {
    let space = if random.coin() { " " } else { "" };
    match random.below(if depth == 0 { 4 } else { 6 }) {
        0 => "null".to_owned(),
        1 => random.coin().to_string(),
        2 => fraction(random, 6, 3),
        3 => serde_json::Value::String(characters(random, 8)).to_string(),
        4 => {
            let parts: Vec<String> = (0..random.below(4))
                .map(|_| json(random, depth - 1))
                .collect();
            format!("[{space}{}{space}]", parts.join(&format!(",{space}")))
        }
        _ => {
            let parts: Vec<String> = (0..random.below(4))
                .map(|at| format!("\"k{at}\":{space}{}", json(random, depth - 1)))
                .collect();
            format!("{{{space}{}{space}}}", parts.join(&format!("{space},")))
        }
    }
}
