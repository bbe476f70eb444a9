//! Texts of values that no list has: numbers of any scale, moments and spans in many spellings, strings of any letters.

use dialect::catalog::TypeId;

use crate::expressions::Generator;

/// What strings are made of: letters of one to four bytes, marks that join the letter before them, and signs with a meaning
/// to patterns, templates and arrays.
const LETTERS: &[&str] = &[
    "a", "b", "c", "A", "Z", "1", "0", " ", "é", "e\u{301}", "ß", "İ", "日", "😀", "%", "_", "\\",
    ",", ".", "-", "''", "{", "}", "\"", "\t", "x", "Ω", "ς",
];

const MONTHS: &[&str] = &["Jan", "February", "MAR", "apr", "Sept", "Dec"];

impl Generator<'_> {
    /// A text that the type reads, mostly.
    pub(crate) fn made_text(&mut self, ty: TypeId) -> Option<String> {
        Some(match ty {
            TypeId::INT2 => self.whole(5),
            TypeId::INT4 => self.whole(10),
            TypeId::INT8 => self.whole(19),
            TypeId::NUMERIC => self.made_numeric(),
            TypeId::FLOAT4 => self.made_float(8, 38),
            TypeId::FLOAT8 => self.made_float(17, 308),
            TypeId::TEXT | TypeId::VARCHAR => self.letters(9),
            // Without a width it keeps no blanks here.
            TypeId::BPCHAR => self.letters(5).trim_end_matches(' ').to_owned(),
            TypeId::DATE => self.made_date(),
            TypeId::TIME => self.made_time(),
            TypeId::TIMESTAMP => {
                let between = *self.pick(&[" ", "T", "  "]);
                let date = self.made_date();
                match date.strip_suffix(" BC") {
                    Some(date) => format!("{date} {} BC", self.made_time()),
                    None => [date, between.to_owned(), self.made_time()].concat(),
                }
            }
            TypeId::TIMESTAMPTZ => {
                let zone =
                    *self.pick(&["+00", "-03:30", " UTC", " Europe/Berlin", "", "+14", " PST"]);
                let (date, time) = (self.made_date(), self.made_time());
                // A year before Christ is told behind the zone.
                match date.strip_suffix(" BC") {
                    Some(date) => format!("{date} {time}{zone} BC"),
                    None => format!("{date} {time}{zone}"),
                }
            }
            TypeId::TIMETZ => {
                let zone = *self.pick(&["+00", "-03:30", "Z", "+14"]);
                let time = self.made_time();
                // A zone right behind AM or PM is another thing to PostgreSQL.
                let time = time.split(' ').next().unwrap_or_default();
                [time, zone].concat()
            }
            TypeId::INTERVAL => self.made_interval(),
            TypeId::JSON | TypeId::JSONB => self.made_json(2),
            TypeId::BYTEA => {
                let bytes = (0..self.below(6)).map(|_| format!("{:02x}", self.below(256)));
                ["\\x".to_owned(), bytes.collect()].concat()
            }
            TypeId::INT4_ARRAY => self.made_array(TypeId::INT4),
            TypeId::NUMERIC_ARRAY => self.made_array(TypeId::NUMERIC),
            TypeId::TEXT_ARRAY => {
                let list: Vec<String> = (0..self.below(4))
                    .map(|_| {
                        let text = self.letters(4);
                        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
                        format!("\"{text}\"")
                    })
                    .collect();
                format!("{{{}}}", list.join(","))
            }
            _ => return None,
        })
    }

    fn digits(&mut self, most: usize) -> String {
        let count = 1 + self.below(most);
        let first = char::from(b'1' + u8::try_from(self.below(9)).expect("a digit"));
        let rest =
            (1..count).map(|_| char::from(b'0' + u8::try_from(self.below(10)).expect("a digit")));
        [first].into_iter().chain(rest).collect()
    }

    fn sign(&mut self) -> &'static str {
        self.pick::<&str>(&["", "", "-"])
    }

    fn whole(&mut self, most: usize) -> String {
        // One digit less always fits.
        let most = if self.once_in(2) { 2 } else { most - 1 };
        [self.sign(), &self.digits(most)].concat()
    }

    fn made_numeric(&mut self) -> String {
        let sign = self.sign();
        let most = *self.pick(&[1, 3, 9, 40]);
        let before = if self.once_in(4) {
            "0".to_owned()
        } else {
            self.digits(most)
        };
        let most = *self.pick(&[1, 2, 4, 30]);
        let behind = match self.below(4) {
            0 => String::new(),
            1 => [".", &"0".repeat(self.below(6)), &self.digits(most)].concat(),
            2 => [".", &self.digits(most), &"0".repeat(self.below(6))].concat(),
            _ => [".", &self.digits(2)].concat(),
        };
        let exponent = match self.below(8) {
            0 => format!("e{}", self.below(30)),
            1 => format!("e-{}", self.below(30)),
            _ => String::new(),
        };
        [sign, &before, &behind, &exponent].concat()
    }

    fn made_float(&mut self, digits: usize, exponent: usize) -> String {
        let sign = self.sign();
        let number = [self.digits(3), ".".to_owned(), self.digits(digits)].concat();
        match self.below(3) {
            0 => format!("{sign}{number}e{}", self.below(exponent - 2)),
            1 => format!("{sign}{number}e-{}", self.below(exponent - 2)),
            _ => format!("{sign}{number}"),
        }
    }

    /// So many letters at most, in a literal's spelling.
    pub(crate) fn letters(&mut self, most: usize) -> String {
        (0..self.below(most + 1))
            .map(|_| *self.pick(LETTERS))
            .collect()
    }

    fn made_date(&mut self) -> String {
        let year = match self.below(4) {
            0 => 1 + self.below(9999),
            1 => 1582 + self.below(3),
            _ => 1990 + self.below(50),
        };
        let (month, day) = (1 + self.below(12), 1 + self.below(28));
        let name = *self.pick(MONTHS);
        match self.below(8) {
            0 => format!("{year:04}{month:02}{day:02}"),
            1 => format!("{day} {name} {year:04}"),
            2 => format!("{name} {day}, {year:04}"),
            3 => format!("{year:04}-{month}-{day}"),
            4 => format!("{year:04}-{month:02}-{day:02} BC"),
            5 => format!("{year:04}.{:03}", 1 + self.below(365)),
            _ => format!("{year:04}-{month:02}-{day:02}"),
        }
    }

    fn made_time(&mut self) -> String {
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        match self.below(6) {
            0 => format!("{hour:02}:{minute:02}"),
            1 => format!("{hour:02}:{minute:02}:{second:02}.{}", self.digits(8)),
            2 => format!("{}:{minute:02}:{second:02} PM", 1 + self.below(12)),
            3 => format!("{}:{minute:02} am", 1 + self.below(12)),
            _ => format!("{hour:02}:{minute:02}:{second:02}"),
        }
    }

    fn made_interval(&mut self) -> String {
        match self.below(6) {
            0 => {
                let (years, days, hours) = (self.below(9), self.below(40), self.below(100));
                format!(
                    "P{years}Y{}M{days}DT{hours}H{}M{}.5S",
                    self.below(30),
                    self.below(90),
                    self.below(90)
                )
            }
            1 => format!("{}{}-{}", self.sign(), self.below(100), self.below(12)),
            2 => format!(
                "{} {}{}:{:02}:{:02}.{}",
                self.whole(4),
                self.sign(),
                self.below(100),
                self.below(60),
                self.below(60),
                self.digits(6)
            ),
            _ => {
                let units = [
                    "year", "mons", "days", "hours", "minutes", "sec", "weeks", "decade", "ms",
                    "us", "century",
                ];
                let parts: Vec<String> = (0..=self.below(4))
                    .map(|_| {
                        let fraction = if self.once_in(4) {
                            [".", &self.digits(3)].concat()
                        } else {
                            String::new()
                        };
                        format!("{}{fraction} {}", self.whole(4), self.pick(&units))
                    })
                    .collect();
                let ago = if self.once_in(5) { " ago" } else { "" };
                [parts.join(" "), ago.to_owned()].concat()
            }
        }
    }

    fn made_json(&mut self, depth: u32) -> String {
        match self.below(if depth == 0 { 5 } else { 8 }) {
            0 => ["null", "true", "false"][self.below(3)].to_owned(),
            1 => self.whole(6),
            2 => {
                let number = self.made_numeric();
                number.strip_prefix('.').unwrap_or(&number).to_owned()
            }
            3 | 4 => {
                let text = self
                    .letters(4)
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\t', "\\t");
                format!("\"{text}\"")
            }
            5 | 6 => {
                let members: Vec<String> = (0..self.below(4))
                    .map(|_| {
                        let key = *self.pick(&["a", "b", "k", "aa", "x y", "é", ""]);
                        format!("\"{key}\": {}", self.made_json(depth - 1))
                    })
                    .collect();
                format!("{{{}}}", members.join(", "))
            }
            _ => {
                let elements: Vec<String> = (0..self.below(4))
                    .map(|_| self.made_json(depth - 1))
                    .collect();
                format!("[{}]", elements.join(","))
            }
        }
    }

    fn made_array(&mut self, of: TypeId) -> String {
        let mut list = Vec::new();
        for _ in 0..self.below(4) {
            let text = if self.once_in(6) {
                None
            } else {
                self.made_text(of)
            };
            list.push(text.unwrap_or_else(|| "NULL".to_owned()));
        }
        format!("{{{}}}", list.join(","))
    }
}
