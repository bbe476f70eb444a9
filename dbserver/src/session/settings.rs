//! The values of a session's parameters, and what a transaction does to them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use dialect::pg_catalog::CatalogSetting;
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::bounds::{Ceiling, TEMP_FILE_LIMIT};
use crate::session::frequent::Frequent;
use crate::session::parameters::{self, OF_TRANSACTION, PARAMETERS, Parameter, Shape};
use crate::session::setting_value::{self, checked, shown};

/// Parameter values that differ from the defaults, by canonical name.
type Values = HashMap<String, String>;

/// The parameters of one session.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What RESET goes back to.
    defaults: Values,
    values: Values,
    transaction: Option<Saved>,
    /// For each savepoint what they were then; `None` where nothing was set since.
    savepoints: Vec<Option<(Values, Option<Saved>)>>,
    changed: BTreeMap<&'static str, String>,
    frequent: Frequent,
    ceiling: Ceiling,
    /// What the client was told of `in_hot_standby`, or will be with the next `ReadyForQuery`.
    hot_standby: bool,
}

/// What the end of the transaction makes of the values.
#[derive(Debug, Clone)]
struct Saved {
    on_rollback: Values,
    on_commit: Values,
}

impl Settings {
    /// The settings of a new session; `defaults` are those that the server and the start-up message
    /// give.
    pub fn new(defaults: HashMap<String, String>) -> Self {
        Self {
            frequent: Frequent::of(&defaults),
            values: defaults.clone(),
            defaults,
            transaction: None,
            savepoints: Vec::new(),
            changed: BTreeMap::new(),
            ceiling: Ceiling::default(),
            hot_standby: false,
        }
    }

    /// The value as SHOW prints it.
    ///
    /// Errors: 42704 for a name without a dot that is no parameter.
    pub fn show(&self, name: &str) -> Result<String, Failure> {
        match parameters::find(name) {
            Some(parameter) => Ok(shown(parameter, self.value(parameter))),
            None => self
                .values
                .get(&name.to_ascii_lowercase())
                .cloned()
                .ok_or_else(|| unknown(name)),
        }
    }

    /// The value as it is kept.
    pub fn get(&self, name: &str) -> Option<&str> {
        match parameters::find(name) {
            Some(parameter) => Some(self.value(parameter)),
            None => self
                .values
                .get(&name.to_ascii_lowercase())
                .map(String::as_str),
        }
    }

    /// Sets a value; `None` is the default. `local` lasts to the end of the transaction.
    ///
    /// Errors: 42704, 22023, 55P02, 0A000.
    pub fn set(
        &mut self,
        name: &str,
        value: Option<&str>,
        local: bool,
        in_transaction: bool,
    ) -> Result<(), Failure> {
        let (key, value) = match parameters::find(name) {
            Some(parameter) => {
                let checked = value.map(|v| checked(parameter, v, self.value(parameter)));
                let checked = checked.transpose()?;
                if let Some(value) = &checked {
                    self.ceiling.check(parameter, value)?;
                }
                (parameter.name.to_owned(), checked)
            }
            None if name.contains('.') => (name.to_ascii_lowercase(), value.map(str::to_owned)),
            None => return Err(unknown(name)),
        };
        let value = value.or_else(|| self.defaults.get(&key).cloned());
        self.keep_for_savepoints();
        if in_transaction && self.transaction.is_none() {
            self.transaction = Some(Saved {
                on_rollback: self.values.clone(),
                on_commit: self.values.clone(),
            });
        }
        if !local && let Some(saved) = &mut self.transaction {
            put(&mut saved.on_commit, &key, value.clone());
        }
        if !local || in_transaction {
            put(&mut self.values, &key, value);
            self.note(&key);
        }
        Ok(())
    }

    /// Goes back to the defaults of the session.
    pub fn reset_all(&mut self) {
        self.savepoints.clear();
        self.transaction = None;
        self.replace(self.defaults.clone());
    }

