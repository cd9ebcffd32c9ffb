//! What single records may contain: kept as sent, understood where that is possible, never a crash.

use crate::providers::whoop::Whoop;
use crate::support::faults::{What, When};
use crate::support::provider::Simulation;
use crate::support::rows::{count, rows, value};
use crate::support::subject::Subject;
use crate::support::world::{World, now};

fn few() -> World<Whoop> {
    World::connected(Whoop::few(now()))
}

/// Changes the text of the newest workout; returns its id.
fn rewrite(world: &World<Whoop>, change: impl Fn(&str) -> String) -> String {
    rewrite_nth(world, 0, change)
}

/// Changes the text of a workout, counted from the newest; returns its id.
fn rewrite_nth(world: &World<Whoop>, n: usize, change: impl Fn(&str) -> String) -> String {
    world.provider.with(|w| {
        let user = w.person.profile.user_id;
        let last = w.person.workouts.iter_mut().nth_back(n).expect("a workout");
        last.state = crate::providers::whoop::records::Scored::Yes;
        let (id, text) = (last.id.clone(), last.text(user));
        let changed = change(&text);
        assert_ne!(changed, text);
        w.poisoned.insert(("workouts", id.clone()), changed);
        id
    })
}

fn stored(world: &World<Whoop>, id: &str) -> Option<String> {
    let found = format!("select max(payload::text) from whoop_raw.workouts where source_id = '{id}'");
    value(&mut world.sql(), &found)
}

#[track_caller]
fn accepted(world: &World<Whoop>, id: &str) {
    world.ingest().expect(0);
    let sent = world.provider.truth().raw[&("workouts".to_owned(), id.to_owned())].clone();
    assert_eq!(stored(world, id), Some(sent), "kept exactly as it was sent");
    assert_eq!(count(&mut world.sql(), &format!("canonical.workouts where raw_source_id = '{id}'")), 1);
}

