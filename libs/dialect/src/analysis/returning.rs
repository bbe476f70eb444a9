//! RETURNING.

use crate::analysis::Analyzer;
use crate::analysis::scope::Clause;
use crate::analysis::tree::Returning;
use crate::error::DialectError;
use crate::syntax::ast;

impl Analyzer<'_> {
    /// RETURNING
    pub(crate) fn returning(&mut self, targets: &[ast::Target]) -> Result<Returning, DialectError> {
        if targets.is_empty() {
            return Ok(Returning::default());
        }
        let (mut values, mut columns) =
            self.in_clause(Clause::Returning, |analyzer| analyzer.targets(targets))?;
        self.settle(&mut values, &mut columns)?;
        Ok(Returning { values, columns })
    }
}
