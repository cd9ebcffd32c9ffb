//! `health help`: a command's own help, or one of the topics.

use std::fmt::Write as _;

use crate::config::{VARIABLES, source_variables};
use crate::failure::{Exit, Failure, Kind};
use crate::output::Out;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  health help env")]
pub(crate) struct Args {
    /// A command, or one of: env, dates, exit-codes
    topic: Option<String>,
}

pub(crate) fn run(args: &Args, out: &Out) -> Result<Exit, Failure> {
    let mut command = crate::cli::command();
    let text = match args.topic.as_deref() {
        None => command.render_long_help().to_string(),
        Some("env") => environment(),
        Some("dates") => DATES.to_owned(),
        Some("exit-codes") => EXIT_CODES.to_owned(),
        Some(name) => {
            command.build();
            let known = command.find_subcommand_mut(name).ok_or_else(|| {
                Failure::new(Kind::Usage, format!("there is no help on \"{}\"", crate::output::clean(name)))
                    .next("health help")
            })?;
            known.render_long_help().to_string()
        }
    };
    out.text("health.help/1", text.trim_end());
    Ok(Exit::OK)
}

fn environment() -> String {
    let mut text =
        "Variables that health reads, from the environment or from .env in the current directory (HEALTH_HOME and XDG_* from the \
         environment alone):\n\n".to_owned();
    for variable in VARIABLES {
        let _ = writeln!(text, "  {:<29}{}", variable.name, variable.meaning);
    }
    for source in crate::sources::ALL.iter().filter(|source| source.api.is_some()) {
        text.push('\n');
        for (name, meaning) in source_variables(source) {
            let _ = writeln!(text, "  {name:<29}{meaning}");
        }
    }
    text
}

const DATES: &str = "\
today, yesterday, 2026-11-01, 2026-11, 7d, 4w, 6m, 1y, 2026-11-01T08:00-08:00

Days are local days of your home zone (health zones), or of --tz. Relative values begin at local midnight. --until includes
the day it names.";

const EXIT_CODES: &str = "  0  ok        all asked for is committed; includes \"nothing new\"
  1  bug       our fault                                    health doctor --json, and report it
  2  usage     arguments wrong                              see the usage line
  3  partial   good records kept, something was set aside   health rejects
  4  login     a person must consent again                  health auth <source>
  5  later     network or provider trouble                  nothing, the next run continues
  6  refused   the provider refuses for good                read the notice
  7  file      unreadable, or not what it claims to be      get a new export
  8  database  unreachable or briefly failing               start it, run again
  9  schema    not migrated, or newer than this program     health migrate
 10  busy      another run holds this source                wait
 11  local     disk, permissions, token store               fix the named path
 12  broken    an invariant does not hold                   stop, report
 13  config    a setting is missing or malformed            fix the named key
129, 130, 143  ended by a signal, at a page border          run again";
