//! Tracks of exercises: one question each, for those who let their whereabouts be known.

use serde_json::json;

use crate::providers::google_health::{Google, last_part};
use crate::support::rows::{count, value};
use crate::support::subject::Subject;
use crate::support::world::{World, now};

#[test]
fn a_track_is_read_once_and_named_by_its_workout() {
    let world = World::connected(Google::many(now()));
    world.ingest().expect(0);
    world.assert_truth();
    let runs: Vec<String> = world.provider.with(|sim| {
        let is_run =
            |p: &&crate::providers::google_health::Point| p.value["exercise"]["exerciseMetadata"]["hasGps"] == true;
        sim.points.iter().filter(is_run).map(|p| last_part(&p.id).to_owned()).collect()
    });
    let asked = world.provider.requests("exercise_tcx");
    assert!(runs.len() > 10 && asked.len() == runs.len(), "{} questions for {} runs", asked.len(), runs.len());
    assert!(asked.iter().all(|entry| entry.path.starts_with("/v4/users/me/dataTypes/exercise/dataPoints/")));
    let mut sql = world.sql();
    let named = "canonical.workouts w join google_health_raw.exercise_tcx t on w.track_ref = 'google_health_raw.exercise_tcx ' || t.source_id";
    assert_eq!(count(&mut sql, named), i64::try_from(runs.len()).expect("a count"));
    assert_eq!(count(&mut sql, "canonical.workouts where track_ref is not null and sport <> 'running'"), 0);
    // Nothing new: no track is asked for again. One whose exercise changed is.
    world.provider.clear_log();
    world.ingest().expect(0);
    assert_eq!(world.provider.requests("exercise_tcx").len(), 0);
    let changed = world.provider.with(|sim| {
        let runs = sim.points.iter_mut().filter(|p| p.value["exercise"]["exerciseMetadata"]["hasGps"] == true);
        let newest = runs.max_by_key(|p| p.at).expect("a run");
        newest.value["exercise"]["updateTime"] = json!("2026-11-20T17:59:00Z");
        last_part(&newest.id).to_owned()
    });
    world.ingest().expect(0);
    let asked = world.provider.requests("exercise_tcx");
    assert_eq!(asked.len(), 1);
    assert!(asked[0].path.ends_with(&format!("/{changed}:exportExerciseTcx")), "{}", asked[0].path);
    world.oracle().check();
}

#[test]
fn who_withholds_location_has_all_else_and_is_not_asked_again() {
    let world = World::new(Google::few(now()));
    let location = "https://www.googleapis.com/auth/googlehealth.location.readonly";
    world.provider.grants(|grants| grants.ticked.retain(|scope| scope != location));
    world.login();
    let run = world.ingest().expect(0);
    assert!(!run.stderr.contains("exercise_tcx") && !run.stderr.contains("grant"), "{}", run.report());
    assert_eq!(world.provider.requests("exercise_tcx").len(), 0);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "google_health_raw.exercise_tcx"), 0);
    assert!(count(&mut sql, "google_health_raw.exercise") > 0);
    assert_eq!(
        value(&mut sql, "select status from meta.import_runs order by run_id desc limit 1").as_deref(),
        Some("done")
    );
}
