//! One copy, from begin to end.

use std::time::Duration;

use bytes::BytesMut;
use dbproto::base::{Asked, CutOffer, Given, Offer, StageStatus, kind};
use dbproto::{Standing, base};
use link::FrameReader;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};

use super::relay::{self, Carried};
use crate::bandwidth::BandwidthLimit;
use crate::connection::{Opened, Peer};
use crate::error::{ExitCode, ShipError};
use crate::note::SlaveNote;
use crate::report::Reporter;
use crate::ship::Destination;
use crate::shutdown::ShutdownRequest;

const SLAVE: &str = "the slave";
const SOURCE: &str = "the server of the log";

/// A slave ends its conversation within this time after it has all.
const FINISH: Duration = Duration::from_secs(30);

/// Why there is no copy.
pub(crate) enum NoCopy {
    /// None can be had here: what the log lacks is what the failure is about.
    NotToBeHad(ShipError),
    /// It was broken off. What has arrived is of use to the next one.
    Broken(ShipError),
}

impl NoCopy {
    /// What ends this attempt, where the log was missing for this reason.
    pub(crate) fn failure(self, missing: ShipError) -> ShipError {
        match self {
            Self::NotToBeHad(why) => {
                let hint = format!("{}; no copy can be made: {}", missing.hint, why.in_full());
                missing.hint(hint)
            }
            Self::Broken(failure) => failure,
        }
    }
}

/// Connects the two, and lets them talk until the slave has all. The slave's server begins anew with it then.
pub(crate) async fn copy(
    to: &Destination,
    stop: &mut ShutdownRequest,
    note: &mut SlaveNote,
) -> Result<(), NoCopy> {
    let mut conversation = connect(to).await.map_err(NoCopy::NotToBeHad)?;
    let copied = tokio::select! {
        copied = conversation.talk(to, note) => copied,
        () = stop.requested() => Err(ShipError::new(
            ExitCode::Error,
            "stopped while a copy was made; what has arrived is of use to the next one",
        )),
    };
    conversation.reporter.end_catch_up();
    copied.map_err(NoCopy::Broken)?;
    conversation.finish().await;
    Ok(())
}

/// Both connections. The server of the log is first: where it is not there, no slave is disturbed.
async fn connect(to: &Destination) -> Result<Conversation, ShipError> {
    let copies = &to.options.copies;
    let Some(address) = &copies.source() else {
        return Err(
            ShipError::usage("where the server of the log is can't be told")
                .hint("Service is 0 in its configuration: give its address with --source"),
        );
    };
    let purpose = base::BASE_PARAMETER;
    let source = Peer {
        address,
        tls: &copies.tls,
        credentials: &copies.credentials,
        purpose,
    };
    let source = Opened::reach(&source).await;
    let source = source.map_err(|failure| of_source(failure, &address.to_string()))?;
    let slave = Peer {
        address: &to.slave,
        tls: &to.options.tls,
        credentials: &to.credentials,
        purpose,
    };
    let slave = Opened::reach(&slave).await?;
    Ok(Conversation {
        version: agree(&slave, &source)?,
        slave,
        source,
        to_slave: BandwidthLimit::new(to.options.bandwidth, Instant::now()),
        to_source: BandwidthLimit::new(None, Instant::now()),
        reporter: to.reporter.clone(),
        cut: None,
        carried: 0,
        begun: Instant::now(),
    })
}

/// The version that both servers speak, and this side.
fn agree(slave: &Opened, source: &Opened) -> Result<u16, ShipError> {
    let mut common = Offer::base();
    for (opened, who) in [(slave, SLAVE), (source, SOURCE)] {
        let offer = opened.offer.as_deref().unwrap_or_default();
        let offer = offer.parse::<Offer>().map_err(|why| {
            ShipError::new(ExitCode::Error, format!("{who} offers no copies: {why}"))
                .hint("update its dbserver")
        })?;
        let both = common.common(&offer, who);
        common = both.map_err(|refuse| ShipError::from_refuse(&refuse))?;
    }
    Ok(common.version())
}