    /// Sets what belongs to the server and no SET may touch.
    pub fn set_fixed(&mut self, name: &'static str, value: &str) {
        self.keep_for_savepoints();
        let kept = self.savepoints.iter_mut().flatten();
        let (kept, of_kept): (Vec<_>, Vec<_>) = kept.map(|(values, saved)| (values, saved)).unzip();
        let saved = of_kept.into_iter().chain([&mut self.transaction]).flatten();
        let saved = saved.flat_map(|saved| [&mut saved.on_commit, &mut saved.on_rollback]);
        let present = [&mut self.defaults, &mut self.values];
        for values in present.into_iter().chain(kept).chain(saved) {
            values.insert(name.to_owned(), value.to_owned());
        }
        self.note(name);
    }

    /// The server's role is that of a slave, or no longer; true when that is news for the client.
    pub fn set_hot_standby(&mut self, hot_standby: bool) -> bool {
        let changed = self.hot_standby != hot_standby;
        if changed {
            self.hot_standby = hot_standby;
            self.set_fixed("in_hot_standby", if hot_standby { "on" } else { "off" });
        }
        changed
    }

    /// Makes the present values those that RESET goes back to.
    pub fn make_defaults(&mut self) {
        self.defaults = self.values.clone();
    }

    /// The server's own limit, unless the client has given one.
    pub fn set_limit(&mut self, name: &'static str, limit: Duration) {
        if limit > Duration::ZERO && !self.values.contains_key(name) {
            self.set_fixed(name, &limit.as_millis().to_string());
        }
    }

    /// The most that any session may have of temporary files, in bytes, if there is a limit. It is also what one has that
    /// says nothing.
    pub fn set_temporary_ceiling(&mut self, bytes: u64) {
        self.ceiling = Ceiling::of(bytes);
        if let Some(kib) = self.ceiling.kib() {
            self.set_fixed(TEMP_FILE_LIMIT, &kib.to_string());
        }
    }

    /// SAVEPOINT.
    pub fn savepoint(&mut self) {
        self.savepoints.push(None);
    }

    /// So many savepoints are left, and what was set stays.
    pub fn release(&mut self, depth: usize) {
        self.savepoints.truncate(depth);
    }

    /// So many savepoints are left, and the values are those of the last; true when that has set something.
    pub fn rollback_to(&mut self, depth: usize) -> bool {
        self.savepoints.truncate(depth);
        let Some((values, transaction)) = self.savepoints.last_mut().and_then(Option::take) else {
            return false;
        };
        self.transaction = transaction;
        self.replace(values);
        true
    }

    fn keep_for_savepoints(&mut self) {
        for kept in &mut self.savepoints {
            if kept.is_none() {
                *kept = Some((self.values.clone(), self.transaction.clone()));
            }
        }
    }

    /// The transaction has ended; true when it has set something.
    pub fn end_transaction(&mut self, committed: bool) -> bool {
        self.savepoints.clear();
        let Some(saved) = self.transaction.take() else {
            return false;
        };
        self.replace(if committed {
            saved.on_commit
        } else {
            saved.on_rollback
        });
        true
    }

