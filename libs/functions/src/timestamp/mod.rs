//! Dates and timestamps.

mod text;

pub(crate) use crate::timestamp::text::{date_text, text, zoned_text};
