//! The session as PostgreSQL's functions see it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pgtypes::{Context, Timestamp, Timestamptz};

use crate::session::functions::facts::{self, Facts};

/// One call of a function.
pub(super) struct Calling {
    facts: Arc<Facts>,
    context: Arc<Context>,
}

impl Calling {
    /// Of a session with these facts.
    pub(super) fn new(facts: &Arc<Facts>) -> Self {
        Self {
            facts: Arc::clone(facts),
            context: facts.context(),
        }
    }
}

impl functions::Session for Calling {
    fn context(&self) -> &Context {
        &self.context
    }

    fn transaction_timestamp(&self) -> Timestamptz {
        moment(self.facts.transaction_time.load(Ordering::Relaxed))
    }

    fn statement_timestamp(&self) -> Timestamptz {
        moment(self.facts.statement_time.load(Ordering::Relaxed))
    }

    fn clock(&self) -> Timestamptz {
        moment(facts::now())
    }
}

fn moment(since_1970: i64) -> Timestamptz {
    Timestamptz(facts::since_2000(since_1970).unwrap_or(Timestamp::INFINITY))
}
