//! Whether a source and a slave may replicate at all: the checks that both sides make.

use crate::{Identify, Identity, Refuse, Role, check_above, state};

/// Checks everything but positions. Both sides call it, so a shipper that forgot to can't do harm.
pub fn check_compatible(source: &Identify, slave: &Identity) -> Result<(), Refuse> {
    check_format(source, slave)?;
    if slave.role != Role::Slave {
        return Err(not_a_slave(&slave.instance, slave.role));
    }
    if source.page_size != slave.page_size {
        return Err(Refuse::new(
            state::PREREQUISITE,
            "master and slave have different page sizes",
        )
        .detail(format!(
            "master {} bytes, slave {} bytes",
            source.page_size, slave.page_size
        ))
        .hint("make the slave anew"));
    }
    if let Some(environment) = slave.environment
        && environment != source.environment
    {
        return Err(Refuse::new(
            state::OTHER_ENVIRONMENT,
            format!("slave {} belongs to another environment", slave.instance),
        )
        .detail(format!("master's environment {}, slave's {environment}", source.environment))
        .hint("check the address that dbrepl was given; where it is right, make the slave anew on a copy of the master's DataDir; a slave that this master has no more: 'dbctl replication forget NAME' on the master"));
    }
    check_names(source, slave)?;
    check_tree(source, slave)?;
    check_volume_limit(source.volume_limit, slave.volume_limit)
}

/// A root takes no log. Its role may change while it runs, so who waits for that may ask again.
pub fn not_a_slave(instance: &str, role: Role) -> Refuse {
    match role {
        Role::Master => Refuse::new(
            state::TO_ROOT,
            format!("{instance} is the root: it takes no log from another server"),
        )
        .hint("give dbrepl the address of a slave; or let it wait until that server is one: 'dbctl replication switchover' there"),
        Role::Standalone | Role::Slave => {
            Refuse::new(state::PREREQUISITE, format!("server {instance} is not a slave"))
                .detail(format!("its Role is {role}"))
                .hint("set Role = Slave in section [Replication] of its eloqdb.cfg, or give the address of a slave")
        }
    }
}

/// An instance is known by its name: what is said of one of them must not be taken for the other. Only what the two
/// tell of themselves is compared here.
fn check_names(source: &Identify, slave: &Identity) -> Result<(), Refuse> {
    let (Some(ours), Some(theirs)) = (&source.greeting, &slave.greeting) else {
        return Ok(());
    };
    let (ours, theirs) = (&ours.speaker, &theirs.speaker);
    if ours.name != theirs.name {
        return Ok(());
    }
    let detail = if ours.id == theirs.id {
        "they run on copies of one DataDir".to_owned()
    } else {
        format!("the source has the id {}, the slave {}", ours.id, theirs.id)
    };
    let name = &ours.name;
    Err(Refuse::new(state::SAME_NAME, format!("source and slave are both called {name}"))
        .detail(detail)
        .hint("give the slave a name of its own, Instance in section [Server] of its eloqdb.cfg, and restart it; without that key the name is the host name, which two machines may share ('localhost')"))
}

/// Where more of the tree of instances is told, the slave must have a place in it.
fn check_tree(source: &Identify, slave: &Identity) -> Result<(), Refuse> {
    let above = source.above();
    let speaker = slave.greeting.as_ref().map(|greeting| &greeting.speaker);
    match above.zip(speaker) {
        Some((above, speaker)) => check_above(above, speaker),
        None => Ok(()),
    }
}

fn check_format(source: &Identify, slave: &Identity) -> Result<(), Refuse> {
    if source.format > slave.format {
        return Err(Refuse::new(
            state::NOT_SUPPORTED,
            "the slave is too old for this forward log",
        )
        .detail(format!(
            "log format {}, slave reads up to {}",
            source.format, slave.format
        ))
        .hint("update the slave's dbserver first, then the master's"));
    }
    Ok(())
}

/// A slave that would hit its own limit in the middle of the log, or of a copy, is told before it begins. Both in bytes; 0 is no
/// limit.
pub fn check_volume_limit(source: u64, slave: u64) -> Result<(), Refuse> {
    let unlimited = |limit: u64| if limit == 0 { u64::MAX } else { limit };
    if unlimited(slave) >= unlimited(source) {
        return Ok(());
    }
    let show = |limit: u64| {
        if limit == 0 {
            "no limit".to_owned()
        } else {
            format!("{limit} bytes")
        }
    };
    Err(Refuse::new(
        state::PREREQUISITE,
        "the slave's data files may not grow as the master's may",
    )
    .detail(format!(
        "MaxSize in section [Volumes]: master {}, slave {}",
        show(source),
        show(slave)
    ))
    .hint("give the slave a MaxSize that is not below the master's, or none"))
}
