//! `health completions SHELL`.

use crate::failure::{Exit, Failure};
use crate::output::Out;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  health completions bash > ~/.local/share/bash-completion/completions/health")]
pub(crate) struct Args {
    /// Which shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &Args, out: &Out) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::cli::command(), "health", &mut script);
    out.text("health.completions/1", String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::OK)
}
