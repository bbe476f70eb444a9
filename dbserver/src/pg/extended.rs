//! The extended protocol: Parse, Bind, Describe, Execute, Close.

use std::rc::Rc;

use dialect::StatementKind;
use pgtypes::{Format, PgType, SqlState, SqlValue, decode};
use pgwire::messages::data::ParameterDescription;
use pgwire::messages::extendedquery::{
    Bind, Close, Describe, Execute, Parse, TARGET_TYPE_BYTE_PORTAL, TARGET_TYPE_BYTE_STATEMENT,
};

use crate::failure::Failure;
use crate::pg::client::Client;
use crate::pg::perform::Ending;
use crate::session::command::{no_cursor, no_statement};
use crate::session::portal::Portal;
use crate::session::prepared::{Columns, Prepared};
use crate::session::{row, transaction};
use crate::wire::output;

impl Client {
    /// Parse: a prepared statement, named or not.
    pub(super) fn parse(&mut self, parse: Parse) -> Result<(), Failure> {
        let name = parse.name.unwrap_or_default();
        if !name.is_empty() && self.session.statements.contains_key(&name) {
            return Err(Failure::new(
                SqlState::DUPLICATE_PREPARED_STATEMENT,
                format!("prepared statement \"{name}\" already exists"),
            ));
        }
        if dialect::split(&parse.query).len() > 1 {
            return Err(Failure::new(
                SqlState::SYNTAX_ERROR,
                "cannot insert multiple commands into a prepared statement",
            ));
        }
        let text = parse
            .query
            .trim_end_matches(|c: char| c == ';' || c.is_ascii_whitespace());
        let prepared = self.session.prepare(text, &parse.type_oids)?;
        if prepared.has_rows() && !matches!(prepared.statement.kind, StatementKind::CopyOut { .. })
        {
            // A fault that only SQLite sees belongs to Parse.
            prepared.describe_now(self.session.sqlite())?;
        }
        self.session.statements.insert(name, prepared);
        output::parse_complete(self.stream.write_buffer_mut());
        Ok(())
    }

    /// Bind: a portal, named or not.
    pub(super) fn bind(&mut self, bind: Bind) -> Result<(), Failure> {
        let statement = bind.statement_name.unwrap_or_default();
        let mut prepared = self.statement_named(&statement)?;
        if !self.session.transaction().accepts(&prepared.statement.kind) {
            return Err(transaction::aborted());
        }
        let portal = bind.portal_name.unwrap_or_default();
        if !portal.is_empty() && self.session.portals.contains_key(&portal) {
            return Err(Failure::new(
                SqlState::DUPLICATE_CURSOR,
                format!("cursor \"{portal}\" already exists"),
            ));
        }
        let mut values = parameters(
            &prepared,
            &statement,
            &bind.parameters,
            &bind.parameter_format_codes,
        )?;
        if let StatementKind::Execute { name, arguments } = &prepared.statement.kind {
            (prepared, values) = self.session.resolve_execute(name, arguments)?;
        }
        let told = self.columns(&prepared)?;
        let formats = result_formats(
            &bind.result_column_format_codes,
            told.as_deref().map(<[_]>::len),
        )?;
        let opened = Portal::new(prepared, values, formats, told);
        self.session.portals.insert(portal, opened);
        output::bind_complete(self.stream.write_buffer_mut());
        Ok(())
    }

    /// Describe: what a statement takes and gives, or what a portal gives.
    pub(super) fn describe(&mut self, describe: &Describe) -> Result<(), Failure> {
        let name = describe.name.as_deref().unwrap_or_default();
        let (columns, formats) = match describe.target_type {
            TARGET_TYPE_BYTE_STATEMENT => {
                let prepared = self.statement_named(name)?;
                let columns = self.columns(&prepared)?;
                let types = ParameterDescription::new(prepared.parameter_oids.clone());
                output::append(self.stream.write_buffer_mut(), &types);
                (columns, Rc::default())
            }
            TARGET_TYPE_BYTE_PORTAL => {
                let portal = self
                    .session
                    .portals
                    .get(name)
                    .ok_or_else(|| no_portal(name))?;
                (portal.told.clone(), Rc::clone(&portal.formats))
            }
            _ => return Err(Failure::protocol("invalid DESCRIBE message subtype")),
        };
        let out = self.stream.write_buffer_mut();
        match columns {
            Some(columns) => row::describe(out, &columns, &formats),
            None => output::no_data(out),
        }
        Ok(())
    }

