//! What the demo's database holds at the end: counts for scripts, two questions with their answers for people.

use postgres::{Client, SimpleQueryMessage};
use serde_json::{Value, json};

use crate::db::Sql;
use crate::failure::Failure;
use crate::output::Out;

/// A question that the demo answers by SQL.
const QUESTIONS: [(&str, &str); 2] = [
    ("How did I recover after easy and hard days?", include_str!("recovery_after_strain.sql")),
    ("How did I sleep, month by month?", include_str!("sleep_by_month.sql")),
];

/// Asks and answers.
pub(super) fn show(out: &Out, client: &mut Client) -> Result<(), Failure> {
    for (question, sql) in QUESTIONS {
        out.line(&format!("\n-- {question}\n{}\n", sql.trim_end()));
        let mut header: Vec<String> = Vec::new();
        let mut rows: Vec<Vec<String>> = Vec::new();
        for message in client.simple_query(sql).sql()? {
            if let SimpleQueryMessage::Row(row) = message {
                header = row.columns().iter().map(|column| column.name().to_owned()).collect();
                rows.push((0..row.len()).map(|place| row.get(place).unwrap_or("-").to_owned()).collect());
            }
        }
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        out.table(&header, &rows);
    }
    Ok(())
}

/// Rows for each table of raw and canonical, rejects, and what was retired.
pub(super) fn counts(client: &mut Client) -> Result<Value, Failure> {
    let row = client.query_one(include_str!("counts.sql"), &[]).sql()?;
    let text: String = row.get(0);
    Ok(serde_json::from_str(&text).unwrap_or(json!(null)))
}
