//! Skeleton, to be filled.

use super::Context;
use crate::failure::{Exit, Failure, Kind};

#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    let _ = (&ctx.config.dirs, args);
    Err(Failure::new(Kind::Bug, "not built yet"))
}
