//! A slave: the start-up of the protocol, then the real state machine and the real mirror.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use dbproto::{
    Identity, Message, PROTOCOL_VERSION, Progress, Receiver, ReceiverAction, Refuse, Role, Status,
    StatusPacer,
};
use fwlog::{
    Durable, EnvironmentId, LogLocation, Mirror, RecoverOptions, Recovered, SealNewest,
    SegmentStore, hash_at, recover,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How the slave behaves, and what it has seen.
#[derive(Debug, Default)]
pub(crate) struct Behaviour {
    /// `None`: empty, adopts.
    pub(crate) environment: Option<EnvironmentId>,
    /// Answers the start-up with this error.
    pub(crate) error: Option<&'static str>,
    /// Applying is suspended, for this reason.
    pub(crate) suspended: Option<&'static str>,
    /// Has no room for blocks.
    pub(crate) full: bool,
    /// Closes the connection after so many bytes of blocks, once.
    pub(crate) cut_after: Option<usize>,
    /// Connections so far.
    pub(crate) connections: usize,
    /// Bytes of blocks so far.
    pub(crate) received: usize,
    /// Blocks came packed.
    pub(crate) packed: bool,
    /// Refusals that dbrepl has sent.
    pub(crate) refused: Vec<Refuse>,
    /// Connections that ended with `CopyDone`.
    pub(crate) finished: usize,
}

pub(crate) struct FakeSlave {
    folder: tempfile::TempDir,
    port: u16,
    pub(crate) behaviour: Arc<Mutex<Behaviour>>,
    server: JoinHandle<()>,
}

impl FakeSlave {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let behaviour = Arc::new(Mutex::new(behaviour));
        let server = tokio::spawn(serve(listener, location_of(&folder), behaviour.clone()));
        Self {
            folder,
            port,
            behaviour,
            server,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn location(&self) -> LogLocation {
        location_of(&self.folder)
    }

    /// The server goes away; a connection that is open ends, too.
    pub(crate) async fn stop(&mut self) {
        self.server.abort();
        drop((&mut self.server).await);
    }

    /// The server comes back at the same address.
    pub(crate) async fn restart(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.server = tokio::spawn(serve(listener, self.location(), self.behaviour.clone()));
    }

    /// The end of the slave's log.
    pub(crate) fn end(&self) -> Option<Recovered> {
        recovered(&self.location())
    }
}

fn location_of(folder: &tempfile::TempDir) -> LogLocation {
    LogLocation::parse(folder.path().join("fw-%N")).unwrap()
}

fn recovered(location: &LogLocation) -> Option<Recovered> {
    let store = SegmentStore::at(location.clone(), 0o600);
    let options = RecoverOptions {
        from: None,
        seal: SealNewest::No,
        discard_behind: None,
    };
    recover(&store, options, &mut |_| Ok(())).ok()
}

async fn serve(listener: TcpListener, location: LogLocation, behaviour: Arc<Mutex<Behaviour>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        behaviour.lock().unwrap().connections += 1;
        // One at a time, as a slave has one source.
        let mut connection = Slave::new(stream, location.clone(), behaviour.clone());
        if connection.start_up().await {
            drop(connection.replicate().await);
        }
    }
}

struct Slave {
    stream: TcpStream,
    buffer: BytesMut,
    location: LogLocation,
    behaviour: Arc<Mutex<Behaviour>>,
    receiver: Receiver,
    mirror: Option<Mirror>,
    pacer: StatusPacer,
}

/// A request for TLS, behind its length.
const SSL_REQUEST: [u8; 4] = [4, 210, 22, 47];

/// The connection is over.
struct Over;

impl Slave {
    fn new(stream: TcpStream, location: LogLocation, behaviour: Arc<Mutex<Behaviour>>) -> Self {
        let identity = identity(&location, &behaviour.lock().unwrap());
        let receiver = Receiver::new(identity);
        let (buffer, pacer) = (BytesMut::new(), StatusPacer::new());
        Self {
            stream,
            buffer,
            location,
            behaviour,
            receiver,
            mirror: None,
            pacer,
        }
    }

    /// Reads the start-up message; goes on to `CopyBoth`, or not.
    async fn start_up(&mut self) -> bool {
        let mut body = self.first_message().await;
        // It has no TLS.
        if body == SSL_REQUEST {
            self.stream.write_all(b"N").await.unwrap();
            body = self.first_message().await;
        }
        let words: Vec<_> = body[4..].split(|byte| *byte == 0).collect();
        assert!(
            words
                .windows(2)
                .any(|pair| pair == [b"replication".as_slice(), b"forwardlog"])
        );
        assert!(
            words
                .windows(2)
                .any(|pair| pair == [b"database".as_slice(), b"system"])
        );
        let error = self.behaviour.lock().unwrap().error;
        if let Some(sqlstate) = error {
            let body = format!("SFATAL\0C{sqlstate}\0Mno entry\0\0");
            self.write(b'E', body.as_bytes()).await;
            return false;
        }
        self.write(b'R', &[0; 4]).await;
        self.write(b'W', &[0; 3]).await;
        true
    }

    /// A message without a type, behind its length.
    async fn first_message(&mut self) -> Vec<u8> {
        let length = self.stream.read_u32().await.unwrap();
        let mut body = vec![0; length as usize - 4];
        self.stream.read_exact(&mut body).await.unwrap();
        body
    }

    async fn write(&mut self, kind: u8, body: &[u8]) {
        let mut out = BytesMut::new();
        out.put_u8(kind);
        out.put_u32(u32::try_from(body.len() + 4).unwrap());
        out.put_slice(body);
        // dbrepl may be gone already.
        drop(self.stream.write_all(&out).await);
    }

    async fn send(&mut self, message: &Message) {
        let mut body = BytesMut::new();
        message.encode(&mut body);
        self.write(b'd', &body).await;
    }

    async fn replicate(&mut self) -> Result<(), Over> {
        loop {
            let wait = self.pacer.next_report().filter(|_| self.mirror.is_some());
            let due = tokio::time::Instant::from_std(wait.unwrap_or_else(Instant::now));
            tokio::select! {
                read = self.stream.read_buf(&mut self.buffer) => {
                    if !matches!(read, Ok(1..)) {
                        return Err(Over);
                    }
                }
                () = tokio::time::sleep_until(due), if wait.is_some() => {}
            }
            while let Some((kind, body)) = self.take() {
                self.accept(kind, body).await?;
            }
            self.sync_and_report().await;
        }
    }

    fn take(&mut self) -> Option<(u8, Bytes)> {
        let length = self
            .buffer
            .get(1..5)?
            .try_into()
            .map(u32::from_be_bytes)
            .unwrap() as usize;
        if self.buffer.len() <= length {
            return None;
        }
        let mut message = self.buffer.split_to(length + 1).freeze();
        let kind = message.get_u8();
        Some((kind, message.slice(4..)))
    }

    async fn accept(&mut self, kind: u8, body: Bytes) -> Result<(), Over> {
        if kind == b'c' {
            self.sync_and_report().await;
            self.write(b'c', &[]).await;
            self.behaviour.lock().unwrap().finished += 1;
            return Err(Over);
        }
        assert_eq!(kind, b'd');
        let packed = body.first() == Some(&dbproto::kind::PACKED_BLOCKS);
        self.behaviour.lock().unwrap().packed |= packed;
        let message = Message::decode(body).unwrap();
        let actions = match self.receiver.handle(message) {
            Ok(actions) => actions,
            Err(refuse) => return self.refuse(refuse).await,
        };
        for action in actions {
            self.act(action).await?;
        }
        Ok(())
    }

    async fn refuse(&mut self, refuse: Refuse) -> Result<(), Over> {
        self.send(&Message::Refuse(refuse)).await;
        Err(Over)
    }

    async fn act(&mut self, action: ReceiverAction) -> Result<(), Over> {
        match action {
            ReceiverAction::Send(message) => self.send(&message).await,
            ReceiverAction::LookUpHash(position) => {
                let hash = hash_at(&self.location, position).unwrap();
                self.send(&Receiver::hash(position, hash)).await;
            }
            ReceiverAction::Adopt { environment, .. } => {
                self.behaviour.lock().unwrap().environment = Some(environment);
            }
            ReceiverAction::Start { .. } => {
                let store = Arc::new(SegmentStore::at(self.location.clone(), 0o600));
                let environment = self.behaviour.lock().unwrap().environment.unwrap();
                let end = recovered(&self.location);
                self.mirror = Some(Mirror::open(store, environment, 0, end.as_ref()).unwrap());
            }
            ReceiverAction::Segment { header, .. } => {
                self.mirror.as_mut().unwrap().segment(&header).unwrap();
            }
            ReceiverAction::Blocks { bytes, .. } => return self.blocks(bytes).await,
            ReceiverAction::Seal { bytes } => {
                self.mirror.as_mut().unwrap().seal(&bytes).unwrap();
            }
            ReceiverAction::Above(_) => {}
            ReceiverAction::KeepAlive { reply, .. } => {
                if reply {
                    self.pacer.ask();
                }
            }
            ReceiverAction::Refused(refuse) => {
                self.behaviour.lock().unwrap().refused.push(refuse);
                return Err(Over);
            }
        }
        Ok(())
    }

    async fn blocks(&mut self, bytes: Bytes) -> Result<(), Over> {
        let length = bytes.len();
        if self.behaviour.lock().unwrap().full {
            let refuse = Refuse::new(dbproto::state::DISK_FULL, "no room");
            return self.refuse(refuse).await;
        }
        if let Err(error) = self.mirror.as_mut().unwrap().blocks(&bytes) {
            let refuse = Refuse::new(dbproto::state::DAMAGED, error.to_string());
            return self.refuse(refuse).await;
        }
        let mut behaviour = self.behaviour.lock().unwrap();
        behaviour.received += length;
        if behaviour
            .cut_after
            .is_some_and(|limit| behaviour.received >= limit)
        {
            behaviour.cut_after = None;
            return Err(Over);
        }
        Ok(())
    }

    async fn sync_and_report(&mut self) {
        let Some(mirror) = &mut self.mirror else {
            return;
        };
        let Some(durable) = mirror.sync().unwrap() else {
            return;
        };
        let suspended = self.behaviour.lock().unwrap().suspended;
        let durable = progress(&durable);
        let applied = match (suspended, self.receiver.source()) {
            (Some(_), _) => Progress {
                commit: fwlog::CommitNumber::ZERO,
                point: fwlog::LogPoint::ORIGIN,
                ..durable
            },
            _ => durable,
        };
        let status = Status {
            received: durable,
            durable,
            applied,
            suspended: suspended.map(str::to_owned),
        };
        if let Some(message) = self.pacer.report(status, Instant::now()) {
            self.send(&message).await;
        }
    }
}

fn progress(durable: &Durable) -> Progress {
    Progress::from(durable)
}

fn identity(location: &LogLocation, behaviour: &Behaviour) -> Identity {
    let end = recovered(location);
    let durable = end.as_ref().map(|end| progress(&end.durable()));
    Identity {
        protocol: PROTOCOL_VERSION,
        format: 1,
        environment: behaviour.environment,
        instance: "beta".to_owned(),
        role: Role::Slave,
        page_size: 4096,
        received: durable,
        durable,
        sealed: end.is_some_and(|end| end.sealed),
        applied: durable,
        log_begins: None,
        forward_log: true,
        volume_limit: 0,
        pack: true,
        greeting: None,
    }
}
