//! The line between a master and a slave: dbrepl at one end, the slave's receiver at the other, and
//! messages on their way that a cut loses.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use dbproto::{
    Below, Identity, Message, Progress, Refusal, Refuse, Shipper, ShipperAction, Status, state,
};
use dbrepl::error::ShipError;
use dbrepl::served_log::Source;
use dbrepl::source::{self, Located};
use dbserver::environment::Environment;
use dbserver::feed::link::Link;
use fwlog::{Follow, FollowItem, LostForks, Position};

/// Bytes that may be on their way.
const WINDOW: u64 = 64 << 10;

/// How a line ended that did not end by itself.
#[derive(Debug)]
pub(crate) enum Broken {
    /// One side refused the other.
    Refused(Refuse),
    /// dbrepl could not read the log.
    Source(ShipError),
}

/// One connection.
pub(crate) struct Line {
    source: Source,
    shipper: Shipper,
    follow: Option<Box<Follow>>,
    link: Option<Link>,
    to_slave: VecDeque<Bytes>,
    to_source: VecDeque<Bytes>,
    /// The log's end was reached, and nothing came since.
    at_end: bool,
    /// Who is below the slave.
    below: Below,
    /// What it and those below it have lost.
    lost: LostForks,
}

impl Line {
    /// dbrepl connects to the slave.
    pub(crate) fn open(
        source: Source,
        pack: bool,
        slave: &Arc<Environment>,
    ) -> Result<Self, Broken> {
        let mut identify = source::introduce(&source, pack).map_err(Broken::Source)?;
        // One that can't be read keeps nobody from shipping.
        let mut greeting = source::greeting(&source).ok().flatten();
        if let Some(greeting) = &mut greeting {
            let above = source::above_of(&source, &greeting.speaker);
            greeting.above = Some(Box::new(above));
            greeting.settled = source::settled(&source);
        }
        identify.greeting = greeting.map(Box::new);
        let shipper = Shipper::new(identify, WINDOW);
        let link = Link::open(slave).map_err(Broken::Refused)?;
        let mut line = Self {
            source,
            follow: None,
            link: Some(link),
            to_slave: VecDeque::new(),
            to_source: VecDeque::new(),
            at_end: false,
            below: Below::default(),
            lost: LostForks::default(),
            shipper,
        };
        let first = line.shipper.begin();
        line.to_slave.push_back(encode(&first));
        Ok(line)
    }

    /// dbrepl tells the slave where its source is in the tree, when that has changed.
    pub(crate) fn tell_above(&mut self) -> Result<(), Broken> {
        let Some(above) = source::above(&self.source) else {
            return Ok(());
        };
        let told = self.shipper.tell_above(above);
        let told = told.map_err(|stop| Broken::Refused(stop.refuse().clone()))?;
        self.to_slave.extend(told.as_ref().map(encode));
        Ok(())
    }

    /// The slave tells who is below it.
    pub(crate) fn report_below(&mut self) {
        let told = self.link.as_mut().and_then(Link::report_below);
        self.to_source.extend(told.as_ref().map(encode));
    }

    /// The slave tells what it and those below it have lost.
    pub(crate) fn report_lost(&mut self) {
        let told = self.link.as_mut().and_then(Link::report_lost);
        self.to_source.extend(told.as_ref().map(encode));
    }

    /// What the slave has told of that.
    pub(crate) fn lost(&self) -> &LostForks {
        &self.lost
    }

    /// What the slave has told of those below it.
    pub(crate) fn below(&self) -> &Below {
        &self.below
    }

    /// How far the slave is, by its own word, and who it is.
    pub(crate) fn slave(&self) -> Option<(&Identity, Option<&Status>)> {
        Some((self.shipper.slave()?, self.shipper.status()))
    }

    /// Whether dbrepl has found the slave's point.
    pub(crate) fn has_met(&self) -> bool {
        self.follow.is_some()
    }

    /// Whether nothing is on its way and nothing more is to be shipped.
    pub(crate) fn is_idle(&self) -> bool {
        self.at_end && self.to_slave.is_empty() && self.to_source.is_empty()
    }

