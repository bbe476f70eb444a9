//! Being asked to stop: SIGINT, SIGTERM.

use signals::Signal;
use tokio::sync::watch;

use crate::error::{ExitCode, ShipError};

/// Tells whether dbrepl should stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ShutdownRequest(watch::Receiver<bool>);

impl ShutdownRequest {
    /// Listens to the signals of this process; `stopping` is told who wants it to stop. SIGHUP is no wish to
    /// stop: nobody's terminal matters.
    pub fn on_signals(
        hung_up: impl Fn() + Send + 'static,
        stopping: impl Fn(&str) + Send + 'static,
    ) -> Result<Self, ShipError> {
        let (sender, receiver) = watch::channel(false);
        let listening = signals::listen(move |signal, from| match signal {
            Signal::HangUp => hung_up(),
            Signal::Terminate | Signal::Interrupt => {
                stopping(&from);
                sender.send_replace(true);
            }
        });
        listening.map_err(|error| {
            ShipError::new(ExitCode::Error, format!("can't listen to signals: {error}"))
        })?;
        Ok(Self(receiver))
    }

    /// A switch to be used without signals.
    pub fn by_hand() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Returns when dbrepl should stop. A switch that is gone stops nothing.
    pub async fn requested(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
