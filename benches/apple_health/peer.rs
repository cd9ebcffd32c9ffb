//! `healthkit-to-sqlite` over the same XML, its database on disk and in memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::export::Export;
use crate::files::plain;
use crate::scenarios::{say, shown};
use crate::shared::program::Result;
use crate::shared::report::Row;

/// How many times as long it takes as our import into raw, which holds what its database holds, and as ours with canonical rows
/// besides: the seconds of both.
pub(crate) fn compared(
    megabytes: u64,
    dir: &Path,
    healthkit: &Path,
    raw: f64,
    canonical: Option<f64>,
) -> Result<Vec<Row>> {
    let xml = plain(dir, "export.xml", &Export::of(megabytes))?;
    let memory = tempfile::Builder::new().prefix("health-bench").tempdir_in("/dev/shm")?;
    let mut rows = Vec::new();
    for (what, target, place) in [
        ("healthkit-to-sqlite on a RAM disk, against raw", 6.0, memory.path()),
        ("healthkit-to-sqlite on disk, against raw", 14.0, dir),
    ] {
        say(what);
        let begun = Instant::now();
        let status = Command::new(healthkit)
            .arg(&xml)
            .arg(place.join("peer.db"))
            .arg("--xml")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !status.success() {
            return Err(format!("{} ended with {status}", healthkit.display()).into());
        }
        let took = begun.elapsed().as_secs_f64();
        rows.push(Row {
            what: what.into(),
            target: format!("≥ {target} ×"),
            measured: format!("{:.1} × ({})", took / raw, shown(took)),
            ok: took / raw >= target,
        });
        if let Some(canonical) = canonical {
            rows.push(Row {
                what: "the same against raw and canonical".into(),
                target: "–".into(),
                measured: format!("{:.1} ×", took / canonical),
                ok: true,
            });
        }
    }
    Ok(rows)
}
