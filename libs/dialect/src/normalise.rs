//! A statement without its constants, as `pg_stat_statements` shows it.

use crate::lexer::{Kind, tokens};

/// The text with each constant replaced by a parameter; those numbers go on behind the parameters that it has itself.
/// A text that is none in PostgreSQL's spelling stays as it is.
pub fn normalised(sql: &str) -> String {
    let Ok(tokens) = tokens(sql) else {
        return sql.trim().to_owned();
    };
    let own = tokens
        .iter()
        .filter(|token| token.kind == Kind::Parameter)
        .filter_map(|token| sql.get(token.start + 1..token.end)?.parse::<u32>().ok())
        .max();
    let mut next = own.unwrap_or(0) + 1;
    let mut out = String::with_capacity(sql.len());
    let mut done = tokens.first().map_or(0, |token| token.start);
    for token in &tokens {
        let constant = match token.kind {
            Kind::Text
            | Kind::Escape
            | Kind::National
            | Kind::Bits
            | Kind::Hex
            | Kind::Dollar
            | Kind::Integer
            | Kind::Decimal => true,
            Kind::Unicode => sql
                .get(token.start..token.end)
                .is_some_and(|it| it.ends_with('\'')),
            Kind::Word | Kind::Quoted | Kind::Parameter | Kind::Punctuation | Kind::Operator => {
                false
            }
        };
        if constant {
            out.push_str(sql.get(done..token.start).unwrap_or_default());
            out.push('$');
            out.push_str(&next.to_string());
            next += 1;
            done = token.end;
        }
    }
    let end = tokens.last().map_or(done, |token| token.end);
    out.push_str(sql.get(done..end).unwrap_or_default());
    out.truncate(out.trim_end_matches([';', ' ', '\n']).len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_become_parameters() {
        for (sql, shown) in [
            (
                "SELECT 1, 'a', 2.5 FROM t -- why",
                "SELECT $1, $2, $3 FROM t",
            ),
            (
                "UPDATE t SET a = $2 WHERE id = $1 AND b > 7;",
                "UPDATE t SET a = $2 WHERE id = $1 AND b > $3",
            ),
            ("  SELECT \"1\", E'\\n', $$x$$", "SELECT \"1\", $1, $2"),
            ("SELECT 'open", "SELECT 'open"),
        ] {
            assert_eq!(normalised(sql), shown);
        }
    }
}
