//! Being asked to stop: SIGINT, SIGTERM.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::error::{ExitCode, ShipError};

/// Tells whether dbrepl should stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ShutdownRequest(watch::Receiver<bool>);

impl ShutdownRequest {
    /// Listens to the signals of this process. SIGHUP is no wish to stop: nobody's terminal matters.
    pub fn on_signals(hung_up: impl Fn() + Send + 'static) -> Result<Self, ShipError> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                ShipError::new(ExitCode::Error, format!("can't listen to signals: {error}"))
            })
        };
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let mut hang_up = listen(SignalKind::hangup())?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => break,
                    _ = terminate.recv() => break,
                    _ = hang_up.recv() => hung_up(),
                }
            }
            sender.send_replace(true);
            // Keeps the channel open, so that the value stays.
            sender.closed().await;
        });
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
