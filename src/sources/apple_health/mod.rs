//! Apple Health: the export that a phone makes, as a zip, an XML file or an unpacked folder.
//!
//! Facts: `docs/sources/apple_health.md`. Records have no id, so a record is its content; every export is the whole
//! history; dates carry the offset of the phone on the day of the export, which says nothing about the sample.

mod attributes;
mod elements;
mod instant;
mod mapping;
mod prologue;
mod reader;
mod record;
mod rows;
mod scanner;
#[cfg(test)]
mod scanner_tests;
mod shape;
mod side;
mod sums;
#[cfg(test)]
mod tests;
mod text;
#[cfg(test)]
mod told;

use crate::canonical::Table;
use crate::source::{Alias, Beside, Bulk, Dictionary, Files, Model, Source, Stage, TypedTable};

/// Places of the stages of side files; those before them are in `rows`.
const ROUTES: usize = 3;
const ECGS: usize = 4;
const CLINICAL_RECORDS: usize = 5;
const ATTACHMENTS: usize = 6;
/// Side files that were set aside.
const UNREAD: usize = 7;
/// Days added up.
const SUMS: usize = 8;

pub(crate) static SOURCE: Source = Source {
    id: "apple_health",
    aliases: &[Alias { name: "apple", says: &[] }],
    title: "Apple Health",
    brings: "steps, heart, sleep, workouts, routes, ECG, food, all the rest",
    needs: "export from the phone",
    api: None,
    files: Some(Files {
        accepts: "export.zip, export.xml, the unpacked folder, or - for XML on standard input",
        parser_version: 3,
        extension: ".xml",
        recognise: prologue::recognise,
        read: rows::read,
        beside: Some(Beside { belongs: side::belongs, read: side::read, held: include_str!("sql/side/held.sql") }),
        dictionaries: &[
            dictionary("types", "type_id", "type"),
            dictionary("units", "unit_id", "unit"),
            dictionary("source_names", "source_name_id", "source_name"),
            dictionary("source_versions", "source_version_id", "source_version"),
            dictionary("devices", "device_id", "device"),
            dictionary("zones", "zone_id", "tz_name"),
        ],
        stages: &[
            stage("pg_temp.apple_health_records", include_str!("sql/create_stage.sql"), SAMPLE),
            stage("pg_temp.apple_health_nested", include_str!("sql/create_nested.sql"), SAMPLE),
            stage("pg_temp.apple_health_elements", include_str!("sql/elements/create_stage.sql"), "element, id"),
            stage("pg_temp.apple_health_routes", include_str!("sql/side/routes/create_stage.sql"), "id"),
            stage("pg_temp.apple_health_ecgs", include_str!("sql/side/ecgs/create_stage.sql"), "id"),
            stage(
                "pg_temp.apple_health_clinical_records",
                include_str!("sql/side/clinical_records/create_stage.sql"),
                "id",
            ),
            stage("pg_temp.apple_health_attachments", include_str!("sql/side/attachments/create_stage.sql"), "id"),
            stage("pg_temp.apple_health_unread", include_str!("sql/side/create_unread.sql"), "kind"),
            stage("pg_temp.apple_health_sums", include_str!("sql/records/create_sums.sql"), "type_id, local_date"),
        ],
        tables: &[
            TypedTable {
                name: "records",
                stage: rows::RECORDS,
                complete: Some(include_str!("sql/complete.sql")),
                count: include_str!("sql/count.sql"),
                merge: include_str!("sql/merge.sql"),
                mark_missing: include_str!("sql/mark_missing.sql"),
                bulk: Some(&BULK),
                news: include_str!("sql/news.sql"),
            },
            TypedTable {
                name: "elements",
                stage: rows::ELEMENTS,
                complete: None,
                count: include_str!("sql/elements/count.sql"),
                merge: include_str!("sql/elements/merge.sql"),
                mark_missing: include_str!("sql/elements/mark_missing.sql"),
                bulk: None,
                news: include_str!("sql/elements/news.sql"),
            },
            TypedTable {
                name: "routes",
                stage: ROUTES,
                complete: None,
                count: include_str!("sql/side/routes/count.sql"),
                merge: concat!(include_str!("sql/side/routes/merge.sql"), include_str!("sql/side/merge_again.sql")),
                mark_missing: include_str!("sql/side/routes/mark_missing.sql"),
                bulk: None,
                news: include_str!("sql/side/routes/news.sql"),
            },
            TypedTable {
                name: "ecgs",
                stage: ECGS,
                complete: None,
                count: include_str!("sql/side/ecgs/count.sql"),
                merge: concat!(include_str!("sql/side/ecgs/merge.sql"), include_str!("sql/side/merge_again.sql")),
                mark_missing: include_str!("sql/side/ecgs/mark_missing.sql"),
                bulk: None,
                news: include_str!("sql/side/ecgs/news.sql"),
            },
            TypedTable {
                name: "clinical_records",
                stage: CLINICAL_RECORDS,
                complete: None,
                count: include_str!("sql/side/clinical_records/count.sql"),
                merge: concat!(
                    include_str!("sql/side/clinical_records/merge.sql"),
                    include_str!("sql/side/merge_again.sql")
                ),
                mark_missing: include_str!("sql/side/clinical_records/mark_missing.sql"),
                bulk: None,
                news: include_str!("sql/side/clinical_records/news.sql"),
            },
            TypedTable {
                name: "attachments",
                stage: ATTACHMENTS,
                complete: None,
                count: include_str!("sql/side/attachments/count.sql"),
                merge: concat!(
                    include_str!("sql/side/attachments/merge.sql"),
                    include_str!("sql/side/merge_again.sql")
                ),
                mark_missing: include_str!("sql/side/attachments/mark_missing.sql"),
                bulk: None,
                news: include_str!("sql/side/attachments/news.sql"),
            },
        ],
        newest: include_str!("sql/newest.sql"),
        fresh_days: Some(14),
        raw_only: include_str!("sql/raw_only.sql"),
        runs_of: include_str!("sql/runs_of.sql"),
        describe: include_str!("sql/describe.sql"),
        after: &[include_str!("sql/touch_days.sql"), include_str!("sql/touch_kinds.sql")],
        rezone: &[
            include_str!("sql/rezone_records.sql"),
            include_str!("sql/rezone_elements.sql"),
            include_str!("sql/rezone_ecgs.sql"),
        ],
    }),
    models: MODELS,
    shown: &["samples"],
    references: &[&mapping::MAPPING],
    notices: &[],
};

