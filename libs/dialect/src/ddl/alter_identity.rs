//! ALTER TABLE … ALTER COLUMN, of columns GENERATED … AS IDENTITY.

use pgtypes::{PgType, SqlState};

use crate::ddl::alter::Alter;
use crate::ddl::counting::{self, Counting};
use crate::ddl::stored_rights;
use crate::error::DialectError;
use crate::sequence::{Options, SequenceInfo, altered, stored};
use crate::statement::Notice;
use crate::table_info::{Identity, TableColumn};

impl Alter<'_> {
    fn info_of(&self, name: &str) -> Option<&TableColumn> {
        let mut columns = self.info.columns.iter();
        columns.find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// How the column counts, if it is an identity column.
    pub(crate) fn identity(&self, name: &str) -> Option<Identity> {
        self.info_of(name).and_then(|column| column.identity)
    }

    fn refused(&self, name: &str, sqlstate: SqlState, what: &str) -> DialectError {
        let table = &self.table;
        DialectError::new(
            sqlstate,
            format!("column \"{name}\" of relation \"{table}\" {what}"),
        )
    }

    /// The default of an identity column is not the user's.
    pub(crate) fn check_no_identity(&self, name: &str, set: bool) -> Result<(), DialectError> {
        if self.identity(name).is_none() {
            return Ok(());
        }
        let refused = self.refused(name, SqlState::SYNTAX_ERROR, "is an identity column");
        if set {
            return Err(refused);
        }
        Err(refused.hint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead."))
    }

    fn sequence_of(&self, name: &str) -> Option<SequenceInfo> {
        let owned = self.schema.owned_sequences(&self.table);
        let of_column = owned.into_iter().filter(|(_, column)| column == name);
        of_column
            .filter_map(|(sequence, _)| self.schema.sequence(&sequence))
            .find(|sequence| sequence.identity)
    }

    /// ADD GENERATED …; the token behind GENERATED at `at`.
    pub(crate) fn add_identity(
        &mut self,
        name: &str,
        column: (usize, usize),
        at: usize,
        end: usize,
    ) -> Result<(), DialectError> {
        let Some(counting) = counting::read_identity(self.src, at, end)? else {
            return Err(self.src.syntax(at));
        };
        let state = SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE;
        let info = self.info_of(name).cloned().unwrap_or_default();
        if !info.not_null {
            let what = "must be declared NOT NULL before identity can be added";
            return Err(self.refused(name, state, what));
        }
        if info.identity.is_some() {
            return Err(self.refused(name, state, "is already an identity column"));
        }
        if info.default.is_some() {
            return Err(self.refused(name, state, "already has a default value"));
        }
        let Some(ty) = info.type_name.filter(PgType::is_integer) else {
            return Err(DialectError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                "identity column type must be smallint, integer, or bigint",
            ));
        };
        let mut taken = Vec::new();
        let made = counting::make((&self.table, name, ty), &counting, self.schema, &mut taken)?;
        self.change.first.extend(made.first);
        self.set_type_text(column, &ty, counting.marker());
        let to = self.present.src.end_before(column.1);
        let default = format!(" DEFAULT ({})", made.default);
        self.change.edits.after(to, default);
        self.changed = true;
        Ok(())
    }

    /// The type as the table's text says it, with what is noted about identity.
    fn set_type_text(&mut self, column: (usize, usize), ty: &PgType, marker: &str) {
        let end = self.present.type_end(column);
        let src = self.present.src;
        let range = src.start(column.0 + 1)..src.start(end);
        let text = format!("INTEGER /*{}{marker}*/ ", ty.name());
        self.change.edits.replace(range, text);
    }

    /// DROP IDENTITY [IF EXISTS]
    pub(crate) fn drop_identity(
        &mut self,
        name: &str,
        column: (usize, usize),
        if_exists: bool,
    ) -> Result<(), DialectError> {
        if self.identity(name).is_none() {
            if if_exists {
                let table = &self.table;
                self.notices.push(Notice::plain(format!(
                    "column \"{name}\" of relation \"{table}\" is not an identity column, skipping"
                )));
                return Ok(());
            }
            let state = SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE;
            return Err(self.refused(name, state, "is not an identity column"));
        }
        let ty = self.type_name(name).unwrap_or(PgType::Int8);
        self.set_type_text(column, &ty, "");
        if let Some((from, to)) = self.present.clause(column, "default") {
            self.present.replace(&mut self.change.edits, from, to, "");
        }
        if let Some(sequence) = self.sequence_of(name) {
            self.change.first.extend(stored::drop(&sequence.name));
            let gone = stored_rights::drop(self.schema, &sequence.name);
            self.change.first.extend(gone);
        }
        self.changed = true;
        Ok(())
    }

    /// `{ SET GENERATED … | SET option | RESTART [[WITH] n] } …`
    pub(crate) fn set_identity(
        &mut self,
        name: &str,
        column: (usize, usize),
        at: usize,
        end: usize,
    ) -> Result<(), DialectError> {
        let state = SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE;
        if self.identity(name).is_none() {
            return Err(self.refused(name, state, "is not an identity column"));
        }
        let src = self.src;
        let mut options = Options::default();
        let mut generated = None;
        let mut at = at;
        while at < end {
            let option = at + usize::from(src.is(at, "SET"));
            if src.are(option, &["GENERATED", "ALWAYS"]) {
                generated = Some(Identity::Always);
                at = option + 2;
            } else if src.are(option, &["GENERATED", "BY", "DEFAULT"]) {
                generated = Some(Identity::ByDefault);
                at = option + 3;
            } else {
                at = options.read_one(src, option, end)?;
            }
        }
        let sequence = self.sequence_of(name);
        if options != Options::default()
            && let Some(sequence) = sequence
        {
            let restart = options.restart.is_some();
            let text = stored::alter(&altered(sequence, &options)?, restart);
            if generated.is_some() {
                self.change.first.push(text);
            } else {
                self.sqlite.push(text);
            }
        }
        if let Some(generated) = generated {
            let ty = self.type_name(name).unwrap_or(PgType::Int8);
            let counting = Counting::Identity(generated, Box::default());
            self.set_type_text(column, &ty, counting.marker());
            self.changed = true;
        }
        Ok(())
    }
}
