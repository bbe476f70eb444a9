//! One item of an access-control list: what somebody was granted by somebody.

use std::fmt;

use crate::privileges::Privileges;

/// Who was granted something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grantee {
    /// Everybody.
    Public,
    /// A role, and those that have its rights.
    Role(String),
}

impl Grantee {
    /// The role's name; `None` for everybody.
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::Public => None,
            Self::Role(name) => Some(name),
        }
    }
}

/// An item, which prints as PostgreSQL's `aclitem`: `ann=arw*/dba`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Who has it.
    pub grantee: Grantee,
    /// Who has granted it.
    pub grantor: String,
    /// What.
    pub granted: Privileges,
    /// What of it the grantee may grant.
    pub options: Privileges,
}

impl Item {
    /// Reads what [`fmt::Display`] has written.
    pub fn read(text: &str) -> Option<Self> {
        let (name, rest) = read_name(text)?;
        let (letters, grantor) = rest.strip_prefix('=')?.split_once('/')?;
        let (granted, options) = Privileges::read(letters)?;
        let (grantor, rest) = read_name(grantor)?;
        if !rest.is_empty() || grantor.is_empty() {
            return None;
        }
        let grantee = if name.is_empty() {
            Grantee::Public
        } else {
            Grantee::Role(name)
        };
        Some(Self {
            grantee,
            grantor,
            granted,
            options,
        })
    }

    pub(crate) fn is_of(&self, grantor: &str, grantee: &Grantee) -> bool {
        self.grantor == grantor && self.grantee == *grantee
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Grantee::Role(name) = &self.grantee {
            f.write_str(&role_text(name))?;
        }
        f.write_str("=")?;
        self.granted.write(self.options, f)?;
        f.write_str("/")?;
        f.write_str(&role_text(&self.grantor))
    }
}

/// The name of a role as an item shows it: in quotes where it has more than letters, digits and underscores.
pub fn role_text(name: &str) -> String {
    if name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A name at the beginning of a text, and what stands behind it.
fn read_name(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        return Some((name.to_owned(), rest));
    };
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        let Some(more) = after.strip_prefix('"') else {
            return (!name.is_empty()).then_some((name, after));
        };
        name.push('"');
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_reads_as_it_prints() {
        for text in [
            "ann=arw*/dba",
            "=Tc/dba",
            "\"a b\"\"c\"=r/\"d-e\"",
            "größe=U/dba",
            "ann=*/dba",
        ] {
            let item = Item::read(text);
            if text.contains("=*") {
                assert_eq!(item, None);
            } else {
                assert_eq!(item.unwrap().to_string(), text);
            }
        }
        for wrong in [
            "",
            "ann",
            "ann=r",
            "ann=q/dba",
            "ann=r/",
            "ann=r/dba x",
            "\"a=r/dba",
        ] {
            assert_eq!(Item::read(wrong), None, "{wrong}");
        }
    }
}