/// Records: a table for each account, and a digest of each day.
static BULK: Bulk = Bulk {
    has_table: include_str!("sql/records/has_table.sql"),
    empty_table: include_str!("sql/records/empty_table.sql"),
    create_table: include_str!("sql/records/create_table.sql"),
    columns: include_str!("sql/records/columns.sql"),
    attach_table: include_str!("sql/records/attach_table.sql"),
    analyze: include_str!("sql/records/analyze.sql"),
    stage: rows::RECORDS,
    nested: rows::NESTED,
    recall: include_str!("sql/records/recall.sql"),
    digests: stage("pg_temp.apple_health_digests", include_str!("sql/records/create_digests.sql"), "type_id, day"),
    stored_digests: include_str!("sql/records/stored_digests.sql"),
    forget_digests: include_str!("sql/records/forget_digests.sql"),
    keep_digests: include_str!("sql/records/keep_digests.sql"),
    keep_all_digests: include_str!("sql/records/keep_all_digests.sql"),
    mark_missing: include_str!("sql/records/mark_missing.sql"),
    news: include_str!("sql/records/news.sql"),
    after_compared: include_str!("sql/records/compared_days.sql"),
    known_kinds: include_str!("sql/records/known_kinds.sql"),
    rewritten: include_str!("sql/records/rewritten.sql"),
    apart: include_str!("sql/records/apart.sql"),
    after_first: include_str!("sql/records/first_days.sql"),
    keep_sums: include_str!("sql/records/keep_sums.sql"),
};

/// Bulk samples need no model: `canonical.samples` shows them where they are (migration `apple_health_canonical`).
const MODELS: &[Model] = &[
    // The longest first: two connections share them.
    Model {
        many: 1_000, // a few days are looked up by the raw key, which is much faster than reading everything
        ..model("daily_summaries", "published_days", Table::DailySummaries, include_str!("models/daily_summaries.sql"))
    },
    model("unconvertible", "published_unconvertible", Table::Rejects, include_str!("models/unconvertible.sql")),
    model("vitals", "published_vitals", Table::BiometricsVitals, include_str!("models/vitals.sql")),
    Model {
        many: 1, // a changed row is a writer with all its nights
        ..model("sleep_sessions", "published_sleep", Table::SleepSessions, include_str!("models/sleep_sessions.sql"))
    },
    model("activity_days", "published_activity_days", Table::DailySummaries, include_str!("models/activity_days.sql")),
    model("nutrition_food", "published_food", Table::NutritionEntries, include_str!("models/nutrition_food.sql")),
    model(
        "nutrition_loose",
        "published_food_days",
        Table::NutritionEntries,
        include_str!("models/nutrition_loose.sql"),
    ),
    Model {
        joins: &["published_routes"],
        ..model("workouts", "published_workouts", Table::Workouts, include_str!("models/workouts.sql"))
    },
];

/// What tells samples apart.
const SAMPLE: &str = "type_id, start_at, id";

const fn stage(name: &'static str, create: &'static str, keys: &'static str) -> Stage {
    Stage { name, create, keys }
}

const fn dictionary(table: &'static str, id: &'static str, word: &'static str) -> Dictionary {
    Dictionary { table, id, word }
}

/// All models read views that show published files only, with words instead of numbers.
const fn model(name: &'static str, reads: &'static str, into: Table, select: &'static str) -> Model {
    Model::new(name, reads, &[], into, select)
}
