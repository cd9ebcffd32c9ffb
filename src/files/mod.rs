//! The way in through files: which document is meant, whether it is known already, and the trip of its records into
//! a typed raw table, invisible until the whole document has been read. Knows no HTTP and no source by name.

mod archive;
mod beside;
mod blocks;
mod feed;
mod import;
mod ledger;
mod look;
mod progress;
mod reading;
mod report;
mod summary;
mod torn;
mod undo;

use std::path::PathBuf;

use serde_json::Value;

use crate::commands::Context;
use crate::failure::{Exit, Failure, Kind};
use crate::source::{Files, Source};

/// What a person named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Input {
    Path(PathBuf),
    Stdin,
}

/// How files are taken in.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Options {
    /// Lets deletions through that the fuse would hold back (docs/adr/05).
    pub(crate) accept_deletions: bool,
    /// Takes what is there of a document that is cut off.
    pub(crate) allow_truncated: bool,
    /// Reads a file again although it is known.
    pub(crate) force: bool,
    /// Leaves the models out.
    pub(crate) raw_only: bool,
    /// Says what would be read, and writes nothing.
    pub(crate) dry_run: bool,
}

impl Options {
    /// Whether a file that is known is read all the same.
    fn again(self) -> bool {
        self.force || self.accept_deletions
    }
}

/// What became of the files.
#[derive(Debug)]
pub(crate) struct Ingested {
    pub(crate) exit: Exit,
    /// One object a file, for `--json`.
    pub(crate) files: Vec<Value>,
}

/// Takes in each file; the first that fails ends it, unless there are others, which are then taken in all the same.
/// Says what happened, except with `--json`, where the caller prints `files`.
pub(crate) fn ingest(
    ctx: &Context,
    source: &'static Source,
    inputs: &[Input],
    options: Options,
) -> Result<Ingested, Failure> {
    let files = files_of(source)?;
    if inputs.iter().filter(|input| **input == Input::Stdin).count() > 1 {
        return Err(Failure::new(Kind::Usage, "standard input can be read only once")
            .next(format!("health ingest {} -", source.command_name())));
    }
    if let [input] = inputs {
        let imported = import::one(ctx, source, files, input, options)?;
        return Ok(Ingested { exit: imported.exit, files: vec![imported.report] });
    }
    let (mut exits, mut reports) = (Vec::new(), Vec::new());
    for input in inputs {
        match import::one(ctx, source, files, input, options) {
            Ok(imported) => {
                exits.push(imported.exit);
                reports.push(imported.report);
            }
            Err(failure) => {
                exits.push(failure.exit());
                reports.push(report::failed(input, &failure));
                if !ctx.out.json {
                    ctx.out.failure(&failure);
                }
            }
        }
    }
    Ok(Ingested { exit: Exit::merge(&exits), files: reports })
}

/// Takes back the newest published file of a source; for `--json` its object.
pub(crate) fn take_back(
    ctx: &Context,
    source: &'static Source,
    file_id: i64,
    options: Options,
) -> Result<(Exit, Value), Failure> {
    let undone = undo::one(ctx, source, files_of(source)?, file_id, options)?;
    Ok((undone.exit, undone.report))
}

fn files_of(source: &'static Source) -> Result<&'static Files, Failure> {
    let none = || Failure::new(Kind::Usage, format!("{} takes no files", source.title)).next("health sources");
    source.files.as_ref().ok_or_else(none)
}
