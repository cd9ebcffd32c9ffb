//! Canonical rows of WHOOP: stated by hand for the fixture records, and the same however they came about.

use std::time::Duration;

use crate::providers::whoop::Whoop;
use crate::support::rows::{count, rows, value};
use crate::support::subject::Subject;
use crate::support::world::{World, now};

#[test]
fn the_fixture_becomes_the_rows_stated_by_hand() {
    let world = World::connected(Whoop::of_fixture());
    world.ingest().expect(0);
    assert_eq!(world.provider.truth().canonical.len(), 25);
    world.oracle().check();
}

#[test]
fn a_late_score_replaces_the_pending_night() {
    let world = World::connected(Whoop::of_fixture());
    let steps = crate::providers::whoop::fixture::pages("sleep_pending_then_scored.json");
    let night = "5b0c3a52-1a62-4b7e-9f53-2f3b5f6f0a01";
    let put = |record: &str| {
        world.provider.with(|w| {
            let sleeps = w.fixture.as_mut().expect("a fixture").records.get_mut("sleeps").expect("sleeps");
            let at = sleeps.iter().position(|s| s.contains(night)).expect("the night");
            sleeps[at] = record.to_owned();
        });
    };
    put(&steps[0][0]);
    world.ingest().expect(0);
    let mut sql = world.sql();
    let of = |column: &str| format!("select {column} from canonical.sleep_sessions where raw_source_id = '{night}'");
    assert_eq!(value(&mut sql, &of("is_final")).as_deref(), Some("false"));
    assert_eq!(value(&mut sql, &of("light_s")), None, "unknown is null");
    let id = value(&mut sql, &of("sleep_id"));
    put(&steps[1][0]);
    world.later(Duration::from_hours(1));
    world.ingest().expect(0);
    assert_eq!(value(&mut sql, &of("is_final")).as_deref(), Some("true"));
    assert_eq!(value(&mut sql, &of("light_s")).as_deref(), Some("13503"));
    assert_eq!(value(&mut sql, &of("sleep_id")), id, "the same row");
    assert_eq!(
        count(&mut sql, "canonical.row_history where entity = 'sleep_sessions'"),
        1,
        "the earlier state is kept"
    );
    // What WHOOP said first stays reachable.
    let first = format!("select payload->>'score_state' from whoop_raw.history where source_id = '{night}'");
    assert_eq!(value(&mut sql, &first).as_deref(), Some("PENDING_SCORE"));
    world.oracle().check();
}

#[test]
fn an_edited_body_is_a_second_measurement() {
    let world = World::<Whoop>::loaded_few();
    world.later(Duration::from_hours(24));
    world.ingest().expect(0);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "whoop_raw.user_body_measurement"), 1, "the same value is not a new snapshot");
    world.provider.with(|w| w.person.body.as_mut().expect("a body").weight_kilogram = "73.9".into());
    world.later(Duration::from_hours(24));
    world.ingest().expect(0);
    let weights = rows(
        &mut sql,
        "select value_num from canonical.biometrics_vitals where metric_code = 'weight' and retired_at is null order by observed_at",
    );
    assert_eq!(weights.iter().map(|w| w["value_num"].to_string()).collect::<Vec<_>>(), ["74.3", "73.9"]);
    world.oracle().check();
}

#[test]
fn another_maximum_heart_rate_is_no_other_weight() {
    let world = World::<Whoop>::loaded_few();
    world.provider.with(|w| w.person.body.as_mut().expect("a body").max_heart_rate = 181);
    world.later(Duration::from_hours(24));
    world.ingest().expect(0);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "whoop_raw.user_body_measurement"), 2, "a snapshot is what was sent");
    let of =
        |metric: &str| format!("canonical.biometrics_vitals where metric_code = '{metric}' and retired_at is null");
    assert_eq!((count(&mut sql, &of("weight")), count(&mut sql, &of("height"))), (1, 1));
    // One value changes: one new measurement, and the other stays alone.
    world.provider.with(|w| w.person.body.as_mut().expect("a body").weight_kilogram = "73.9".into());
    world.later(Duration::from_hours(24));
    world.ingest().expect(0);
    assert_eq!((count(&mut sql, &of("weight")), count(&mut sql, &of("height"))), (2, 1));
    world.oracle().check();
}

