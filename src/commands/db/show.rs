//! `health db status`, for people and for scripts.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::commands::Context;
use crate::failure::Exit;
use crate::output::result;
use crate::server::{self, Condition, Status};

/// `health db status` of the private server.
pub(super) fn show(ctx: &Context, status: &Status) -> Exit {
    if ctx.out.json {
        ctx.out.json(&as_json(status));
        return Exit::OK;
    }
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let version = status.version.clone().or(status.major.map(|major| major.to_string()));
    let server = version.map_or_else(
        || status.condition.words().to_owned(),
        |version| format!("PostgreSQL {version}, {}", status.condition.words()),
    );
    let sessions = status.sessions.as_ref().map(|sessions| match sessions.len() {
        0 => "nobody else".to_owned(),
        _ => sessions
            .iter()
            .map(|one| format!("{} ({}, {})", crate::output::clean(&one.application), one.database, one.client))
            .collect::<Vec<_>>()
            .join(", "),
    });
    let databases = status.databases.as_ref().map(|databases| {
        let one = |(name, size): &(String, i64)| format!("{name} {}", bytes(u64::try_from(*size).unwrap_or(0)));
        databases.iter().map(one).collect::<Vec<_>>().join(", ")
    });
    let rows = [
        ("server", Some(server)),
        ("process", status.pid.map(|pid| pid.to_string())),
        ("port", status.port.map(|port| port.to_string())),
        ("socket", path(&status.socket_dir)),
        ("data", path(&status.data)),
        ("on disk", status.bytes.map(bytes)),
        ("databases", databases),
        ("connected", sessions),
        ("account", status.owner.clone()),
        ("programs", path(&status.bindir)),
        ("log", path(&status.log)),
        (
            "newer",
            status
                .newer
                .as_ref()
                .map(|newer| format!("PostgreSQL {newer} is installed; the cluster stays with its own version")),
        ),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            ctx.out.line(&format!("{name:<10}{value}"));
        }
    }
    if matches!(status.condition, Condition::NotInitialised | Condition::Stopped) {
        ctx.out.note("next:  health db start");
    }
    Exit::OK
}

fn as_json(status: &Status) -> Value {
    let databases: Option<Vec<Value>> = status
        .databases
        .as_ref()
        .map(|databases| databases.iter().map(|(name, bytes)| json!({"name": name, "bytes": bytes})).collect());
    let sessions: Option<Vec<Value>> = status.sessions.as_ref().map(|sessions| {
        let one = |one: &server::Session| json!({"pid": one.pid, "application": one.application, "client": one.client, "database": one.database});
        sessions.iter().map(one).collect()
    });
    json!({
        "schema": "health.db-status/1", "kind": "private", "condition": status.condition.words(),
        "major": status.major, "version": status.version, "pid": status.pid, "port": status.port,
        "socket_dir": status.socket_dir, "data_dir": status.data, "bytes": status.bytes, "databases": databases,
        "sessions": sessions, "owner": status.owner, "bin_dir": status.bindir, "newer": status.newer, "log": status.log,
        "result": result(Exit::OK, &Value::Null, &[]),
    })
}

/// "62 MB"
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..=999_999 => format!("{} kB", count.div_ceil(1_000)),
        1_000_000..=999_999_999 => format!("{} MB", count / 1_000_000),
        _ => format!("{}.{} GB", count / 1_000_000_000, count % 1_000_000_000 / 100_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(bytes(1), "1 kB");
        assert_eq!(bytes(62_400_000), "62 MB");
        assert_eq!(bytes(3_250_000_000), "3.2 GB");
    }
}
