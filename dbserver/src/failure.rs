//! What a client is told when a statement fails: the fields of an `ErrorResponse`.

use std::fmt;

use pgtypes::SqlState;

use crate::error::EngineError;

/// How far a failure reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The statement, and with it the transaction.
    Error,
    /// The connection.
    Fatal,
}

/// An error for the client. Boxed, so that a `Result` on the hot path stays small.
#[derive(Debug, Clone)]
pub struct Failure(Box<Fields>);

/// The fields of a [`Failure`]; what is unknown is left out of the message.
#[derive(Debug, Clone)]
pub struct Fields {
    /// Error or fatal.
    pub severity: Severity,
    /// What kind of error, for programs.
    pub sqlstate: SqlState,
    /// One line, lower case, no full stop.
    pub message: String,
    /// More about the cause.
    pub detail: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// Place in the statement, in characters from 1.
    pub position: Option<usize>,
    /// Where it happened: `COPY t, line 3`.
    pub context: Option<String>,
    /// The schema of the table.
    pub schema: Option<String>,
    /// The table.
    pub table: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The constraint.
    pub constraint: Option<String>,
    /// PostgreSQL's function that says the same, where clients go by it.
    pub routine: Option<&'static str>,
    /// The columns of a key that is taken. Not told: the constraint's name is looked up by them.
    pub key: Vec<String>,
}

impl Failure {
    /// An error that ends the statement.
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Self(Box::new(Fields {
            severity: Severity::Error,
            sqlstate,
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
            context: None,
            schema: None,
            table: None,
            column: None,
            constraint: None,
            routine: None,
            key: Vec::new(),
        }))
    }

    /// An error that ends the connection.
    pub fn fatal(sqlstate: SqlState, message: impl Into<String>) -> Self {
        let mut failure = Self::new(sqlstate, message);
        failure.0.severity = Severity::Fatal;
        failure
    }

    /// The request is understood and not served.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(SqlState::FEATURE_NOT_SUPPORTED, message)
    }

    /// The client broke the protocol in a way that the session outlives.
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(SqlState::PROTOCOL_VIOLATION, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds more about the cause.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds where it happened.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.0.context = Some(context.into());
        self
    }

    /// Without a place in the statement.
    #[must_use]
    pub fn without_position(mut self) -> Self {
        self.0.position = None;
        self
    }

    /// Moves the place in the statement by what stands before the statement in its script.
    #[must_use]
    pub fn shifted(mut self, characters: usize) -> Self {
        self.0.position = self.0.position.map(|position| position + characters);
        self
    }

    /// Names the unique constraint that a change violates.
    #[must_use]
    pub fn unique_constraint(mut self, name: String) -> Self {
        self.0.message = format!("duplicate key value violates unique constraint \"{name}\"");
        self.0.constraint = Some(name);
        self
    }

    /// Makes it end the connection.
    #[must_use]
    pub fn into_fatal(mut self) -> Self {
        self.0.severity = Severity::Fatal;
        self
    }

    /// Whether it ends the connection.
    pub fn is_fatal(&self) -> bool {
        self.0.severity == Severity::Fatal
    }

    /// All fields.
    pub fn fields(&self) -> &Fields {
        &self.0
    }

    /// All fields, to be filled.
    pub fn fields_mut(&mut self) -> &mut Fields {
        &mut self.0
    }

    /// The SQLSTATE.
    pub fn sqlstate(&self) -> SqlState {
        self.0.sqlstate
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.0.message, self.0.sqlstate)
    }
}

impl std::error::Error for Failure {}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let mut failure = Self::new(error.sqlstate(), error.to_string());
        failure.0.hint = error.hint();
        failure.0.detail = error.detail().map(str::to_owned);
        if error.sqlstate() == SqlState::ADMIN_SHUTDOWN {
            failure.0.severity = Severity::Fatal;
        }
        failure
    }
}
