//! How a source tries to reach its slave, and how both know that the other is there.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::value;

/// The longest pause between two signs of life: three seconds without one, and a slave shows its source as silent.
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(2);
/// A slave says something each second; so long it may be late.
const SHORTEST_WAIT: Duration = Duration::from_secs(3);

/// The six numbers of `--connect-params`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectParams {
    /// So many attempts are made one `hard_period` apart; from then on the pause doubles, up to `soft_period`.
    pub hard_tries: u32,
    /// The pause between the first attempts.
    pub hard_period: Duration,
    /// The longest pause between two attempts.
    pub soft_period: Duration,
    /// A slave that has not been reached for so long is told of again, each time so long has passed; zero = never.
    pub alert: Duration,
    /// The source gives a sign of life so often.
    pub heartbeat: Duration,
    /// A slave that has said nothing for so long is given up, and connected anew.
    pub heartbeat_wait: Duration,
}

impl Default for ConnectParams {
    fn default() -> Self {
        Self {
            hard_tries: 1,
            hard_period: Duration::from_millis(100),
            soft_period: Duration::from_secs(5),
            alert: Duration::ZERO,
            heartbeat: Duration::from_secs(1),
            heartbeat_wait: Duration::from_secs(30),
        }
    }
}

impl ConnectParams {
    /// The pause after so many attempts that have failed in a row, the first is 1.
    pub fn pause(&self, failed: u32) -> Duration {
        let doublings = failed.saturating_sub(self.hard_tries.max(1)).min(31);
        let pause = self.hard_period.saturating_mul(1 << doublings);
        pause.min(self.soft_period.max(self.hard_period))
    }

    /// Whether it is time to tell of a slave once more that is not reached since then.
    pub fn is_alert_due(&self, unreached: Duration, told_before: u32) -> bool {
        !self.alert.is_zero() && unreached >= self.alert.saturating_mul(told_before + 1)
    }

    /// Checks them, and raises or lowers what would not work.
    ///
    /// Errors: what is wrong.
    pub fn checked(mut self) -> Result<Self, String> {
        if self.hard_tries == 0 {
            return Err("hard-tries must be at least 1".to_owned());
        }
        if self.hard_period < Duration::from_millis(1) || self.soft_period.is_zero() {
            return Err("hard-period and soft-period must not be 0".to_owned());
        }
        if self.heartbeat.is_zero() || self.heartbeat_wait.is_zero() {
            return Err("heartbeat and heartbeat-wait must not be 0".to_owned());
        }
        if !self.alert.is_zero() {
            // Sooner it would tell of what is not tried to the end yet.
            let tries = self.hard_period.saturating_mul(self.hard_tries);
            self.alert = self.alert.max(tries.saturating_add(self.soft_period));
        }
        self.heartbeat = self.heartbeat.min(LONGEST_HEARTBEAT);
        self.heartbeat_wait = self.heartbeat_wait.max(SHORTEST_WAIT);
        Ok(self)
    }
}

impl FromStr for ConnectParams {
    type Err = String;

    /// Six numbers with commas between; those that are left out at the end have their defaults.
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || {
            format!(
                "`{text}` is not: hard tries, hard period (ms), soft period (s), alert (s), heartbeat (s), heartbeat wait (s); for example 5,500,5,30,15,60"
            )
        };
        let numbers: Result<Vec<u32>, String> = text
            .split(',')
            .map(|word| value::number(word.trim()).map_err(|_| form()))
            .collect();
        let numbers = numbers?;
        if numbers.len() > 6 {
            return Err(form());
        }
        let seconds = |number: u32| Duration::from_secs(number.into());
        let default = Self::default();
        let at = |index: usize| numbers.get(index).copied();
        Self {
            hard_tries: at(0).unwrap_or(default.hard_tries),
            hard_period: at(1).map_or(default.hard_period, |it| Duration::from_millis(it.into())),
            soft_period: at(2).map_or(default.soft_period, seconds),
            alert: at(3).map_or(default.alert, seconds),
            heartbeat: at(4).map_or(default.heartbeat, seconds),
            heartbeat_wait: at(5).map_or(default.heartbeat_wait, seconds),
        }
        .checked()
    }
}

impl fmt::Display for ConnectParams {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{},{},{},{},{},{}",
            self.hard_tries,
            self.hard_period.as_millis(),
            self.soft_period.as_secs(),
            self.alert.as_secs(),
            self.heartbeat.as_secs(),
            self.heartbeat_wait.as_secs(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(text: &str) -> Vec<u128> {
        let params: ConnectParams = text.parse().unwrap();
        (1..=9)
            .map(|failed| params.pause(failed).as_millis())
            .collect()
    }

    #[test]
    fn the_pause_is_short_for_the_hard_tries_and_doubles_up_to_the_soft_period() {
        let default = [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000];
        assert_eq!(pauses("1"), default);
        let hard = [500, 500, 500, 500, 500, 1000, 2000, 4000, 5000];
        assert_eq!(pauses("5,500,5"), hard);
        assert_eq!(pauses("1,9000,5")[0], 9000, "never below the hard period");
        let params = ConnectParams::default();
        assert_eq!(params.pause(u32::MAX), params.soft_period);
    }

    #[test]
    fn what_would_not_work_is_raised_lowered_or_refused() {
        let params: ConnectParams = "5, 500, 5, 3, 15, 1".parse().unwrap();
        assert_eq!(params.alert, Duration::from_millis(7500));
        assert_eq!(params.heartbeat, LONGEST_HEARTBEAT);
        assert_eq!(params.heartbeat_wait, SHORTEST_WAIT);
        let given: ConnectParams = "5,500,5,30,15,60".parse().unwrap();
        assert_eq!(given.to_string(), "5,500,5,30,2,60");
        assert_eq!(given.to_string().parse(), Ok(given));
        for wrong in [
            "",
            "x",
            "0",
            "1,0",
            "1,1,0",
            "1,1,1,1,0",
            "1,2,3,4,5,6,7",
            "-1",
            "5s",
        ] {
            assert!(wrong.parse::<ConnectParams>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_alert_comes_each_time_its_period_has_passed() {
        let params: ConnectParams = "1,100,5,30".parse().unwrap();
        let at = |seconds, told| params.is_alert_due(Duration::from_secs(seconds), told);
        assert!(!at(29, 0) && at(30, 0) && !at(30, 1) && at(60, 1));
        assert!(!ConnectParams::default().is_alert_due(Duration::MAX, 0));
    }
}
