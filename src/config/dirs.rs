//! Where our files live (docs/configuration.md).

use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, choose_base_strategy};

use super::vars::Vars;
use crate::failure::{Failure, Kind};

/// The three directories; the key of the token store stands apart from the tokens on purpose.
#[derive(Clone, Debug)]
pub(crate) struct Dirs {
    /// Tokens and the private PostgreSQL: `HEALTH_HOME`, or `$XDG_DATA_HOME/health`.
    pub(crate) data: PathBuf,
    /// The configuration file and the token key.
    pub(crate) config: PathBuf,
    /// Locks.
    pub(crate) state: PathBuf,
}

impl Dirs {
    pub(super) fn find(vars: &Vars) -> Result<Self, Failure> {
        let base = choose_base_strategy();
        let pick = |name: &str, default: Option<PathBuf>| -> Result<PathBuf, Failure> {
            let set = vars.process_text(name).map(PathBuf::from).filter(|path| path.is_absolute());
            set.or(default).map(|path| path.join("health")).ok_or_else(|| {
                Failure::new(
                    Kind::Config,
                    format!("neither HOME nor {name} is set, so there is no place for our files"),
                )
                .next(format!("set HOME, or {name} to an absolute path"))
            })
        };
        let from = |get: fn(&_) -> PathBuf| base.as_ref().ok().map(get);
        let data = match vars.process_text("HEALTH_HOME") {
            Some(home) => absolute(Path::new(&home))?,
            None => pick("XDG_DATA_HOME", from(BaseStrategy::data_dir))?,
        };
        Ok(Self {
            data,
            config: pick("XDG_CONFIG_HOME", from(BaseStrategy::config_dir))?,
            state: pick("XDG_STATE_HOME", from(|base| base.state_dir().unwrap_or_else(|| base.data_dir())))?,
        })
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| {
        Failure::new(Kind::Config, format!("HEALTH_HOME: {error}"))
            .next("set HEALTH_HOME to an absolute path, or unset it")
    })
}
