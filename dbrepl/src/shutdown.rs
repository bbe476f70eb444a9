//! Being asked to stop: SIGINT, SIGTERM, or the server that runs this dbrepl.

use signals::Signal;
use tokio::sync::watch;

use crate::error::{ExitCode, ShipError};

/// What is wished of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    #[default]
    GoOn,
    /// Once the slave has all; where it is not fed, at once.
    Leave,
    Stop,
}

/// Tells whether dbrepl should stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ShutdownRequest(watch::Receiver<Wish>);

/// The other end of it.
#[derive(Debug)]
pub struct Switch(watch::Sender<Wish>);

impl Switch {
    /// It is to stop at once.
    pub fn stop(&self) {
        self.0.send_replace(Wish::Stop);
    }

    /// It is to stop once the slave has all that is durable.
    pub fn leave(&self) {
        self.0.send_modify(|wish| *wish = Wish::Leave.max(*wish));
    }
}

impl ShutdownRequest {
    /// Listens to the signals of this process; `stopping` is told who wants it to stop. SIGHUP is no wish to
    /// stop: nobody's terminal matters.
    pub fn on_signals(
        hung_up: impl Fn() + Send + 'static,
        stopping: impl Fn(&str) + Send + 'static,
    ) -> Result<Self, ShipError> {
        let (switch, request) = Self::by_hand();
        listen(move |signal, from| match signal {
            Signal::HangUp => hung_up(),
            Signal::Terminate | Signal::Interrupt => {
                stopping(from);
                switch.stop();
            }
        })?;
        Ok(request)
    }

    /// A switch to be used without signals.
    pub fn by_hand() -> (Switch, Self) {
        let (sender, receiver) = watch::channel(Wish::GoOn);
        (Switch(sender), Self(receiver))
    }

    /// Returns when dbrepl should stop, at once or when the slave has all. A switch that is gone stops nothing.
    pub async fn requested(&mut self) {
        self.wait_for(Wish::Leave).await;
    }

    /// Returns when dbrepl should stop at once.
    pub(crate) async fn requested_at_once(&mut self) {
        self.wait_for(Wish::Stop).await;
    }

    /// Whether it should stop at once.
    pub(crate) fn is_at_once(&self) -> bool {
        *self.0.borrow() >= Wish::Stop
    }

    async fn wait_for(&mut self, wish: Wish) {
        if self.0.wait_for(|wished| *wished >= wish).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Has the signals of this process heard.
pub(crate) fn listen(heard: impl Fn(Signal, &str) + Send + 'static) -> Result<(), ShipError> {
    let listening = signals::listen(move |signal, from| heard(signal, &from));
    listening.map_err(|error| {
        ShipError::new(ExitCode::Error, format!("can't listen to signals: {error}"))
    })
}
