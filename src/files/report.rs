//! What is said about a file when it has been taken in: for a person a line and a table by type, for a program one
//! object.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Input;
use super::archive::{Digests, Document};
use super::ledger::Entry;
use super::summary::{Kind as Rows, sum};
use crate::commands::Context;
use crate::failure::{Exit, Failure, Kind};
use crate::load::bulk::Rewritten;
use crate::output::{Out, clean};
use crate::source::{About, Files, Rejected, Source};
use crate::transform::Upserted;

/// How taking in one file ended.
#[derive(Debug)]
pub(super) struct Imported {
    pub(super) exit: Exit,
    pub(super) report: Value,
}

/// A file that counts now.
pub(super) struct Published {
    pub(super) entry: Entry,
    pub(super) about: About,
    pub(super) kinds: Vec<Rows>,
    pub(super) rejected: Vec<Rejected>,
    /// Rows that the document lacks and that were not marked as gone.
    pub(super) held_back: u64,
    /// What of those rows, or of the rows that were marked as gone, came in another form.
    pub(super) rewritten: Vec<Rewritten>,
    pub(super) models: Vec<Upserted>,
}

/// A file that counted already.
pub(super) struct Known {
    pub(super) entry: Entry,
    /// As of [`Published`], while it is the newest.
    pub(super) held_back: u64,
    pub(super) models: Vec<Upserted>,
}

impl Known {
    pub(super) fn exit(&self) -> Exit {
        if self.held_back > 0 { Exit::from(Kind::Refused) } else { models_exit(&self.models) }
    }
}

/// How models ended: rows that canonical refused make it partial.
pub(super) fn models_exit(models: &[Upserted]) -> Exit {
    if models.iter().any(|model| model.rejected > 0) { Exit::PARTIAL } else { Exit::OK }
}

/// For the run and for `--json`.
pub(super) fn models_json(models: &[Upserted]) -> Value {
    let one = |model: &Upserted| {
        let counts = json!({"new": model.inserted, "changed": model.updated, "retired": model.retired, "rejected": model.rejected});
        (model.model.to_owned(), counts)
    };
    Value::Object(models.iter().map(one).collect())
}

impl Published {
    pub(super) fn exit(&self) -> Exit {
        if self.held_back > 0 {
            Exit::from(Kind::Refused)
        } else if self.rejected.is_empty() && self.about.cut.is_none() {
            models_exit(&self.models)
        } else {
            Exit::PARTIAL
        }
    }

    /// For the run.
    pub(super) fn counts(&self, files: &Files) -> Value {
        let mut counts = serde_json::Map::new();
        for table in files.tables {
            let kinds: Vec<Rows> = self.kinds.iter().filter(|kind| kind.table == table.name).cloned().collect();
            let rejected = sum(&kinds, |kind| kind.rejected);
            let one = json!({
                "fetched": sum(&kinds, |kind| kind.seen.rows) + rejected,
                "new": sum(&kinds, |kind| kind.changed.new),
                "changed": sum(&kinds, |kind| kind.changed.returned),
                "same": sum(&kinds, Rows::unchanged),
                "rejected": rejected,
                "retired": sum(&kinds, |kind| kind.changed.missing),
            });
            counts.insert(table.name.to_owned(), one);
        }
        counts.insert("models".to_owned(), models_json(&self.models));
        Value::Object(counts)
    }

    fn rejects_by_code(&self) -> BTreeMap<&'static str, u64> {
        let mut codes = BTreeMap::new();
        self.rejected.iter().for_each(|reject| *codes.entry(reject.code).or_default() += 1);
        codes
    }
}

/// A document that is published already.
pub(super) fn known(ctx: &Context, source: &Source, document: &Document, known: &Known) -> Imported {
    let (exit, models, held_back) = (known.exit(), &known.models, known.held_back);
    if !ctx.out.json {
        let file = known.entry.file_id;
        let made = models.iter().any(|model| model.inserted + model.updated + model.retired + model.rejected > 0);
        let rest = if made { "Its canonical rows were completed" } else { "Nothing to do" };
        let rest = if held_back > 0 && !made { "Its deletions are still held back" } else { rest };
        ctx.out.line(&format!("ok  {} is already file {file} (same content). {rest}.", document.shown));
        if held_back > 0 {
            ctx.out.failure(&not_believed(source, document, held_back));
        }
    }
    let report = json!({"file": document.shown, "source": source.id, "file_id": known.entry.file_id, "status": "known",
        "deletions_held_back": held_back, "models": models_json(models), "exit": exit.0});
    Imported { exit, report }
}

/// Deletions that the fuse held back, and the command that lets them through.
fn not_believed(source: &Source, document: &Document, held_back: u64) -> Failure {
    let what = "known records are not in this export; that is too many to be believed. If it is right, accept it";
    Failure::new(Kind::Refused, format!("{} {what}", grouped(held_back)))
        .kept("what is new was added; nothing was marked as gone")
        .next(format!("health ingest {} {} --accept-deletions", source.command_name(), document.typed))
}

/// What `--dry-run` says.
pub(super) fn would_read(ctx: &Context, source: &Source, document: &Document, digests: Option<&Digests>) -> Imported {
    let bytes = digests.map(|digests| digests.bytes);
    if !ctx.out.json {
        let size = bytes.map_or(String::new(), |bytes| format!(" ({} bytes)", grouped(bytes)));
        ctx.out.line(&format!("{}{size} is not known yet and would be read. Nothing was written.", document.shown));
    }
    let report =
        json!({"file": document.shown, "source": source.id, "status": "would_read", "bytes": bytes, "exit": 0});
    Imported { exit: Exit::OK, report }
}

