//! The command line: what can be typed. Each command's own arguments stand with the command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{self, Context};
use crate::config::{Config, Overrides};
use crate::failure::{Exit, Failure, Kind};
use crate::output::{Out, ProgressMode};

const EXAMPLES: &str = "\
Three ways to begin:
  health demo                              a synthetic year, to see what you get
  health ingest apple-health export.zip    a file from your phone
  health auth whoop                        a login, then: health ingest whoop --since 6m

Exit codes: 0 ok, 3 partial, 4 login needed, 5 try later; all of them: docs/exit-codes.md";

/// Your health data, in your own PostgreSQL.
#[derive(Parser)]
#[command(name = "health", version, after_help = EXAMPLES, disable_help_subcommand = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Flags that exist everywhere.
#[derive(clap::Args)]
#[command(next_help_heading = "Everywhere")]
struct Global {
    /// One JSON document on standard output
    #[arg(long, global = true)]
    json: bool,
    /// How progress is shown
    #[arg(long, global = true, value_enum, default_value = "auto", hide_possible_values = false)]
    progress: ProgressMode,
    /// Only errors and the final line
    #[arg(short, long, global = true)]
    quiet: bool,
    /// More detail; twice: each request
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Never ask, as if not on a terminal
    #[arg(long, global = true)]
    no_input: bool,
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Whose data, when several people share the database
    #[arg(long, global = true, value_name = "NAME")]
    person: Option<String>,
    /// Time zone of days that are typed and shown in this call
    #[arg(long, global = true, value_name = "ZONE")]
    tz: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Log in to a source, or show the state of all logins
    Auth(commands::auth::Args),
    /// Fetch one source, or load its files; then its canonical rows
    Ingest(commands::ingest::Args),
    /// Create or upgrade the database
    Migrate(commands::migrate::Args),
    /// Everything a cron job needs, in one command
    DailyRefresh(commands::daily_refresh::Args),
    /// Canonical rows from raw, offline
    Transform(commands::transform::Args),
    /// Fresh? complete? next step?
    Status(commands::status::Args),
    /// What can be connected, and how
    Sources(commands::sources::Args),
    /// Records that could not be used
    Rejects(commands::rejects::Args),
    /// Where you were when, for records that name no time zone
    Zones(commands::zones::Args),
    /// What is wrong with my set-up
    Doctor(commands::doctor::Args),
    /// The private PostgreSQL: start, stop, status, url, psql, destroy
    Db(commands::db::Args),
    /// A synthetic year in a throwaway database
    Demo(commands::demo::Args),
    /// Shell completions
    Completions(commands::completions::Args),
    /// Help on a command, or on env, dates, exit-codes
    Help(commands::help::Args),
}

/// The whole command line, for completions and for checking hints.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Parses and runs one call.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = command().try_get_matches_from(&arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return show_usage(&error, &arguments),
    };
    let global = &cli.global;
    let out = Out {
        json: global.json,
        quiet: global.quiet,
        verbose: global.verbose,
        progress: global.progress,
        no_input: global.no_input,
        mute: false,
    };
    match dispatch(&cli, &out) {
        Ok(exit) => exit,
        Err(failure) => {
            out.failure(&failure);
            failure.exit()
        }
    }
}

/// Help goes to standard output. A mistake gets the form of every failure: what it is, and the command that helps.
fn show_usage(error: &clap::Error, arguments: &[OsString]) -> Exit {
    let out = Out { json: arguments.iter().any(|argument| argument == "--json"), ..Out::default() };
    if !error.use_stderr() {
        if out.json {
            out.text("health.help/1", error.render().to_string().trim_end());
        } else {
            let _ = error.print();
        }
        return Exit::OK;
    }
    let said = error.render().to_string();
    let said =
        said.trim_start_matches("error: ").split("\n\nFor more information").next().unwrap_or_default().trim_end();
    out.failure(&Failure::new(Kind::Usage, said.to_owned()).next(format!("{} --help", meant(arguments))));
    Exit::from(Kind::Usage)
}

/// The words of the command that was meant, as far as they are known: flags and what belongs to them are passed over.
fn meant(arguments: &[OsString]) -> String {
    let mut command = command();
    command.build();
    let (mut at, mut words) = (&command, vec!["health"]);
    let mut rest = arguments.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = rest.next() {
        if word.starts_with('-') {
            let takes = |flag: &&clap::Arg| flag.get_action().takes_values() && is_spelt(flag, &word);
            if at.get_arguments().any(|flag| takes(&flag)) {
                rest.next();
            }
        } else if let Some(sub) = at.find_subcommand(word.as_ref()) {
            words.push(sub.get_name());
            at = sub;
        } else {
            break;
        }
    }
    words.join(" ")
}

/// Whether `word` is the flag's name, long or short, and nothing else.
fn is_spelt(flag: &clap::Arg, word: &str) -> bool {
    let long = flag.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long));
    long || flag.get_short().is_some_and(|short| word.strip_prefix('-') == Some(short.to_string().as_str()))
}

