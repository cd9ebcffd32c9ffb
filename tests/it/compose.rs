//! `docker-compose.yml` offers what it says: PostgreSQL without a default password, on loopback alone; Grafana only by
//! its profile. Compose itself checks the file where it is installed.

use std::process::Command;

fn file() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docker-compose.yml")).unwrap()
}

fn compose(password: Option<&str>) -> Command {
    let mut command = Command::new("docker");
    command.args(["compose", "--profile", "grafana", "--env-file", "/dev/null"]);
    command.args(["--file", concat!(env!("CARGO_MANIFEST_DIR"), "/docker-compose.yml"), "config"]);
    command.env_remove("HEALTH_DB_PASSWORD").env_remove("HEALTH_GRAFANA_PASSWORD");
    command.envs(password.map(|password| ("HEALTH_DB_PASSWORD", password)));
    command
}

#[test]
fn compose_accepts_the_file_where_it_is_installed() {
    let installed = Command::new("docker").args(["compose", "version"]).output();
    if !installed.is_ok_and(|version| version.status.success()) {
        eprintln!("docker compose is not installed: the file is compared line by line alone");
        return;
    }
    let shown = compose(Some("canary-password")).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    assert!(String::from_utf8_lossy(&shown.stdout).contains("canary-password"));
    assert!(!compose(None).output().unwrap().status.success(), "a missing password is refused");
}

/// The lines below `path`, without their indentation: enough structure for a file of our own.
fn section(path: &[&str]) -> Vec<String> {
    let text = file();
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    for name in path {
        let depth = |line: &str| line.len() - line.trim_start().len();
        let place =
            lines.iter().position(|line| line.trim() == format!("{name}:")).unwrap_or_else(|| panic!("no {path:?}"));
        let own = depth(lines[place]);
        lines = lines[place + 1..].iter().take_while(|l| l.trim().is_empty() || depth(l) > own).copied().collect();
    }
    lines.iter().map(|line| line.split(" #").next().unwrap_or_default().trim().to_owned()).collect()
}

#[test]
fn nothing_listens_beyond_this_machine_and_no_password_is_built_in() {
    let text = file();
    for service in ["postgres", "grafana"] {
        let ports = section(&["services", service, "ports"]);
        assert!(!ports.is_empty() && ports.iter().all(|port| port.is_empty() || port.starts_with("- \"127.0.0.1:")));
    }
    assert!(
        section(&["services", "postgres", "environment"])
            .iter()
            .any(|line| line.starts_with("POSTGRES_PASSWORD: ${HEALTH_DB_PASSWORD:?"))
    );
    assert!(section(&["services", "postgres"]).contains(&"image: postgres:18".to_owned()));
    assert!(section(&["services", "postgres", "healthcheck"]).iter().any(|line| line.contains("pg_isready")));
    let data = section(&["services", "postgres", "volumes"]);
    assert_eq!(data.first().map(String::as_str), Some("- postgres:/var/lib/postgresql"));
    assert!(section(&["services", "grafana"]).contains(&"profiles: [\"grafana\"]".to_owned()));
    let grafana = section(&["services", "grafana", "environment"]);
    assert!(grafana.contains(&"GF_AUTH_ANONYMOUS_ENABLED: \"false\"".to_owned()));
    assert!(grafana.iter().any(|line| line.starts_with("GF_SECURITY_ADMIN_PASSWORD: ${")));
    for word in ["PASSWORD: health", "PASSWORD: postgres", "PASSWORD: admin", "trust", "0.0.0.0"] {
        assert!(!text.contains(word), "{word}");
    }
    assert!(!text.contains('\t'), "YAML has no tabs");
}
