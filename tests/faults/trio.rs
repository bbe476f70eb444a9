//! A master, two slaves, and a dbrepl to each of them over a line that can break.

use dbtests::{
    Folder, Follower, LONG, Line, Server, Settings, compare, follower, wait_for, waiting,
};

use crate::databases::Databases;
use crate::history::{At, History};
use crate::load::{Load, Running};
use crate::state::States;
use crate::tables;

/// The slaves of a trio.
pub(crate) const SLAVES: usize = 2;

/// Master and slaves at work.
pub(crate) struct Trio {
    /// Takes writes.
    pub(crate) master: Server,
    /// Follow.
    pub(crate) slaves: [Server; SLAVES],
    /// From each dbrepl to its slave.
    pub(crate) lines: [Line; SLAVES],
    /// Each slave's dbrepl.
    pub(crate) shippers: [Follower; SLAVES],
    pub(crate) states: States,
    databases: Databases,
    folder: Folder,
}

/// Segments and checkpoints so small that faults meet their borders often.
pub(crate) fn small(settings: Settings) -> Settings {
    settings
        .set("ForwardLog", "FwMaxSize", "512k")
        .set("Server", "CheckpointSize", "2m")
        .set("Server", "CheckpointInterval", "1s")
}

/// The three servers before they run.
pub(crate) struct Servers {
    pub(crate) master: Server,
    pub(crate) slaves: [Server; SLAVES],
}

impl Servers {
    /// Three servers in a folder, with settings changed as wished. `prepare` may still change them
    /// before their environments are made.
    pub(crate) fn create(
        folder: &Folder,
        change: impl Fn(At, Settings) -> Settings,
        mut prepare: impl FnMut(At, &mut Server),
    ) -> Self {
        let mut make = |at: At, settings: Settings| {
            let mut server = Server::prepare(folder.path(), change(at, small(settings)));
            prepare(at, &mut server);
            server.init().ok();
            server
        };
        Self {
            master: make(At::Master, Settings::master()),
            slaves: [0, 1].map(|slave| {
                let name = format!("slave{slave}");
                let settings = Settings::new(&name, "Slave");
                make(At::Slave(slave), settings)
            }),
        }
    }
}

impl Trio {
    /// Three servers on an ordinary disk.
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let servers = Servers::create(&folder, |_, settings| settings, |_, _| {});
        Self::run(folder, servers)
    }

    /// Starts all, makes the tables, and waits until the slaves have them.
    pub(crate) fn run(folder: Folder, servers: Servers) -> Self {
        let Servers {
            mut master,
            mut slaves,
        } = servers;
        master.start();
        slaves.iter_mut().for_each(Server::start);
        let lines = [0, 1].map(|slave: usize| Line::to(slaves[slave].address()));
        let shippers = [0, 1].map(|slave: usize| ship(&folder, &master, &lines[slave], slave));
        let states = tables::create(&master);
        let mut trio = Self {
            master,
            slaves,
            lines,
            shippers,
            states,
            databases: Databases::default(),
            folder,
        };
        trio.wait_for_slaves();
        trio
    }

    /// The folder of all.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// A server.
    pub(crate) fn server(&mut self, at: At) -> &mut Server {
        match at {
            At::Master => &mut self.master,
            At::Slave(slave) => &mut self.slaves[slave],
        }
    }

    /// Starts the dbrepl of a slave again, with this in its environment.
    pub(crate) fn ship_again(&mut self, slave: usize) {
        self.shippers[slave] = ship(&self.folder, &self.master, &self.lines[slave], slave);
    }

    /// Waits until all slaves show all that is durable on the master. Nobody may write meanwhile.
    #[track_caller]
    pub(crate) fn wait_for_slaves(&mut self) {
        let master = &self.master;
        for (slave, shipper) in self.slaves.iter().zip(&mut self.shippers) {
            let name = slave.folder().display();
            wait_for(&format!("{name} to show what the master has"), LONG, || {
                assert!(
                    shipper.is_running(),
                    "dbrepl has given up:\n{}",
                    shipper.output()
                );
                // Asked each time: checkpoints go on.
                let position = master.command("forwardlog status").remove("position")?;
                let applied = slave.command("replication status").remove("applied")?;
                (applied.split(' ').next() == Some(position.as_str())).then_some(())
            });
        }
    }

    /// Puts clients to work.
    pub(crate) fn load(&self, load: Load) -> Running {
        load.start(&self.master, &self.slaves)
    }

    /// Waits until all servers show something of what clients do.
    #[track_caller]
    pub(crate) fn wait_for_first_commits(&mut self) {
        for at in [At::Master, At::Slave(0), At::Slave(1)] {
            let client = self.server(at).client(tables::DATABASE);
            wait_for("the first transactions", LONG, || {
                (client.value("SELECT count(*) FROM journal") != "0").then_some(())
            });
        }
    }

    /// Judges what the clients did; all servers must have the same, and it must be right.
    #[track_caller]
    pub(crate) fn judge(&mut self, history: &History, lists: &[u64]) {
        self.wait_for_slaves();
        let order = tables::order(&self.master, self.states.number());
        let mut views = Vec::new();
        for at in [At::Master, At::Slave(0), At::Slave(1)] {
            let client = self.server(at).client(tables::DATABASE);
            let view = tables::read(&client, tables::Way::OneStatement, lists);
            views.push((
                at,
                view.expect("an answer of a server that nobody disturbs"),
            ));
        }
        let end = crate::checker::Final { order, views };
        let faults = crate::checker::check(&mut self.states, history, &end);
        let shown: Vec<_> = faults.iter().take(5).collect();
        assert!(
            faults.is_empty(),
            "{} faults in the history, the first: {shown:#?}",
            faults.len()
        );
        self.states.forget_past();
        self.databases
            .check(&history.databases, &self.master, &self.slaves);
    }

    /// Pages and logs of all servers are the same, and pass every check.
    #[track_caller]
    pub(crate) fn compare(&self) {
        for slave in &self.slaves {
            compare::databases(&self.master, slave);
            compare::logs(&self.master, slave);
        }
    }

    /// Clients stop; what they did is judged, and all is compared and ends.
    #[track_caller]
    pub(crate) fn end_with(&mut self, running: Running) {
        let lists = running.lists.clone();
        let history = running.stop();
        self.judge(&history, &lists);
        self.compare();
        self.end();
    }

    /// All stop in an orderly way, start, and still have the same.
    #[track_caller]
    pub(crate) fn end(&mut self) {
        for shipper in &mut self.shippers {
            shipper.stop();
        }
        for at in [At::Slave(0), At::Master, At::Slave(1)] {
            self.server(at).restart();
        }
        for slave in 0..SLAVES {
            self.ship_again(slave);
        }
        self.wait_for_slaves();
        self.compare();
        for at in [At::Master, At::Slave(0), At::Slave(1)] {
            self.server(at).stop();
        }
    }
}

fn ship(folder: &Folder, master: &Server, line: &Line, slave: usize) -> Follower {
    let command = follower::dbrepl_to(master, line.address(), &["-v"]);
    Follower::run(command, folder.join(&format!("dbrepl{slave}.log")))
}

/// Lets the load run for a moment.
pub(crate) fn a_moment() {
    waiting::pause(std::time::Duration::from_millis(300));
}