#[test]
fn without_a_cycle_a_body_is_dated_at_home() {
    let world = World::connected(Whoop::nobody());
    world.sql().batch_execute("update meta.users set home_tz = 'Asia/Tokyo'").expect("a home");
    world.ingest().expect(0); // 18:00 UTC is tomorrow in Tokyo
    let found = rows(
        &mut world.sql(),
        "select local_date, utc_offset_s, tz_basis, flags from canonical.biometrics_vitals where metric_code = 'weight'",
    );
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["local_date"], "2026-11-21");
    assert_eq!((found[0]["utc_offset_s"].as_i64(), found[0]["tz_basis"].as_str()), (Some(32_400), Some("home")));
    assert!(!found[0]["flags"].to_string().contains("tz_unknown"), "{}", found[0]);
}

#[test]
fn a_recovery_outlives_its_sleep() {
    // WHOOP no longer has the night, and still lists its recovery: it stays, on the same day, its instant no longer known.
    let world = World::<Whoop>::loaded_few();
    let (cycle, sleep) = world.provider.with(|w| {
        let recent = now() - chrono::TimeDelta::days(4);
        let scored = |r: &&crate::providers::whoop::records::Recovery| {
            r.created < recent && r.state == crate::providers::whoop::records::Scored::Yes
        };
        let found = w.person.recoveries.iter().rfind(scored).expect("a recovery");
        let found = (found.cycle_id, found.sleep_id.clone());
        w.person.sleeps.retain(|s| s.id != found.1);
        found
    });
    let mut sql = world.sql();
    let day = format!(
        "select local_date from canonical.biometrics_vitals where metric_code = 'hrv_rmssd' and raw_source_id = '{cycle}'"
    );
    let before = value(&mut sql, &day);
    world.ingest().expect(0);
    let gone =
        format!("canonical.sleep_sessions where raw_source_id = '{sleep}' and retired_reason = 'missing_upstream'");
    assert_eq!(count(&mut sql, &gone), 1);
    assert_eq!(count(&mut sql, "whoop_raw.recoveries where missing_since_run_id is not null"), 0);
    assert_eq!(value(&mut sql, &day), before);
    for table in ["biometrics_vitals", "scores"] {
        let live = format!(
            "canonical.{table} where raw_table = 'whoop_raw.recoveries' and raw_source_id = '{cycle}' and retired_at is null"
        );
        let all = count(&mut sql, &live);
        assert!(all > 0, "{table}");
        let inferred = format!("{live} and observed_at is null and 'day_inferred' = any (flags)");
        assert_eq!(count(&mut sql, &inferred), all, "{table}");
    }
}

#[test]
fn history_steps_are_enough_for_a_rebuild() {
    // Late scores, an edit, a deletion, another day: incremental and rebuilt rows are the same.
    let mut sim = Whoop::many(now());
    sim.pending_last_night();
    let world = World::loaded(sim);
    world.provider.with(Whoop::score_last_night);
    world.ingest().expect(0);
    world.later(Duration::from_hours(24));
    world.provider.with(|w| {
        w.next_day();
        w.edit_recent();
        w.remove_recent();
    });
    world.ingest().expect(0);
    let mut sql = world.sql();
    let all = |table: &str| {
        format!(
            "select to_jsonb(x) - array['run_id','created_at','updated_at'] as row from canonical.{table} x where retired_at is null order by 1"
        )
    };
    for table in ["user_identity", "sleep_sessions", "workouts", "biometrics_vitals", "scores", "daily_summaries"] {
        let before = rows(&mut sql, &all(table));
        assert!(!before.is_empty(), "{table} is empty");
        sql.batch_execute(&format!("delete from canonical.{table}")).expect("an emptied table");
        world.health(&["transform", "whoop", "--rebuild"]).expect(0);
        assert_eq!(before, rows(&mut sql, &all(table)), "{table}");
    }
    world.oracle().check();
}

