//! Calls that read the catalog, and calls on sequences.

use pgtypes::PgType;

use crate::error::DialectError;
use crate::expr::Expr;
use crate::literal::quote;
use crate::translator::Translator;

/// The oid of a relation by its name: what follows is the name's expression and two closing parentheses. The columns of
/// `eq_object` have names that nothing else has, so that none of the expression's is captured.
pub(crate) const OID_BY_NAME: &str =
    "(SELECT eq_oid FROM eq_object WHERE eq_kind = 'class' AND eq_name = eq_unqualified(";
/// The name of a relation by its oid.
pub(crate) const NAME_BY_OID: &str = "(SELECT eq_name FROM eq_object WHERE eq_oid = (";

impl Translator<'_> {
    /// A call that is answered by a query or by a constant; `None` for an ordinary one.
    pub(crate) fn session_call(
        &mut self,
        at: usize,
        last: usize,
        name: &str,
    ) -> Result<Option<Expr>, DialectError> {
        let close = self.src.partner(last + 1);
        let whole = Expr::new(at, close + 1).named(name);
        let expr = match name {
            "to_regclass" => {
                self.catalog = true;
                let arguments = self.list(last + 2, close)?;
                let Some(first) = arguments.first() else {
                    return Err(self.src.syntax(close));
                };
                self.replace(at, first.from, OID_BY_NAME);
                self.replace(first.to, close + 1, "))");
                whole.typed(PgType::Oid)
            }
            "pg_get_indexdef" | "pg_get_constraintdef" | "pg_get_viewdef" => {
                self.catalog = true;
                let arguments = self.list(last + 2, close)?;
                let Some(first) = arguments.first() else {
                    return Err(self.src.syntax(close));
                };
                self.replace(
                    at,
                    first.from,
                    "(SELECT eq_def FROM eq_object WHERE eq_oid = ",
                );
                self.replace(first.to, close + 1, ")");
                whole.typed(PgType::Text)
            }
            "pg_get_userbyid" => {
                self.catalog = true;
                self.list(last + 2, close)?;
                self.replace(
                    last,
                    last + 2,
                    "(SELECT rolname FROM pg_roles AS eq_r WHERE eq_r.oid = ",
                );
                whole.typed(PgType::Name)
            }
            "nextval" | "currval" => return self.sequence_call(at, last, name),
            "pg_get_serial_sequence" => {
                let (table, column) = (self.src.string(last + 2)?, self.src.string(last + 4)?);
                let (Some(table), Some(column)) = (table, column) else {
                    return Ok(None);
                };
                let bare = table
                    .rsplit('.')
                    .next()
                    .unwrap_or(&table)
                    .trim_matches('"')
                    .to_owned();
                self.replace(at, close + 1, quote(&format!("public.{bare}_{column}_seq")));
                whole.typed(PgType::Text)
            }
            _ => return Ok(None),
        };
        Ok(Some(expr))
    }

    /// nextval and currval within an expression: the server knows the sequence by its name.
    fn sequence_call(
        &mut self,
        at: usize,
        last: usize,
        name: &str,
    ) -> Result<Option<Expr>, DialectError> {
        let close = self.src.partner(last + 1);
        let Some(text) = self.src.string(last + 2)? else {
            return Ok(None);
        };
        self.repeatable = false;
        self.replace(at, close + 1, format!("pg_{name}_oid({})", quote(&text)));
        Ok(Some(
            Expr::new(at, close + 1).typed(PgType::Int8).named(name),
        ))
    }
}