    /// The reported parameters that changed since the last call, with their new values.
    pub fn take_changed(&mut self) -> BTreeMap<&'static str, String> {
        std::mem::take(&mut self.changed)
    }

    /// All parameters: name, value, meaning.
    pub fn all(&self) -> Vec<(String, String, String)> {
        PARAMETERS
            .iter()
            .map(|p| {
                (
                    p.name.to_owned(),
                    shown(p, self.value(p)),
                    p.meaning.to_owned(),
                )
            })
            .collect()
    }

    /// All of them as `pg_settings` has them.
    pub fn of_catalog(&self) -> Vec<CatalogSetting> {
        let all = PARAMETERS.iter();
        all.map(|parameter| setting_value::of_catalog(parameter, self.value(parameter)))
            .collect()
    }

    /// The client's own parameters, whose names have a dot.
    pub fn custom(&self) -> impl Iterator<Item = (String, String)> {
        let values = self.values.iter();
        values
            .filter(|(name, _)| name.contains('.'))
            .map(|(name, value)| (name.clone(), value.clone()))
    }

    /// The values that a session has on every server that runs its transactions, as `set_config` takes them. Who
    /// watches the client's pauses is the server that it has called, and each server has a disk of its own.
    pub fn carried(&self) -> BTreeMap<String, String> {
        let carried = |name: &str| match parameters::find(name) {
            Some(parameter) => {
                parameter.shape != Shape::Fixed
                    && !OF_TRANSACTION.contains(&parameter.name)
                    && !parameter.name.starts_with("idle_")
                    && parameter.name != TEMP_FILE_LIMIT
            }
            None => true,
        };
        let values = self.values.iter().filter(|(name, _)| carried(name));
        values
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The reported parameters and their values.
    pub fn reported(&self) -> impl Iterator<Item = (&'static str, &str)> {
        PARAMETERS
            .iter()
            .filter(|p| p.reported)
            .map(|p| (p.name, self.value(p)))
    }

    /// What is read for each statement or transaction.
    pub fn frequent(&self) -> &Frequent {
        &self.frequent
    }

    /// Whether a message of that severity is sent to the client.
    pub fn sends(&self, severity: &str) -> bool {
        let least = self.get("client_min_messages").unwrap_or_default();
        match severity {
            "NOTICE" => !matches!(least, "warning" | "error"),
            "WARNING" => least != "error",
            _ => true,
        }
    }

    fn value(&self, parameter: &'static Parameter) -> &str {
        self.values
            .get(parameter.name)
            .map_or(parameter.default, String::as_str)
    }

    fn replace(&mut self, values: Values) {
        let before = std::mem::replace(&mut self.values, values);
        for parameter in PARAMETERS.iter().filter(|p| p.reported) {
            let old = before
                .get(parameter.name)
                .map_or(parameter.default, String::as_str);
            if old != self.value(parameter) {
                let now = self.value(parameter).to_owned();
                self.changed.insert(parameter.name, now);
            }
        }
        self.frequent = Frequent::of(&self.values);
    }

    fn note(&mut self, key: &str) {
        if let Some(parameter) = parameters::find(key).filter(|p| p.reported) {
            let now = self.value(parameter).to_owned();
            self.changed.insert(parameter.name, now);
        }
        self.frequent = Frequent::of(&self.values);
    }
}

fn put(values: &mut Values, key: &str, value: Option<String>) {
    match value {
        Some(value) => values.insert(key.to_owned(), value),
        None => values.remove(key),
    };
}