#[test]
fn ids_are_the_digest_of_their_origin() {
    let world = World::<Whoop>::loaded_few();
    let mut sql = world.sql();
    for (table, id) in [
        ("sleep_sessions", "sleep_id"),
        ("workouts", "workout_id"),
        ("scores", "score_id"),
        ("biometrics_vitals", "vital_id"),
    ] {
        let wrong = format!(
            "canonical.{table} where {id} <> md5(source_system || '|' || account_id || '|' || raw_source_id || '|' || raw_path)::uuid"
        );
        assert_eq!(count(&mut sql, &wrong), 0, "{table}");
    }
}

#[test]
fn show_prints_a_statement_that_runs() {
    let world = World::<Whoop>::loaded_few();
    // One model is a SELECT, the other begins with WITH.
    for (model, rows) in
        [("whoop.sleep_sessions", world.provider.truth().of("sleep_sessions")), ("apple-health.daily_summaries", 0)]
    {
        let shown = world.health(&["transform", "--show", model]).expect(0).stdout;
        assert!(shown.contains("changed"), "{shown}");
        let made = world.sql().query(shown.trim().trim_end_matches(';'), &[]).expect("a statement for psql").len();
        assert_eq!(made, rows, "{model}");
    }
}

#[test]
fn the_api_views_show_the_night() {
    let world = World::<Whoop>::loaded_few();
    let mut sql = world.sql();
    assert!(count(&mut sql, "api.sleep_night_preferred") >= 12);
    assert!(count(&mut sql, "api.workouts_preferred") >= 5);
    assert!(count(&mut sql, "api.daily_preferred") >= 10);
}

#[test]
fn a_night_without_a_score_is_not_made_of_its_naps() {
    let world = World::<Whoop>::loaded_many();
    let mut sql = world.sql();
    let napped = "select min(local_date) from canonical.sleep_sessions where kind = 'nap' and asleep_s is not null";
    let day = format!("from api.sleep_day where local_date = ({napped})");
    let whole = value(&mut sql, &format!("select asleep_s > extra_asleep_s and in_bed_s > asleep_s {day}"));
    assert_eq!(whole.as_deref(), Some("true"), "night and nap");
    sql.batch_execute(&format!(
        "update canonical.sleep_sessions set asleep_s = null, in_bed_s = null where kind = 'main' and local_date = ({napped})"
    ))
    .expect("a night that is not scored");
    assert_eq!(value(&mut sql, &format!("select asleep_s {day}")), None, "unknown, and not the nap alone");
    assert_eq!(value(&mut sql, &format!("select in_bed_s {day}")), None);
    assert_eq!(value(&mut sql, &format!("select extra_asleep_s > 0 {day}")).as_deref(), Some("true"));
}

#[test]
fn stages_stay_inside_the_night() {
    let world = World::<Whoop>::loaded_many();
    let wrong =
        "canonical.sleep_sessions where asleep_s > in_bed_s or in_bed_s > extract(epoch from end_at - start_at) + 60
                  or abs(light_s + deep_s + rem_s + coalesce(asleep_unstaged_s, 0) - asleep_s) > 120";
    assert_eq!(count(&mut world.sql(), wrong), 0);
}

