//! What is taken back is kept as files, before anything is changed: `libs/lost` makes them.

use fwlog::{GenerationId, History, Position};
use lost::{Facts, Fork, ForkDatabase, ForkState, Place, Standing, Summary};

use super::choose::Plan;
use super::stage::AtFork;
use super::survey::Planned;
use crate::environment::core::Core;
use crate::environment::left_behind::name_of;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// What was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The name of the directory below `lost`.
    pub name: String,
    /// Rows and objects of a schema that were changed.
    pub changes: u64,
    /// Why not all rows are told, if so; the log itself is there in any case.
    pub inexact: Option<String>,
}

impl Environment {
    /// Keeps all that the log has behind the fork, which is taken back by this plan. `state`: the databases there, or why they
    /// can't be had.
    pub(super) fn keep_lost(
        &self,
        planned: &Planned,
        plan: Plan,
        state: Result<&[AtFork], String>,
    ) -> Result<Kept, EngineError> {
        let core = self.core();
        if planned.transactions() == 0 {
            return self.keep_nothing();
        }
        let place = Place {
            disk: core.layout().disk().clone(),
            directory: core.layout().data_dir().join("lost"),
        };
        let state = match state {
            Ok(databases) => ForkState::Known(databases.iter().map(database).collect()),
            Err(why) => ForkState::Unknown {
                why,
                names: planned.names().collect(),
            },
        };
        let store = core.log_store(core.log_place())?;
        let kept = lost::write(&place, &facts(self, planned, plan)?, &state, &store);
        kept.map(kept_as).map_err(|error| not_kept(&error))
    }

    /// Segments that begin, seals, checkpoints: that part of the log is set aside, under a name that nothing has yet.
    fn keep_nothing(&self) -> Result<Kept, EngineError> {
        let core = self.core();
        let beside = [
            core.layout().data_dir().to_owned(),
            core.log_location()?.directory,
        ];
        let time = name_of(core.host().clock.now());
        let names = (1..).map(|number| match number {
            1 => time.clone(),
            _ => format!("{time}-{number}"),
        });
        for name in names {
            let mut is_taken = false;
            for directory in &beside {
                let path = directory.join("lost").join(&name);
                let there = core.layout().disk().exists(&path);
                is_taken |= there.map_err(|error| EngineError::file("look for", path, &error))?;
            }
            if !is_taken {
                return Ok(Kept {
                    name,
                    changes: 0,
                    inexact: None,
                });
            }
        }
        Err(EngineError::Internal("there is no name left".into()))
    }
}

fn database(at_fork: &AtFork) -> ForkDatabase<'_> {
    ForkDatabase {
        id: at_fork.id,
        name: at_fork.name.clone(),
        pages: at_fork,
    }
}

fn kept_as(summary: Summary) -> Kept {
    let name = summary.name();
    let told = summary.description;
    Kept {
        name,
        changes: told.changes,
        inexact: told.why.filter(|_| !told.exact),
    }
}

fn not_kept(error: &lost::Error) -> EngineError {
    EngineError::state(
        format!("what would be taken back can't be kept: {error}"),
        "Nothing has changed. Mend that, and try again.",
    )
}

fn facts(environment: &Environment, planned: &Planned, plan: Plan) -> Result<Facts, EngineError> {
    let core = environment.core();
    let (fork, speaker) = (&planned.fork, core.instance().speaker());
    Ok(Facts {
        made_by: fork.made_by,
        standing: if fork.was_root {
            Standing::Primary
        } else {
            Standing::Secondary
        },
        environment: core.known_id()?,
        instance: speaker.name,
        instance_id: speaker.id,
        fork: Fork {
            point: fork.at.point,
            commit: fork.at.commit,
            time: None,
            generation: generation_of(core, fork.at.point.position)?,
        },
        root: fork.root.clone(),
        plan: plan.to_string(),
        // That of the log, so that an attempt which is made again has the same name.
        time: planned.tail.time,
    })
}

fn generation_of(core: &Core, at: Position) -> Result<GenerationId, EngineError> {
    let find = |history: &History| history.generation_of(at).map(|line| line.id);
    core.instance().with_history(find).ok_or_else(|| {
        EngineError::History(format!(
            "the generation of {at} is not in the history of this server"
        ))
    })
}
