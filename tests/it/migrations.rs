//! `health migrate` and what guards it: empty, foreign, newer, edited, twice, two at once (docs/exit-codes.md).

use crate::providers::whoop::Whoop;
use crate::support::cli::{Home, Run};
use crate::support::pg::{Database, with_database};
use crate::support::rows::{count, tables, value};
use crate::support::subject::Subject;
use crate::support::world::{World, now};

/// A machine with a database that nobody has migrated.
fn empty() -> (Home, Database) {
    let (home, db) = (Home::new(), Database::empty());
    home.set("HEALTH_DATABASE_URL", &db.url);
    (home, db)
}

fn migrated() -> (Home, Database) {
    let (home, db) = (Home::new(), Database::migrated());
    home.set("HEALTH_DATABASE_URL", &db.url);
    (home, db)
}

fn schema(db: &Database) -> Vec<(String, String)> {
    tables(&mut db.client(), "meta|canonical|api|%\\_raw|public")
}

#[test]
fn an_empty_database_becomes_ours() {
    let (home, db) = empty();
    let run = home.health(&["migrate"]).expect(0);
    assert!(run.report().contains(db.name()), "which database was it?\n{}", run.report());
    let mut sql = db.client();
    let schemas = "select string_agg(nspname, ' ' order by nspname) from pg_namespace where nspname in ('meta','canonical','api','whoop_raw')";
    assert_eq!(value(&mut sql, schemas).as_deref(), Some("api canonical meta whoop_raw"));
    for table in
        ["user_basic_profile", "user_body_measurement", "cycles", "sleeps", "recoveries", "workouts", "history"]
    {
        assert_eq!(count(&mut sql, &format!("whoop_raw.{table}")), 0);
    }
    let dictionary = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/canonical/metrics.csv"));
    let metrics = dictionary.expect("the metric dictionary").lines().count() - 1;
    assert!(metrics >= 122, "the metric dictionary shrank to {metrics}");
    assert_eq!(count(&mut sql, "meta.metrics"), i64::try_from(metrics).expect("a number"));
    assert_eq!(count(&mut sql, "meta.source_systems where source_system = 'whoop'"), 1);
    assert_eq!(count(&mut sql, "meta.users"), 1, "the first person");
    assert!(count(&mut sql, "meta.refinery_schema_history") > 0);
    // Every table and column explains itself.
    let silent = "pg_class c join pg_namespace n on n.oid = c.relnamespace
                   where n.nspname in ('meta','canonical','api') and c.relkind in ('r','v') and c.relname <> 'refinery_schema_history'
                     and obj_description(c.oid) is null";
    assert_eq!(count(&mut sql, silent), 0, "tables without a comment");
    let silent = "pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
                   where n.nspname in ('meta','canonical') and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
                     and c.relname <> 'refinery_schema_history' and col_description(c.oid, a.attnum) is null";
    assert_eq!(count(&mut sql, silent), 0, "columns without a comment");
}

#[test]
fn twice_is_once() {
    let (home, db) = empty();
    home.health(&["migrate"]).expect(0);
    let before = schema(&db);
    let mut sql = db.client();
    let history =
        value(&mut sql, "select md5(string_agg(h::text, ',' order by version)) from meta.refinery_schema_history h");
    home.health(&["migrate"]).expect(0);
    assert_eq!(before, schema(&db));
    assert_eq!(
        history,
        value(&mut sql, "select md5(string_agg(h::text, ',' order by version)) from meta.refinery_schema_history h")
    );
}

#[test]
fn two_at_once_end_well() {
    let (home, db) = empty();
    let running: Vec<_> = (0..4).map(|_| home.start(&["migrate"])).collect();
    let codes: Vec<i32> = running.into_iter().map(|r| r.wait(&home).expect_one_of(&[0, 10]).code).collect();
    assert!(codes.contains(&0), "{codes:?}");
    // Only the one that did it says so.
    let did = home.runs().iter().filter(|run| run.stderr.contains("schema 0 is now")).count();
    assert_eq!(did, 1, "{:#?}", home.runs());
    home.health(&["migrate"]).expect(0);
    assert_eq!(
        count(&mut db.client(), "(select version from meta.refinery_schema_history group by 1 having count(*) > 1) x"),
        0
    );
}

#[test]
fn what_postgresql_says_is_told_in_its_words() {
    let (home, db) = empty();
    // Somebody else's table stands where a migration wants to make one.
    home.health(&["migrate"]).expect(0);
    let mut sql = db.client();
    sql.batch_execute("drop schema meta cascade; drop schema api cascade").expect("half a schema");
    let run = home.health(&["migrate", "--adopt"]).expect(9).says("PostgreSQL says 42");
    assert!(!run.stderr.contains("error applying migrations"), "{}", run.report());
    assert_eq!(run.next(), "health migrate --check");
}

#[test]
fn a_name_that_nobody_has_is_not_passed_over() {
    let (home, _db) = empty();
    home.health(&["--person", "Ann", "migrate"]).expect(0);
    home.health(&["--person", "Bob", "migrate"]).expect(13).says("nobody here is called \"Bob\"");
    home.health(&["--person", "Ann", "status"]).expect(0);
}