#[test]
fn rows_refer_to_metrics_and_sources_that_are_known() {
    let world = World::loaded(Whoop::few(now()));
    let mut sql = world.sql();
    sql.batch_execute(
        "insert into meta.source_systems
         select (jsonb_populate_record(s, '{\"source_system\": \"other\"}')).* from meta.source_systems s where source_system = 'whoop';
         update canonical.user_identity set source_system = 'other'",
    )
    .expect("another source");
    let mut refused = |statement: &str, rule: &str| {
        let error = sql.batch_execute(statement).expect_err(statement);
        let said = error.as_db_error().expect("the server's word");
        assert_eq!(said.code().code(), "23503", "{statement}: {}", said.message());
        assert!(
            said.constraint().or(Some(said.message())).is_some_and(|words| words.contains(rule)),
            "{statement}: {said}"
        );
    };
    refused("update canonical.biometrics_vitals set metric_code = 'nonsense'", "biometrics_vitals_metric_code_fkey");
    refused("update canonical.daily_summaries set metric_code = 'nonsense'", "daily_summaries_metric_code_fkey");
    for table in ["biometrics_vitals", "daily_summaries", "sleep_sessions", "workouts", "scores", "user_identity"] {
        let rule = format!("{table}_source_system_fkey");
        refused(&format!("update canonical.{table} set source_system = 'nobody'"), &rule);
        let copy = format!(
            "create temp table one as select * from canonical.{table} limit 1;
             update one set source_system = 'nobody';
             delete from canonical.{table};
             insert into canonical.{table} select * from one"
        );
        refused(&copy, &rule);
    }
    refused("delete from meta.metrics where metric_code = 'weight'", "canonical.biometrics_vitals refers to this row");
    let of_days = "delete from meta.metrics m where exists (select from canonical.daily_summaries d where d.metric_code = m.metric_code)";
    refused(of_days, "refers to this row");
    refused(
        "delete from meta.source_systems where source_system = 'other'",
        "canonical.user_identity refers to this row",
    );
    sql.batch_execute("delete from meta.metrics where metric_code = 'copper_intake'").expect("a metric of no row");
}

#[test]
fn parts_have_a_row_and_go_with_it() {
    let world = World::loaded(Whoop::few(now()));
    let mut sql = world.sql();
    let stages = "insert into canonical.sleep_stages (user_id, sleep_id, seq, start_at, end_at, stage)
                  select user_id, sleep_id, 0, start_at, end_at, 'light' from canonical.sleep_sessions";
    sql.batch_execute(stages).expect("a stage of each night");
    for nowhere in [
        "update canonical.sleep_stages set sleep_id = gen_random_uuid()",
        "insert into canonical.sleep_stages (user_id, sleep_id, seq, start_at, end_at, stage) select user_id, gen_random_uuid(), seq, start_at, end_at, stage from canonical.sleep_stages limit 1",
    ] {
        let error = sql.batch_execute(nowhere).expect_err(nowhere);
        let said = error.as_db_error().expect("the server's word");
        assert_eq!((said.code().code(), said.constraint()), ("23503", Some("sleep_stages_sleep_id_fkey")));
    }
    let nights = count(&mut sql, "canonical.sleep_sessions");
    assert!(nights > 1);
    sql.batch_execute("delete from canonical.sleep_sessions where sleep_id = (select min(sleep_id::text)::uuid from canonical.sleep_sessions)")
        .expect("a night less");
    assert_eq!(count(&mut sql, "canonical.sleep_stages"), nights - 1);
    sql.batch_execute(
        "insert into canonical.sample_origins (user_id, origin_id, source_system, account_id, raw_table, raw_source_id, raw_hash, run_id, mapping_version)
         select user_id, sleep_id, source_system, account_id, raw_table, raw_source_id, raw_hash, run_id, mapping_version from canonical.sleep_sessions;
         insert into canonical.sample_points (user_id, metric_code, start_at, origin_id, seq, local_date, value_num)
         select user_id, 'heart_rate', created_at, origin_id, place, created_at::date, 60 from canonical.sample_origins, generate_series(0, 2) place;
         delete from canonical.sample_origins where origin_id = (select min(origin_id::text)::uuid from canonical.sample_origins)",
    )
    .expect("a series less");
    assert_eq!(count(&mut sql, "canonical.sample_points"), 3 * (nights - 2));
}