    /// dbrepl reads the next piece of the log and sends it. `false`: there is nothing, or no room.
    pub(crate) fn ship(&mut self) -> Result<bool, Broken> {
        let Some(follow) = &mut self.follow else {
            return Ok(false);
        };
        if self.shipper.room() == 0 {
            return Ok(false);
        }
        let item = follow
            .next()
            .map_err(|error| Broken::Source(source::not_followed(&self.source.location, error)))?;
        let message = match item {
            FollowItem::Segment {
                id, header_bytes, ..
            } => {
                let end = Position::new(id, header_bytes.len() as u64);
                self.shipper.segment(header_bytes, end)
            }
            FollowItem::Blocks { bytes, last, .. } => {
                let end = last.position;
                let start = Position::new(end.segment, end.offset - bytes.len() as u64);
                self.shipper.blocks(start, end, bytes)
            }
            FollowItem::Seal { bytes } => self.shipper.seal(bytes),
            FollowItem::UpToDate(_) if self.at_end => return Ok(false),
            FollowItem::UpToDate(durable) => {
                self.at_end = true;
                let progress = Progress::from(&durable);
                let sign = Shipper::keep_alive(progress.into(), false);
                self.to_slave.push_back(encode(&sign));
                return Ok(false);
            }
            FollowItem::Until(_) => return Ok(false),
        };
        self.at_end = false;
        self.to_slave.push_back(encode(&message));
        Ok(true)
    }

    /// The oldest message for the slave arrives. `false`: there is none.
    pub(crate) fn deliver_to_slave(&mut self) -> bool {
        let (Some(link), Some(bytes)) = (&mut self.link, self.to_slave.pop_front()) else {
            return false;
        };
        let taken = Message::decode(bytes)
            .map_err(|error| Refuse::from(&error))
            .and_then(|message| link.take(message));
        match taken {
            Ok(answers) => self.to_source.extend(answers.iter().map(encode)),
            Err(refuse) => {
                // What came before it still counts, as on the socket.
                let last = link.sync().err().unwrap_or(refuse);
                self.to_source.push_back(encode(&Message::Refuse(last)));
                self.link = None;
            }
        }
        true
    }

    /// The slave gives its applier what it was sent.
    pub(crate) fn hand_on(&mut self) {
        let Some(link) = &mut self.link else { return };
        if let Err(refuse) = link.hand_on() {
            self.to_source.push_back(encode(&Message::Refuse(refuse)));
            self.link = None;
        }
    }

    /// The slave syncs what it was sent, and reports.
    pub(crate) fn sync(&mut self, now: Instant) {
        let Some(link) = &mut self.link else { return };
        if let Err(refuse) = link.sync() {
            self.to_source.push_back(encode(&Message::Refuse(refuse)));
            self.link = None;
        } else if let Some(report) = link.report(now) {
            self.to_source.push_back(encode(&report));
        }
    }

    /// The oldest message for dbrepl arrives. `false`: there is none.
    pub(crate) fn deliver_to_source(&mut self) -> Result<bool, Broken> {
        let Some(bytes) = self.to_source.pop_front() else {
            return Ok(false);
        };
        let message =
            Message::decode(bytes).map_err(|error| Broken::Refused(Refuse::from(&error)))?;
        let result = self.shipper.handle(message);
        let mut actions = VecDeque::from(checked(result)?);
        while let Some(action) = actions.pop_front() {
            actions.extend(self.act(action)?);
        }
        Ok(true)
    }

    fn act(&mut self, action: ShipperAction) -> Result<Vec<ShipperAction>, Broken> {
        match action {
            ShipperAction::Send(message) => self.to_slave.push_back(encode(&message)),
            ShipperAction::Locate(at) => {
                let next = self.shipper.left_the_slaves_generation();
                let located = source::locate(&self.source.location, at, next);
                match located.map_err(Broken::Source)? {
                    Located::Here(follow) => {
                        self.follow = Some(follow);
                        let found = self.shipper.located();
                        self.to_slave.push_back(encode(&found));
                    }
                    Located::Elsewhere => {
                        let result = self.shipper.not_located();
                        return checked(result);
                    }
                    Located::Missing(refuse, _) => return Err(Broken::Refused(refuse)),
                }
            }
            ShipperAction::Borders { of, from, to } => {
                let borders =
                    source::borders(&self.source.location, of, from, to).map_err(Broken::Source)?;
                let result = self.shipper.borders(borders);
                return checked(result);
            }
            ShipperAction::Acknowledged(_) => {}
            ShipperAction::Below(below) => self.below = *below,
            ShipperAction::Lost(forks) => self.lost = forks,
        }
        Ok(Vec::new())
    }
}

fn checked(result: Result<Vec<ShipperAction>, Refusal>) -> Result<Vec<ShipperAction>, Broken> {
    result.map_err(|stop| Broken::Refused(stop.refuse().clone()))
}

/// Whether a refusal says that the two have different histories.
pub(crate) fn is_divergence(refuse: &Refuse) -> bool {
    refuse.sqlstate == state::DIVERGED
}

fn encode(message: &Message) -> Bytes {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes);
    bytes.freeze()
}
