//! How a run of the pipeline is told to a person and to a log.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Context;
use crate::load::Counts;
use crate::output::{ProgressMode, counted};
use crate::pipeline::Report;

/// The summary of one account: a table on a terminal, `key=value` lines elsewhere.
pub(crate) fn tell(ctx: &Context, report: &Report) {
    if report.run_id.is_none() {
        return; // it never began; its failure says why
    }
    if ctx.out.progress_mode() == ProgressMode::Bar {
        as_table(ctx, report);
    } else {
        as_lines(ctx, report);
    }
}

fn as_table(ctx: &Context, report: &Report) {
    let exit = report.exit();
    let written = report.total(|counts| counts.new + counts.changed + counts.retired);
    let head = format!("{}  {} {}", exit.name(), report.source.title, report.account);
    if written == 0 && report.rejected() == 0 {
        ctx.out.note(&format!("{head}: nothing new ({}, 0 rows written)", counted(report.requests, "request")));
        return;
    }
    let records = report.total(Counts::fetched);
    ctx.out.note(&format!(
        "{head}: {}, {}, {:.1} s",
        counted(records, "record"),
        counted(report.requests, "request"),
        report.seconds
    ));
    ctx.out.note("");
    let local = |at: &DateTime<Utc>| at.with_timezone(&ctx.config.home.shown()).format("%Y-%m-%d %H:%M").to_string();
    let rows: Vec<Vec<String>> = report
        .resources
        .iter()
        .map(|(name, counts)| {
            let mut row = vec![(*name).to_owned()];
            row.extend(
                [counts.new, counts.changed, counts.same, counts.retired, counts.rejected].map(|n| n.to_string()),
            );
            row.push(report.covered.get(*name).map(local).unwrap_or_default());
            row
        })
        .collect();
    ctx.out.note_table(&["RESOURCE", "NEW", "CHANGED", "SAME", "GONE", "REJECTED", "COVERED UNTIL"], &rows);
    let (new, changed) = report.canonical();
    ctx.out.note(&format!("\ncanonical: {new} rows new, {changed} changed"));
    ctx.out.note("\nNext:  health status");
}

fn as_lines(ctx: &Context, report: &Report) {
    let source = report.source.id;
    for (name, counts) in &report.resources {
        ctx.out.note(&format!(
            "ingest resource source={source} resource={name} pages={} new={} changed={} same={} gone={} rejected={}",
            counts.pages, counts.new, counts.changed, counts.same, counts.retired, counts.rejected
        ));
    }
    let covered = report
        .covered
        .values()
        .min()
        .map_or("-".to_owned(), |at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    let (new, changed) = report.canonical();
    ctx.out.note(&format!(
        "ingest end source={source} account={} run={} result={} requests={} new={} changed={} gone={} rejected={} canonical_new={new} canonical_changed={changed} covered={covered} seconds={:.1}",
        report.account,
        report.run_id.unwrap_or_default(),
        report.exit().name(),
        report.requests,
        report.total(|counts| counts.new),
        report.total(|counts| counts.changed),
        report.total(|counts| counts.retired),
        report.rejected(),
        report.seconds,
    ));
}

/// What is safe after a run that failed.
pub(crate) fn kept_line(resources: &BTreeMap<&'static str, Counts>) -> String {
    let pages: i64 = resources.values().map(|counts| counts.pages).sum();
    let records: i64 = resources.values().map(Counts::fetched).sum();
    format!(
        "everything committed before; of this run {} with {}; nothing was lost",
        counted(pages, "page"),
        counted(records, "record")
    )
}