/// What a connection that fails says of "the slave" is about the other server.
fn of_source(mut failure: ShipError, address: &str) -> ShipError {
    failure.message = format!(
        "{SOURCE}, {address}: {}",
        failure.message.replace("the slave ", "it ")
    );
    if failure.code == ExitCode::Access {
        failure = failure.hint("check --source-user, --source-password-file and EQ_SOURCEPASSWORD; without them user and password are those for the slave");
    }
    failure.standing(Standing::LogMissing)
}

struct Conversation {
    version: u16,
    slave: Opened,
    source: Opened,
    to_slave: BandwidthLimit,
    to_source: BandwidthLimit,
    reporter: Reporter,
    cut: Option<CutOffer>,
    /// Bytes that went to the slave.
    carried: u64,
    begun: Instant,
}

impl Conversation {
    async fn ask(&mut self, message: &Asked) -> Result<(), ShipError> {
        let mut bytes = BytesMut::new();
        let tail = message.encode_parts(&mut bytes);
        bytes.extend_from_slice(&tail);
        relay::send(&mut self.source.write, b'd', &bytes, SOURCE).await
    }

    /// Carries messages both ways until the slave has all.
    async fn talk(&mut self, to: &Destination, note: &mut SlaveNote) -> Result<(), ShipError> {
        let open = Asked::OpenCut {
            version: self.version,
            taker: to.slave.to_string(),
            pack: to.options.compress,
        };
        self.ask(&open).await?;
        loop {
            // Both are asked again after each message: a read that is dropped loses nothing.
            tokio::select! {
                given = relay::next(&mut self.source.reader, SOURCE) => {
                    let Some(given) = given? else {
                        return Err(ShipError::unreachable(format!("{SOURCE} broke the copy off")));
                    };
                    if self.given(given, note).await? {
                        return Ok(());
                    }
                }
                asked = relay::next(&mut self.slave.reader, SLAVE) => {
                    if self.split(note).0.asked(asked?).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Carries a message of the source. `true`: the slave has all.
    async fn given(&mut self, given: Carried, note: &mut SlaveNote) -> Result<bool, ShipError> {
        match given.kind() {
            kind::CUT => {
                if let Given::Cut(cut) = decode(Given::decode(given.message()), SOURCE)? {
                    self.begin(cut, note);
                }
            }
            kind::REFUSE => {
                let refused = decode(Given::decode(given.message()), SOURCE)?;
                relay::pass(&mut self.slave.write, &mut self.to_slave, given, SLAVE).await?;
                if let Given::Refuse(refuse) = refused {
                    return Err(ShipError::from_refuse(&refuse));
                }
                return Ok(false);
            }
            _ => {}
        }
        self.carried += given.size();
        let (mut back, to_slave) = self.split(note);
        let passing = relay::pass(to_slave.write, to_slave.limit, given, SLAVE);
        tokio::pin!(passing);
        // With a limit this takes long, and the slave says each second how far it is.
        loop {
            tokio::select! {
                biased;
                passed = &mut passing => return passed.map(|()| false),
                asked = relay::next(to_slave.reader, SLAVE) => {
                    if back.asked(asked?).await? {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// The way back to the source, and the one to the slave.
    fn split<'a>(&'a mut self, note: &'a mut SlaveNote) -> (Back<'a>, ToSlave<'a>) {
        let back = Back {
            source: &mut self.source.write,
            limit: &mut self.to_source,
            reporter: &mut self.reporter,
            cut: self.cut.as_ref(),
            note,
        };
        let to_slave = ToSlave {
            reader: &mut self.slave.reader,
            write: &mut self.slave.write,
            limit: &mut self.to_slave,
        };
        (back, to_slave)
    }

    fn begin(&mut self, cut: CutOffer, note: &mut SlaveNote) {
        let bytes = cut.pages() * u64::from(cut.page_size);
        self.reporter.state(&format!(
            "a copy of {} at commit {} begins: {} databases, {}",
            cut.instance,
            cut.commit,
            cut.databases.len(),
            indicatif::BinaryBytes(bytes)
        ));
        self.reporter.begin_catch_up(bytes);
        note.write(Standing::Copying, Some("a copy is being made"));
        self.cut = Some(cut);
    }

    /// Both connections end in order: the slave has all.
    async fn finish(mut self) {
        let all = self.cut.as_ref().map_or(0, CutOffer::pages);
        self.reporter.state(&format!(
            "the copy is complete: {all} pages, {} on the way, {:.1} s; the slave begins anew with it",
            indicatif::BinaryBytes(self.carried),
            self.begun.elapsed().as_secs_f64()
        ));
        let ended = timeout(FINISH, async {
            relay::send(&mut self.slave.write, b'c', &[], SLAVE).await?;
            relay::send(&mut self.source.write, b'c', &[], SOURCE).await?;
            while relay::next(&mut self.slave.reader, SLAVE).await?.is_some() {}
            Ok::<(), ShipError>(())
        });
        // It may be on its way to begin anew.
        if let Ok(Err(failure)) = ended.await {
            tracing::debug!(%failure, "the slave has not said good-bye");
        }
    }
}

type Writer = Box<dyn AsyncWrite + Unpin + Send>;

/// What goes to the slave, and what comes from it.
struct ToSlave<'a> {
    reader: &'a mut FrameReader<Box<dyn AsyncRead + Unpin + Send>>,
    write: &'a mut Writer,
    limit: &'a mut BandwidthLimit,
}

/// What the slave says, on its way to the source.
struct Back<'a> {
    source: &'a mut Writer,
    limit: &'a mut BandwidthLimit,
    reporter: &'a mut Reporter,
    cut: Option<&'a CutOffer>,
    note: &'a mut SlaveNote,
}

impl Back<'_> {
    /// Whether the slave has all.
    async fn asked(&mut self, asked: Option<Carried>) -> Result<bool, ShipError> {
        let Some(asked) = asked else {
            return Err(ShipError::unreachable("the slave broke the copy off"));
        };
        let kind = asked.kind();
        match kind {
            kind::STATUS => {
                if let Asked::Status(status) = decode(Asked::decode(asked.message()), SLAVE)? {
                    self.show(status);
                }
            }
            kind::REFUSE => {
                let refused = decode(Asked::decode(asked.message()), SLAVE)?;
                relay::pass(self.source, self.limit, asked, SOURCE).await?;
                if let Asked::Refuse(refuse) = refused {
                    return Err(ShipError::from_refuse(&refuse));
                }
                return Ok(false);
            }
            _ => {}
        }
        relay::pass(self.source, self.limit, asked, SOURCE).await?;
        Ok(kind == kind::COMPLETE)
    }

    fn show(&mut self, status: StageStatus) {
        let page = self.cut.map_or(0, |cut| u64::from(cut.page_size));
        let (done, all) = (status.done() * page, status.of * page);
        self.reporter.show_catch_up(done, all);
        let percent = (done * 100).checked_div(all).unwrap_or(0);
        let why = format!("a copy is being made, {percent} %: {}", status.stage);
        self.note.write(Standing::Copying, Some(&why));
        self.reporter.progress(&format!(
            "copy: {} of {} pages ({} were there already), {}",
            status.done(),
            status.of,
            status.equal,
            status.stage
        ));
    }
}

fn decode<T>(message: Result<T, dbproto::ProtocolError>, who: &str) -> Result<T, ShipError> {
    message.map_err(|error| {
        ShipError::new(
            ExitCode::Error,
            format!("{who} broke the protocol: {error}"),
        )
    })
}
