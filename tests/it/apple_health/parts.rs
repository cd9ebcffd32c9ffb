//! Records that were imported before each account had a part of the table: the migration moves them, and nobody who reads
//! sees a difference.

use std::path::Path;

use serde_json::Value;

use super::Phone;
use super::digests::true_digests;
use super::exports::{Export, zipped};
use super::side::{entries, packed};
use crate::support::pg::Database;
use crate::support::rows::{count, rows, value};

const MOVING: &str = "V202611211211__apple_health_digests.sql";

/// All migrations as (name, text), in their order.
fn migrations() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut all = Vec::new();
    for scope in std::fs::read_dir(root).expect("scopes") {
        for file in std::fs::read_dir(scope.expect("a scope").path()).expect("files") {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            all.push((name, std::fs::read_to_string(path).expect("text")));
        }
    }
    all.sort();
    all
}

/// What people and models read, and how it is described and guarded.
fn shown(sql: &mut postgres::Client) -> Vec<Vec<Value>> {
    let all = [
        "select user_id, account_id, source_id, type, unit, source_name, device, start_at, end_at, value_text, tz_name, metadata, beat_s, run_id,
                missing_since_run_id, file_id, ordinal from apple_health_raw.published_records order by 1, 2, 3",
        "select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull, col_description(a.attrelid, a.attnum) as said
           from pg_attribute a join pg_class c on c.oid = a.attrelid
          where c.relnamespace = 'apple_health_raw'::regnamespace and a.attnum > 0 and not c.relispartition
            and c.relkind in ('r', 'p', 'v') and c.relname <> 'digests' order by 1, a.attnum",
        "select c.relname, c.relacl::text, pg_get_userbyid(c.relowner) as owner, c.reloptions,
                case when c.relkind = 'v' then pg_get_viewdef(c.oid) end as definition
           from pg_class c where c.relnamespace in ('apple_health_raw'::regnamespace, 'canonical'::regnamespace, 'api'::regnamespace)
            and not c.relispartition and c.relkind in ('r', 'p', 'v') and c.relname <> 'digests' order by c.relnamespace::regnamespace::text, 1",
        "select metric_code, start_at, value_num, value_code, flags from api.samples order by 1, 2, 3",
        "select contype, pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = 'apple_health_raw.records'::regclass order by 1, 2",
    ];
    all.iter().map(|query| rows(sql, query)).collect()
}

#[test]
fn rows_move_into_the_parts_of_their_accounts() {
    // Two people import; their rows are then put into tables as they were before.
    let phone = Phone::new();
    phone.import_text("export.zip", packed(&entries(&Export::year()))).expect(0);
    phone
        .sql()
        .batch_execute("insert into meta.users (user_id, label, home_tz) values (2, 'Kim', 'Asia/Tokyo')")
        .expect("a person");
    phone.home.health(&["--person", "Kim", "ingest", "apple-health", "export.zip"]).expect(0);
    let old = Database::empty();
    let mut sql = old.client();
    let (before, after): (Vec<_>, Vec<_>) = migrations().into_iter().partition(|(name, _)| name.as_str() < MOVING);
    assert_eq!(after[0].0, MOVING);
    sql.batch_execute("create schema if not exists meta; set search_path = pg_catalog").expect("a schema");
    for (name, text) in &before {
        sql.batch_execute(text).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    let tables = "select format('%I.%I', n.nspname, c.relname), (select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
                    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
                    from pg_class c join pg_namespace n on n.oid = c.relnamespace
                   where c.relkind = 'r' and n.nspname in ('meta', 'apple_health_raw')
                   order by c.relname <> 'users', c.relname <> 'source_systems', c.relname <> 'metrics', c.relname <> 'source_accounts', 1";
    for row in sql.query(tables, &[]).expect("tables") {
        let (table, columns): (String, String) = (row.get(0), row.get(1));
        let mut bytes = Vec::new();
        let mut from = phone.sql();
        let now = columns.replace("inner_sha256", "inner_digest"); // its name since then
        let mut reader = from.copy_out(&format!("copy (select {now} from {table}) to stdout")).expect("rows");
        std::io::Read::read_to_end(&mut reader, &mut bytes).expect("rows");
        sql.batch_execute(&format!("delete from {table}")).expect("an empty table");
        let mut writer = sql.copy_in(&format!("copy {table} from stdin")).expect("a table");
        std::io::Write::write_all(&mut writer, &bytes).expect("rows");
        writer.finish().unwrap_or_else(|error| panic!("{table}: {error:?}"));
    }
    let role = format!("reader_{}", old.name());
    sql.batch_execute(&format!("create role {role}; grant select, update on apple_health_raw.records to {role}"))
        .expect("a role");
    let was = shown(&mut sql);
    assert!(was[0].len() > 1000 && was[3].len() > 500, "{} and {} rows", was[0].len(), was[3].len());
    let mut apply = |(name, text): &(String, String)| {
        sql.batch_execute(&format!("begin; {text}; commit")).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    };
    apply(&after[0]);
    for (was, is) in was.iter().zip(shown(&mut old.client())) {
        assert!(*was == is, "{was:#?}\n{is:#?}");
    }
    after[1..].iter().for_each(apply);
    let parts = "select string_agg(inhrelid::regclass::text, ',' order by inhrelid::regclass::text) from pg_inherits where inhparent = 'apple_health_raw.records'::regclass";
    assert_eq!(value(&mut sql, parts).as_deref(), Some("apple_health_raw.records_1_1,apple_health_raw.records_2_1"));
    assert_eq!(count(&mut sql, "pg_class where relname like 'records_before%'"), 0);
    // Side files are those of the reader that read them; those that have another id now wait for the next import.
    for (side, files, is_gone) in
        [("routes", 4, true), ("ecgs", 2, true), ("clinical_records", 2, false), ("attachments", 2, false)]
    {
        let state = format!(
            "select count(*) || ' ' || bool_and((missing_since_run_id is not distinct from run_id) = {is_gone}) || ' ' || bool_and(parser_version > 0)
               from apple_health_raw.{side}"
        );
        assert_eq!(value(&mut sql, &state), Some(format!("{files} true true")), "{side}");
    }
    sql.batch_execute(&format!("drop owned by {role}; drop role {role}")).expect("no role");
}

/// The next import after the migration compares row by row, and from then on by days.
#[test]
fn without_digests_everything_is_compared_once() {
    let phone = Phone::new();
    let mut export = Export::year();
    phone.import_text("first.zip", zipped(&[("export.xml", &export.xml())])).expect(0);
    let (known, _) = true_digests(&phone);
    phone.sql().batch_execute("delete from apple_health_raw.digests").expect("as after the migration");
    let before = phone.raw();
    export.made = "2026-03-01".into();
    phone.import_text("second.zip", zipped(&[("export.xml", &export.xml())])).expect(0);
    assert!(phone.raw() == before);
    assert_eq!(true_digests(&phone), (known, 0));
}