fn dispatch(cli: &Cli, out: &Out) -> Result<Exit, Failure> {
    match &cli.command {
        Some(Command::Completions(args)) => return commands::completions::run(args, out),
        Some(Command::Help(args)) => return commands::help::run(args, out),
        _ => {}
    }
    let config = Config::load(Overrides {
        config_file: cli.global.config.clone(),
        person: cli.global.person.clone(),
        tz: cli.global.tz.clone(),
        no_input: cli.global.no_input,
    })?;
    let mut out = out.clone();
    out.no_input |= config.no_input;
    let ctx = Context { config, out };
    crate::signals::watch();
    match &cli.command {
        None => commands::front_page(&ctx),
        Some(Command::Demo(args)) => commands::demo::run(ctx, args),
        Some(command) => act(&ctx, command),
    }
}

fn act(ctx: &Context, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Auth(args) => commands::auth::run(ctx, args),
        Command::Ingest(args) => commands::ingest::run(ctx, args),
        Command::Migrate(args) => commands::migrate::run(ctx, args),
        Command::DailyRefresh(args) => commands::daily_refresh::run(ctx, args),
        Command::Transform(args) => commands::transform::run(ctx, args),
        Command::Status(args) => commands::status::run(ctx, args),
        Command::Sources(args) => commands::sources::run(ctx, args),
        Command::Rejects(args) => commands::rejects::run(ctx, args),
        Command::Zones(args) => commands::zones::run(ctx, args),
        Command::Doctor(args) => commands::doctor::run(ctx, args),
        Command::Db(args) => commands::db::run(ctx, args),
        Command::Demo(_) | Command::Completions(_) | Command::Help(_) => Ok(Exit::OK), // need no settings, or own them
    }
}

/// Runs the command that `words` spell, with the settings of `ctx`: what `health demo` shows is what it does.
pub(crate) fn run_words(ctx: &Context, words: &[&str]) -> Result<Exit, Failure> {
    let cli = Cli::try_parse_from(std::iter::once("health").chain(words.iter().copied()));
    match cli.map(|cli| cli.command) {
        Ok(Some(command)) => act(ctx, &command),
        Ok(None) | Err(_) => Err(Failure::new(Kind::Bug, format!("\"{}\" is no command", words.join(" ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn what_a_command_has_of_its_own_stands_before_what_all_have() {
        let mut command = command();
        command.build();
        let help = command.find_subcommand_mut("ingest").unwrap().render_help().to_string();
        let (own, everywhere) = help.split_once("Everywhere:").unwrap();
        assert!(["--since", "--account", "--dry-run", "--help"].iter().all(|flag| own.contains(flag)), "{help}");
        assert!(["--json", "--quiet", "--tz"].iter().all(|flag| everywhere.contains(flag)), "{help}");
        assert!(!own.contains("--json"), "{help}");
    }

    /// The command of an example line, without what explains it.
    fn typed(line: &str) -> Option<Vec<&str>> {
        let at = line.find("health ")?;
        let text = line[at..].split("    ").next().unwrap_or_default().split("   ").next().unwrap_or_default();
        let text = text.split(" > ").next().unwrap_or_default().split(['|', ')']).next().unwrap_or_default();
        Some(text.split_whitespace().collect())
    }

    /// All commands below one, at every depth, with the words that lead to them.
    fn below(command: &clap::Command, words: &str) -> Vec<(String, clap::Command)> {
        let one = |sub: &clap::Command| {
            let path = format!("{words} {}", sub.get_name());
            let deeper = below(sub, &path);
            std::iter::once((path, sub.clone())).chain(deeper).collect::<Vec<_>>()
        };
        command.get_subcommands().flat_map(one).collect()
    }

    #[test]
    fn every_command_shows_an_example_that_our_own_parser_takes() {
        let mut command = command();
        command.build();
        let all = below(&command, "health");
        assert!(all.iter().any(|(path, _)| path == "health rejects show"), "the walk reaches the second level");
        for (path, sub) in all {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Example"), "{path} has no example");
            let examples: Vec<_> = help.lines().filter_map(typed).collect();
            assert!(help.contains(&path), "the example of {path} is about something else");
            for words in examples {
                let parsed = command.clone().try_get_matches_from(&words);
                assert!(parsed.is_ok(), "{words:?}: {}", parsed.err().map(|e| e.to_string()).unwrap_or_default());
            }
        }
    }

    #[test]
    fn the_command_that_was_meant_is_found_in_what_was_typed() {
        let meant = |line: &str| super::meant(&line.split(' ').map(Into::into).collect::<Vec<_>>());
        for (typed, found) in [
            ("health", "health"),
            ("health frobnicate", "health"),
            ("health rejects show x", "health rejects show"),
            ("health demo --days 0", "health demo"),
            ("health --person auth --tz=UTC ingest whoop --since", "health ingest"),
            ("health -v db psql -c select", "health db psql"),
            ("health completions tcsh", "health completions"),
        ] {
            assert_eq!(meant(typed), found, "{typed}");
        }
    }
}