    /// Execute: runs a portal, or runs it on.
    pub(super) async fn execute(&mut self, execute: Execute) -> Result<(), Failure> {
        let name = execute.name.unwrap_or_default();
        let mut portal = self
            .session
            .portals
            .remove(&name)
            .ok_or_else(|| no_portal(&name))?;
        let limit = match u64::try_from(execute.max_rows) {
            Ok(0) | Err(_) => u64::MAX,
            Ok(rows) => rows,
        };
        let ending = self.perform(&mut portal, limit, false).await?;
        self.complete(&ending);
        // The portal of a command that ended the transaction has gone with it.
        let ended = matches!(
            portal.prepared.statement.kind,
            StatementKind::Commit { .. } | StatementKind::Rollback { .. }
        );
        if !ended && (ending == Ending::Suspended || self.session.transaction().is_explicit()) {
            self.session.portals.insert(name, portal);
        }
        Ok(())
    }

    /// Close: forgets a statement or a portal; one that is not there is no error.
    pub(super) fn close(&mut self, close: &Close) -> Result<(), Failure> {
        let name = close.name.as_deref().unwrap_or_default();
        match close.target_type {
            TARGET_TYPE_BYTE_STATEMENT => {
                self.session.statements.remove(name);
            }
            TARGET_TYPE_BYTE_PORTAL => {
                self.session.portals.remove(name);
            }
            _ => return Err(Failure::protocol("invalid CLOSE message subtype")),
        }
        output::close_complete(self.stream.write_buffer_mut());
        Ok(())
    }

    fn statement_named(&self, name: &str) -> Result<Rc<Prepared>, Failure> {
        self.session.statements.get(name).cloned().ok_or_else(|| {
            if name.is_empty() {
                Failure::new(
                    SqlState::INVALID_SQL_STATEMENT_NAME,
                    "unnamed prepared statement does not exist",
                )
            } else {
                no_statement(name)
            }
        })
    }

    /// What the client is told about the result; `None`: there is none.
    fn columns(&mut self, prepared: &Prepared) -> Result<Option<Columns>, Failure> {
        let kind = &prepared.statement.kind;
        if prepared.has_rows()
            && !matches!(
                kind,
                StatementKind::CopyOut { .. } | StatementKind::DeclareCursor { .. }
            )
        {
            if prepared.statement.catalog {
                self.session.prepare_catalog()?;
            }
            return prepared.describe_now(self.session.sqlite()).map(Some);
        }
        Ok(self.session.command_columns(kind))
    }
}

fn no_portal(name: &str) -> Failure {
    if name.is_empty() {
        return Failure::new(
            SqlState::INVALID_CURSOR_NAME,
            "unnamed portal does not exist",
        );
    }
    let failure = no_cursor(name);
    Failure::new(
        SqlState::INVALID_CURSOR_NAME,
        failure.fields().message.replacen("cursor", "portal", 1),
    )
}

/// The parameter values in stored form.
fn parameters(
    prepared: &Prepared,
    statement: &str,
    values: &[Option<bytes::Bytes>],
    codes: &[i16],
) -> Result<Vec<SqlValue>, Failure> {
    if values.len() != prepared.parameters.len() {
        return Err(Failure::protocol(format!(
            "bind message supplies {} parameters, but prepared statement \"{statement}\" requires {}",
            values.len(),
            prepared.parameters.len()
        )));
    }
    if codes.len() > 1 && codes.len() != values.len() {
        return Err(Failure::protocol(format!(
            "bind message has {} parameter formats but {} parameters",
            codes.len(),
            values.len()
        )));
    }
    let formats = codes
        .iter()
        .map(|code| Format::from_code(*code))
        .collect::<Result<Vec<_>, _>>()?;
    let decoded = values.iter().zip(&prepared.parameters).enumerate();
    decoded
        .map(|(index, (value, ty))| match value {
            None => Ok(SqlValue::Null),
            Some(bytes) => parameter(bytes, ty, row::format(&formats, index))
                .and_then(|value| prepared.limited(index, value))
                .map_err(|failure| failure.context(format!("parameter ${}", index + 1))),
        })
        .collect()
}

fn parameter(bytes: &[u8], ty: &PgType, format: Format) -> Result<SqlValue, Failure> {
    decode(bytes, ty, format).map_err(Failure::from)
}

fn result_formats(codes: &[i16], columns: Option<usize>) -> Result<Vec<Format>, Failure> {
    if codes.len() > 1 && columns.is_some_and(|columns| columns != codes.len()) {
        return Err(Failure::protocol(format!(
            "bind message has {} result formats but query has {} columns",
            codes.len(),
            columns.unwrap_or_default()
        )));
    }
    let formats = codes.iter().map(|code| Format::from_code(*code));
    formats
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::from)
}
