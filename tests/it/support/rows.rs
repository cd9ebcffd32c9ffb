//! Looking into the database: rows as JSON, fingerprints that show any write, dumps of all text.

use std::collections::BTreeMap;

use postgres::Client;
use serde_json::Value;

/// The rows of a query, each as one JSON object.
#[track_caller]
pub fn rows(client: &mut Client, sql: &str) -> Vec<Value> {
    let wrapped = format!("select to_jsonb(q)::text from ({sql}) q");
    let rows = client.query(&wrapped, &[]).unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    rows.iter().map(|r| serde_json::from_str(r.get(0)).expect("JSON")).collect()
}

/// The single value of a query, as text.
#[track_caller]
pub fn value(client: &mut Client, sql: &str) -> Option<String> {
    let row = client
        .query_one(&format!("select (q.v)::text from ({sql}) q(v)"), &[])
        .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    row.get(0)
}

#[track_caller]
pub fn count(client: &mut Client, sql: &str) -> i64 {
    client.query_one(&format!("select count(*) from {sql}"), &[]).unwrap_or_else(|e| panic!("{sql}: {e:?}")).get(0)
}

/// Tables of our own in the schemas that match a pattern.
pub fn tables(client: &mut Client, schemas: &str) -> Vec<(String, String)> {
    let sql = "select table_schema::text, table_name::text from information_schema.tables
                where table_schema similar to $1 and table_type = 'BASE TABLE' order by 1, 2";
    client.query(sql, &[&schemas]).expect("tables").iter().map(|r| (r.get(0), r.get(1))).collect()
}

/// Every row version of raw and canonical tables. Any insert, update or delete changes it, also one that changes no value.
pub fn fingerprint(client: &mut Client) -> BTreeMap<String, String> {
    let of_each = |name: &str, table: &str| {
        format!(
            "select {name}, count(*) || ':' || coalesce(md5(string_agg(ctid::text || '/' || xmin::text, ',' order by ctid)), '') from {table}"
        )
    };
    let rows = of_all(client, "%\\_raw|canonical", of_each);
    rows.into_iter().collect()
}

/// All rows of all tables as text, by table.
pub fn dump(client: &mut Client) -> Vec<(String, String)> {
    of_all(client, "%", |name, table| format!("select {name}, t::text from {table} t"))
}

/// One question over all tables, which is quicker than one for each.
fn of_all(client: &mut Client, schemas: &str, of_each: impl Fn(&str, &str) -> String) -> Vec<(String, String)> {
    let parts: Vec<String> = tables(client, schemas)
        .iter()
        .filter(|(schema, _)| schema != "pg_catalog" && schema != "information_schema")
        .map(|(schema, table)| of_each(&format!("'{schema}.{table}'"), &format!(r#""{schema}"."{table}""#)))
        .collect();
    let all = client.query(&parts.join(" union all "), &[]).expect("all tables");
    all.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// How the runs ended, oldest first.
pub fn run_states(client: &mut Client) -> Vec<String> {
    client
        .query("select status from meta.import_runs order by run_id", &[])
        .expect("runs")
        .iter()
        .map(|r| r.get(0))
        .collect()
}

/// Whether a resource has closed coverage up to an instant.
#[track_caller]
pub fn covers(client: &mut Client, resource: &str, at: &str) -> bool {
    let sql =
        "select coalesce(bool_or(covered @> $2::text::timestamptz), false) from meta.coverage where resource = $1";
    client.query_one(sql, &[&resource, &at]).expect("coverage").get(0)
}