#[test]
fn after_a_login_the_next_step_is_not_a_login() {
    let world = World::on(Whoop::few(now()), Database::empty());
    world.login();
    let run = world.health(&["migrate"]).expect(0).says("Next:  health ingest whoop");
    assert!(!run.stderr.contains("health auth"), "{}", run.report());
}

#[test]
fn a_foreign_database_is_not_touched() {
    let (home, db) = empty();
    let mut sql = db.client();
    sql.batch_execute(
        "create table customers (id int primary key); create table orders (id int); insert into customers values (1)",
    )
    .expect("a shop");
    for args in [vec!["migrate"], vec!["ingest", "whoop"], vec!["status"], vec!["transform"]] {
        let run = home.health(&args);
        assert_eq!(run.code, 9, "{}", run.report());
    }
    let run = home.health(&["migrate"]).expect(9);
    assert!(run.stderr.contains("none of ours") && run.stderr.contains('2'), "{}", run.report());
    assert!(run.stderr.contains("nothing was touched"), "{}", run.report());
    assert_eq!(
        schema(&db),
        [("public".to_owned(), "customers".to_owned()), ("public".to_owned(), "orders".to_owned())]
    );
}

#[test]
fn a_newer_schema_is_left_alone() {
    let (home, db) = migrated();
    let newer = "insert into meta.refinery_schema_history (version, name, applied_on, checksum)
                 values (209901010000, 'core_of_tomorrow', '2099-01-01T00:00:00Z', '1')";
    db.client().batch_execute(newer).expect("a newer schema");
    let before = schema(&db);
    for args in [vec!["migrate"], vec!["ingest", "whoop"], vec!["transform"], vec!["daily-refresh"]] {
        let run = home.health(&args);
        assert_eq!(run.code, 9, "{}", run.report());
        assert!(run.stderr.contains("209901010000"), "{}", run.report());
    }
    assert_eq!(before, schema(&db));
}

#[test]
fn an_edited_migration_is_noticed() {
    let (home, db) = migrated();
    db.client()
        .batch_execute("update meta.refinery_schema_history set checksum = '12345' where version = (select min(version) from meta.refinery_schema_history)")
        .expect("an edit");
    home.health(&["migrate"]).expect(9);
    home.health(&["migrate", "--check"]).expect(9);
}

#[test]
fn not_migrated_says_how() {
    let (home, _db) = empty();
    for args in
        [vec!["ingest", "whoop"], vec!["transform"], vec!["status"], vec!["rejects", "list"], vec!["daily-refresh"]]
    {
        let run: Run = home.health(&args).expect(9);
        assert!(run.next().contains("health migrate"), "{}", run.report());
    }
}

#[test]
fn an_older_schema_says_how() {
    let (home, db) = migrated();
    db.client()
        .batch_execute("delete from meta.refinery_schema_history where version = (select max(version) from meta.refinery_schema_history)")
        .expect("an older schema");
    let run = home.health(&["ingest", "whoop"]).expect(9);
    assert!(run.next().contains("health migrate"), "{}", run.report());
}

#[test]
fn check_only_looks() {
    let (home, db) = empty();
    let said = home.health(&["migrate", "--check", "--json"]).expect(0).json();
    assert_eq!(said["result"]["next"], serde_json::json!(["health migrate"]), "nothing was migrated yet");
    assert_eq!(schema(&db), []);
    home.health(&["migrate", "--dry-run"]).expect_one_of(&[0, 9]);
    assert_eq!(schema(&db), []);
}

#[test]
fn a_missing_database_and_a_missing_role() {
    let (home, db) = empty();
    home.set("HEALTH_DATABASE_URL", &with_database(&db.url, "no_such_database_here"));
    let run = home.health(&["migrate"]).expect(9);
    assert!(run.stderr.contains("no_such_database_here"), "{}", run.report());
}

#[test]
fn a_read_only_database_is_a_schema_matter() {
    let (home, db) = migrated();
    let name = db.name();
    Database::server()
        .batch_execute(&format!("alter database {name} set default_transaction_read_only = on"))
        .expect("read-only");
    home.health(&["transform"]).expect(9);
}

#[test]
fn a_stranger_in_the_way_is_kept() {
    let (home, db) = empty();
    home.health(&["migrate"]).expect(0);
    let mut sql = db.client();
    // A view of the user's over our table must survive every later migration.
    sql.batch_execute(
        "create schema mine; create view mine.nights as select user_id, local_date from canonical.sleep_sessions",
    )
    .expect("a view");
    home.health(&["migrate"]).expect(0);
    assert_eq!(count(&mut sql, "mine.nights"), 0);
}

#[test]
fn the_session_does_not_depend_on_the_role() {
    let (home, db) = migrated();
    let name = db.name();
    let mut server = Database::server();
    for setting in [
        "timezone = 'Asia/Kathmandu'",
        "search_path = 'pg_temp'",
        "datestyle = 'German, DMY'",
        "extra_float_digits = -10",
    ] {
        server.batch_execute(&format!("alter database {name} set {setting}")).expect("a setting");
    }
    home.health(&["migrate"]).expect(0);
    home.health(&["transform"]).expect(0);
    home.health(&["status"]).expect_one_of(&[0, 13]);
}