fn unknown(name: &str) -> Failure {
    let short: String = name.chars().take(100).collect();
    Failure::new(
        SqlState::UNDEFINED_OBJECT,
        format!("unrecognized configuration parameter \"{short}\""),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new(HashMap::new())
    }

    #[test]
    fn a_rollback_takes_back_what_was_set_in_its_transaction() {
        let mut settings = settings();
        settings
            .set("application_name", Some("before"), false, false)
            .unwrap();
        settings
            .set("Application_Name", Some("inside"), false, true)
            .unwrap();
        assert_eq!(settings.show("application_name").unwrap(), "inside");
        settings.end_transaction(false);
        assert_eq!(settings.show("application_name").unwrap(), "before");
    }

    #[test]
    fn a_rollback_to_a_savepoint_takes_back_what_was_set_behind_it() {
        let mut settings = settings();
        let show = |settings: &Settings| settings.show("my.tag").unwrap_or_default();
        let set = |settings: &mut Settings, value, local| {
            settings.set("my.tag", Some(value), local, true).unwrap();
        };
        settings.savepoint();
        set(&mut settings, "a", false);
        settings.savepoint();
        set(&mut settings, "b", true);
        settings.savepoint();
        set(&mut settings, "c", false);
        assert!(settings.rollback_to(3));
        assert_eq!(show(&settings), "b");
        assert!(!settings.rollback_to(3));
        set(&mut settings, "d", false);
        settings.release(2);
        assert_eq!(show(&settings), "d");
        assert!(settings.rollback_to(2));
        assert_eq!(show(&settings), "a");
        settings.set_hot_standby(true);
        assert!(settings.rollback_to(1));
        assert_eq!(show(&settings), "");
        assert_eq!(settings.show("in_hot_standby").unwrap(), "on");
        set(&mut settings, "e", false);
        settings.end_transaction(true);
        assert_eq!(show(&settings), "e");
        assert!(!settings.rollback_to(0));
    }

    #[test]
    fn a_local_value_ends_with_its_transaction_and_a_session_value_stays() {
        let mut settings = settings();
        settings
            .set("statement_timeout", Some("5s"), true, true)
            .unwrap();
        settings.set("my.tag", Some("x"), false, true).unwrap();
        assert_eq!(
            settings.frequent().statement_timeout,
            Some(Duration::from_secs(5))
        );
        assert_eq!(settings.show("statement_timeout").unwrap(), "5s");
        settings.end_transaction(true);
        assert_eq!(settings.frequent().statement_timeout, None);
        assert_eq!(settings.show("my.tag").unwrap(), "x");
    }

    #[test]
    fn a_client_is_told_once_of_each_change_of_the_servers_role() {
        let mut settings = settings();
        assert!(!settings.set_hot_standby(false));
        assert!(settings.take_changed().is_empty());
        for (slave, value) in [(true, "on"), (false, "off")] {
            assert!(settings.set_hot_standby(slave));
            assert!(!settings.set_hot_standby(slave));
            let told: Vec<_> = settings.take_changed().into_iter().collect();
            assert_eq!(told, [("in_hot_standby", value.to_owned())]);
            assert_eq!(settings.show("in_hot_standby").unwrap(), value);
            assert!(settings.take_changed().is_empty());
        }
    }

    #[test]
    fn the_role_stays_what_it_is_when_a_transaction_is_rolled_back() {
        let mut settings = settings();
        settings.set("my.tag", Some("x"), false, true).unwrap();
        assert!(settings.set_hot_standby(true));
        settings.end_transaction(false);
        assert_eq!(settings.show("in_hot_standby").unwrap(), "on");
        settings.reset_all();
        assert_eq!(settings.show("in_hot_standby").unwrap(), "on");
    }

    #[test]
    fn unknown_plain_names_wrong_values_and_fixed_parameters_are_refused() {
        let mut settings = settings();
        for (name, value, sqlstate) in [
            ("nonsense", "1", SqlState::UNDEFINED_OBJECT),
            (
                "statement_timeout",
                "soon",
                SqlState::INVALID_PARAMETER_VALUE,
            ),
            ("server_version", "9", SqlState::CANT_CHANGE_RUNTIME_PARAM),
            (
                "client_encoding",
                "LATIN1",
                SqlState::INVALID_PARAMETER_VALUE,
            ),
            ("eloqdb.open_mode", "8", SqlState::CANT_CHANGE_RUNTIME_PARAM),
        ] {
            let refused = settings.set(name, Some(value), false, false).unwrap_err();
            assert_eq!(refused.sqlstate(), sqlstate, "{name}");
        }
        assert_eq!(
            settings.show("also.unknown").unwrap_err().sqlstate(),
            SqlState::UNDEFINED_OBJECT
        );
    }

    #[test]
    fn reported_changes_are_told_once() {
        let mut settings = settings();
        settings
            .set("client_encoding", Some("unicode"), false, false)
            .unwrap();
        settings.set("work_mem", Some("1GB"), false, false).unwrap();
        let changed = settings.take_changed();
        assert_eq!(
            changed.get("client_encoding").map(String::as_str),
            Some("UTF8")
        );
        assert_eq!(changed.len(), 1);
        assert!(settings.take_changed().is_empty());
    }
}