/// One of several files that failed.
pub(super) fn failed(input: &Input, failure: &Failure) -> Value {
    let name = match input {
        Input::Path(path) => clean(&path.file_name().unwrap_or_default().to_string_lossy()),
        Input::Stdin => "standard input".into(),
    };
    json!({"file": name, "status": "failed", "error": failure.error.to_string(), "kept": failure.kept, "next": failure.next,
        "exit": failure.exit().0})
}

/// A file that was taken in.
pub(super) fn published(
    ctx: &Context,
    source: &Source,
    document: &Document,
    published: &Published,
    took: Duration,
) -> Imported {
    let (kinds, rejects) = (&published.kinds, published.rejects_by_code());
    let exit = published.exit();
    if !ctx.out.json {
        for_person(ctx, source, document, published, took);
    }
    let report = json!({
        "file": document.shown,
        "source": source.id,
        "file_id": published.entry.file_id,
        "status": "published",
        "made_at": published.about.made_at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        "records": published.about.records,
        "new": sum(kinds, |kind| kind.changed.new),
        "returned": sum(kinds, |kind| kind.changed.returned),
        "unchanged": sum(kinds, Rows::unchanged),
        "rejected": published.rejected.len(),
        "rejected_by_code": rejects,
        "retired": sum(kinds, |kind| kind.changed.missing),
        "deletions_held_back": published.held_back,
        "rewritten": published.rewritten.iter().map(|of| json!({"how": of.how, "from": of.from, "to": of.to, "records": of.rows}))
            .collect::<Vec<_>>(),
        "types": kinds.iter().map(Rows::json).collect::<Vec<_>>(),
        "unknown": published.about.unknown,
        "cut": published.about.cut,
        "models": models_json(&published.models),
        "exit": exit.0,
    });
    Imported { exit, report }
}

fn for_person(ctx: &Context, source: &Source, document: &Document, published: &Published, took: Duration) {
    let (out, kinds) = (&ctx.out, &published.kinds);
    let warning = if published.about.records == 0 { " It holds no records." } else { "" };
    out.line(&format!(
        "ok  {} is file {}. {} records in {:.1} s.{warning}",
        document.shown,
        published.entry.file_id,
        grouped(published.about.records),
        took.as_secs_f64()
    ));
    if !kinds.is_empty() && !out.quiet {
        out.line("");
        out.table(
            &["TYPE", "NEW", "UNCHANGED", "RETIRED", "REJECTED", "FIRST DAY", "LAST DAY"],
            &kinds.iter().map(columns).collect::<Vec<_>>(),
        );
    }
    if !published.rejected.is_empty() {
        let codes: Vec<String> =
            published.rejects_by_code().iter().map(|(code, count)| format!("{} {code}", grouped(*count))).collect();
        let count = grouped(published.rejected.len() as u64);
        out.note(&format!("{count} rejected and kept as they were: {}    health rejects", codes.join(", ")));
    }
    if let Some(cut) = &published.about.cut {
        out.note(&format!(
            "cut off: the document {cut}. What stands before that was loaded; nothing was marked as gone"
        ));
    }
    let (text, elements): (Vec<_>, Vec<_>) =
        published.about.unknown.iter().partition(|(name, _)| name.starts_with('('));
    let elements = elements.into_iter();
    let unknown: Vec<String> = elements.map(|(name, count)| format!("{} {}", grouped(*count), clean(name))).collect();
    if !unknown.is_empty() {
        out.note(&format!("not known to this version, kept as written: {}", unknown.join(", ")));
    }
    if let Some((_, count)) = text.first() {
        let count = crate::output::counted(**count, "piece");
        out.note(&format!("text between the elements, where none belongs: {count}, counted and not kept"));
    }
    tell_models(out, &published.models);
    let missing = sum(kinds, |kind| kind.changed.missing);
    if missing > 0 {
        out.note(&format!("{} records are no longer in the export and are marked as gone", grouped(missing)));
    }
    published.rewritten.iter().for_each(|of| out.note(&anew(of)));
    if published.held_back > 0 {
        out.failure(&not_believed(source, document, published.held_back));
    }
}

/// Records that went, and came in another form.
fn anew(of: &Rewritten) -> String {
    let (rows, from) = (grouped(of.rows), of.from.as_deref().map_or_else(|| "none".to_owned(), clean));
    let to = of.to.as_deref().map_or_else(|| "none".to_owned(), clean);
    match of.how.as_str() {
        "renamed" => format!("{rows} of what is gone came under another name: {from} is now {to}"),
        "unit" => format!("{rows} of what is gone came in another unit: {from} is now {to}"),
        "edited" => format!("{rows} of what is gone came with another value, from {from}"),
        _ => format!("{rows} of what is gone came with another version, device or detail, from {from}"),
    }
}

/// What became of canonical rows.
pub(super) fn tell_models(out: &Out, models: &[Upserted]) {
    if models.is_empty() {
        return;
    }
    let sum = |of: fn(&Upserted) -> i64| models.iter().map(of).sum::<i64>();
    let (new, changed) = (sum(|model| model.inserted), sum(|model| model.updated + model.retired));
    out.note(&format!("canonical: {new} rows new, {changed} changed"));
    let refused = sum(|model| model.rejected);
    if refused > 0 {
        out.note(&format!("{refused} could not be used and are kept in raw: health rejects"));
    }
}

/// A line of the closing summary.
fn columns(kind: &Rows) -> Vec<String> {
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let (first, last) = kind.days();
    vec![
        clean(&kind.kind),
        grouped(kind.changed.new + kind.changed.returned),
        grouped(kind.unchanged()),
        grouped(kind.changed.missing),
        grouped(kind.rejected),
        day(first),
        day(last),
    ]
}

/// 12402118 as 12,402,118.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 12_402_118].map(grouped), ["0", "999", "1,000", "12,402,118"]);
    }
}