#[test]
fn j1_an_unknown_field_is_kept() {
    let world = few();
    let id = rewrite(&world, |text| text.replacen('{', r#"{"mood_ring":{"colour":"blue"},"#, 1));
    accepted(&world, &id);
    world.oracle().check();
}

#[test]
fn j3_a_number_as_text_is_still_a_number() {
    let world = few();
    let id = rewrite(&world, |text| text.replace(r#""percent_recorded":100.0"#, r#""percent_recorded":"100.0""#));
    accepted(&world, &id);
    world.oracle().check();
}

#[test]
fn j6_when_nothing_is_usable_the_fuse_goes() {
    let world = World::connected(Whoop::many(now()));
    let mut faults = vec![];
    for resource in Whoop::LISTINGS {
        let key = if *resource == "recoveries" { "cycle_id" } else { "id" };
        let (from, to) = (format!(r#"{{"{key}":"#), format!(r#"{{"{key}_v3":"#));
        faults.push(world.fault(When::resource(resource), What::edit(move |body| body.replace(&from, &to))));
    }
    world.ingest().expect(6);
    let mut sql = world.sql();
    for resource in Whoop::LISTINGS {
        assert!(
            !crate::support::rows::covers(&mut sql, resource, "2026-11-10T00:00:00Z"),
            "{resource}: coverage moved"
        );
    }
    faults.iter().fold(world.oracle(), super::support::oracle::Oracle::fired).check();
}

#[test]
fn j12_a_huge_record_costs_itself_alone() {
    let world = few();
    rewrite(&world, |text| text.replacen('{', &format!(r#"{{"note":"{}","#, "x".repeat(17 << 20)), 1));
    world.ingest().expect(3);
    world.oracle().may_end_with(3).check();
}

#[test]
fn j13_deep_nesting_costs_one_record() {
    let world = few();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    rewrite(&world, |text| text.replacen('{', &format!(r#"{{"deep":{deep},"#), 1));
    world.ingest().expect(3);
    world.oracle().may_end_with(3).check();
}

#[test]
fn j14_duplicate_keys_stay_in_raw() {
    let world = few();
    let id = rewrite(&world, |text| text.replacen('{', r#"{"user_id":4101001,"#, 1));
    accepted(&world, &id);
    world.oracle().check();
}

#[test]
fn j15_other_spacing_is_a_new_version_of_raw_alone() {
    let world = World::<Whoop>::loaded_few();
    let mut sql = world.sql();
    let all = "select to_jsonb(w) - array['raw_hash','run_id','updated_at'] as row from canonical.workouts w order by workout_id";
    let before = rows(&mut sql, all);
    world.provider.with(|w| {
        let user = w.person.profile.user_id;
        let last = w.person.workouts.last().expect("a workout");
        let text = last.text(user).replace(",\"", ", \"");
        w.poisoned.insert(("workouts", last.id.clone()), text);
    });
    world.ingest().expect(0);
    assert_eq!(count(&mut sql, "whoop_raw.history where resource = 'workouts'"), 1);
    assert_eq!(before, rows(&mut sql, all));
    assert_eq!(count(&mut sql, "canonical.row_history"), 0, "no value changed");
    world.oracle().check();
}

#[test]
fn j16_digits_are_kept() {
    let world = few();
    let id = rewrite(&world, |text| {
        text.replace(r#""percent_recorded":100.0"#, r#""percent_recorded":72.300000000000000001"#)
    });
    accepted(&world, &id);
    world.oracle().check();
}

#[test]
fn j19_an_implausible_value_is_flagged_not_dropped() {
    let world = few();
    let cycle = world.provider.with(|w| {
        let last = w
            .person
            .recoveries
            .iter_mut()
            .rfind(|r| r.state == crate::providers::whoop::records::Scored::Yes)
            .expect("a recovery");
        last.resting = "900.0".into();
        last.cycle_id
    });
    world.ingest().expect(0);
    let found = rows(
        &mut world.sql(),
        &format!(
            "select * from canonical.biometrics_vitals where metric_code = 'heart_rate_resting' and raw_source_id = '{cycle}'"
        ),
    );
    assert_eq!(found.len(), 1);
    assert!(found[0]["flags"].to_string().contains("implausible"), "{}", found[0]);
    assert!(found[0]["quality"].as_f64().is_some_and(|q| q < 0.2), "{}", found[0]);
    world.oracle().check();
}

#[test]
fn j24_any_text_is_text() {
    let world = few();
    let names = [
        r"\u202egnp.exe",
        "\u{1f3c3}\u{200d}\u{2640}\u{fe0f}",
        r"a\u001b[31mred",
        r"x\n\t\\ \u00e9",
        "'); drop table canonical.workouts; --",
    ];
    let rename = |text: &str, name: &str| {
        let at = text.find(r#""sport_name":""#).expect("a sport") + 14;
        let end = at + text[at..].find('"').expect("its end");
        format!("{}{name}{}", &text[..at], &text[end..])
    };
    let ids = names.iter().enumerate().map(|(n, name)| rewrite_nth(&world, n, |text| rename(text, name)));
    let ids: Vec<String> = ids.collect();
    for id in &ids {
        accepted(&world, id);
    }
    world.oracle().check();
    for run in world.home.runs() {
        let printed = format!("{}{}", run.stdout, run.stderr);
        let control = printed.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
        assert!(!control, "control characters\n{}", run.report());
    }
}

#[test]
fn j25_objects_used_as_maps() {
    let world = few();
    let many: Vec<String> = (0..1000).map(|n| format!(r#""key{n}":{n}"#)).collect();
    let id = rewrite(&world, |text| text.replacen('{', &format!(r#"{{"by_day":{{{}}},"#, many.join(",")), 1));
    accepted(&world, &id);
    world.oracle().check();
}

#[test]
fn a_member_without_records() {
    let world = World::connected(Whoop::nobody());
    world.ingest().expect(0);
    world.oracle().check();
}

#[test]
fn rejects_are_listed_shown_and_resolved() {
    let world = few();
    world.provider.with(|w| w.poison(crate::support::subject::Poison::NoStart));
    world.ingest().expect(3).says("health rejects");
    let list = world.health(&["rejects", "list", "--json"]).expect(0).json();
    let text = list.to_string();
    assert!(text.contains("workouts"), "{text}");
    let id = value(&mut world.sql(), "select reject_id from meta.rejects").expect("a reject");
    world.health(&["rejects", "show", &id]).expect(0);
    world.provider.with(|w| w.poisoned.clear());
    world.ingest().expect(0);
    assert_eq!(
        count(&mut world.sql(), "meta.rejects where resolved_run_id is null"),
        0,
        "the record was used after all"
    );
    world.oracle().check();
}

#[test]
fn a_person_is_the_same_at_the_provider_every_day() {
    let world = World::<Whoop>::loaded_few();
    let truth = world.provider.truth();
    assert_eq!(truth.of("user_identity"), 1);
    assert!(truth.records() > 30);
    assert_eq!(
        value(&mut world.sql(), "select external_user_id from meta.source_accounts").as_deref(),
        Some("4101001")
    );
    world.provider.with(|w| w.set_now(now()));
    world.oracle().check();
}

#[test]
fn j5_a_row_that_canonical_refuses_is_told_once() {
    let world = World::<Whoop>::loaded_few();
    world.provider.with(|w| {
        let user = w.person.profile.user_id;
        let spoilt = w.person.recoveries.iter_mut().nth_back(4).expect("a recovery");
        spoilt.state = crate::providers::whoop::records::Scored::Yes;
        let (score, resting) = (spoilt.score.clone(), spoilt.resting.clone());
        let text = spoilt.text(user);
        let changed = text
            .replace(&format!(r#""recovery_score":{score}"#), r#""recovery_score":"much""#)
            .replace(&format!(r#""resting_heart_rate":{resting}"#), r#""resting_heart_rate":"slow""#);
        assert_ne!(changed, text);
        w.poisoned.insert(("recoveries", spoilt.cycle_id.to_string()), changed);
    });
    let refused = "meta.rejects where resolved_run_id is null";
    // Two models refuse it, and it is one record.
    world.ingest().expect(3).says("1 of ");
    assert_eq!(count(&mut world.sql(), refused), 2);
    // A night changes, for whose sake the models of recoveries read all of them again: nothing new is wrong.
    world.provider.with(Whoop::edit_recent);
    world.ingest().expect(0);
    assert_eq!(count(&mut world.sql(), &format!("{refused} and times = 2")), 2, "met again, and still open");
    let status = world.health(&["status", "--json"]).expect(0).json();
    assert_eq!(status["sources"][0]["rejects"], 2);
    world.health(&["transform", "whoop", "--rebuild"]).expect(3);
}

#[test]
fn j5_a_refused_newer_version_leaves_no_old_value_as_current() {
    let world = World::<Whoop>::loaded_few();
    let (cycle, score) = world.provider.with(|w| {
        let user = w.person.profile.user_id;
        let scored =
            |r: &&crate::providers::whoop::records::Recovery| r.state == crate::providers::whoop::records::Scored::Yes;
        let spoilt = w.person.recoveries.iter().rfind(scored).expect("a recovery");
        let said = format!(r#""recovery_score":{}"#, spoilt.score);
        let changed = spoilt.text(user).replace(&said, r#""recovery_score":"abc""#);
        w.poisoned.insert(("recoveries", spoilt.cycle_id.to_string()), changed);
        (spoilt.cycle_id, spoilt.score.clone())
    });
    let mut sql = world.sql();
    let live = format!("canonical.scores where kind = 'recovery' and raw_source_id = '{cycle}' and retired_at is null");
    assert_eq!(count(&mut sql, &live), 1, "{score}");
    world.ingest().expect(3);
    assert_eq!(count(&mut sql, &live), 0, "{score} is not what WHOOP says now");
    let retired =
        format!("select retired_reason from canonical.scores where kind = 'recovery' and raw_source_id = '{cycle}'");
    assert_eq!(value(&mut sql, &retired).as_deref(), Some("superseded"), "kept, and marked");
    let vitals = format!("canonical.biometrics_vitals where raw_source_id = '{cycle}' and retired_at is null");
    assert!(count(&mut sql, &vitals) > 0, "the rest of the record can be used");
    // From raw alone it comes out the same.
    let all = "select to_jsonb(x) - array['run_id','created_at','updated_at'] as row from canonical.scores x where retired_at is null order by 1";
    let before = rows(&mut sql, all);
    world.health(&["transform", "whoop", "--rebuild"]).expect(3);
    assert_eq!(before, rows(&mut sql, all));
    sql.batch_execute("delete from canonical.scores").expect("an emptied table");
    world.health(&["transform", "whoop", "--rebuild"]).expect(3);
    assert_eq!(before, rows(&mut sql, all));
    // The next usable version brings it back.
    world.provider.with(|w| w.poisoned.clear());
    world.ingest().expect(0);
    assert_eq!(count(&mut sql, &live), 1);
    world.oracle().check();
}
