//! Opens the person's browser: an https or loopback address as one argument, and an environment without our secrets.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use url::Url;

use crate::config::{Config, PROGRAMS_NEED, is_loopback};

/// What a desktop needs beyond that to find and start a browser.
const DESKTOP: &[&str] = &[
    "BROWSER",
    "DISPLAY",
    "XAUTHORITY",
    "WAYLAND_DISPLAY",
    "DESKTOP_SESSION",
    "SESSION_MANAGER",
    "XDG_SESSION_TYPE",
    "XDG_SESSION_ID",
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_DESKTOP",
    "XDG_SEAT",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_CACHE_HOME",
    "KDE_FULL_SESSION",
    "KDE_SESSION_VERSION",
    "GNOME_DESKTOP_SESSION_ID",
    "WSL_DISTRO_NAME",
    "WSL_INTEROP",
    "SystemRoot",
];

/// A launcher that has not failed by then has handed the address over.
const HANDED_OVER: Duration = Duration::from_millis(700);

/// Whether a browser was started with `url`.
pub(crate) fn open_browser(config: &Config, url: &Url) -> bool {
    let allowed = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    let environment = config.environment_for(&[PROGRAMS_NEED, DESKTOP].concat());
    let has = |name: &str| environment.iter().any(|(known, _)| known == name);
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"].iter().any(|name| has(name));
    if !allowed || (cfg!(target_os = "linux") && !desktop) {
        return false;
    }
    open::commands(url.as_str()).into_iter().any(|command| started(command, &environment))
}

fn started(mut command: Command, environment: &[(String, String)]) -> bool {
    command
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return false };
    let start = Instant::now();
    while start.elapsed() < HANDED_OVER {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => break,
        }
    }
    std::thread::spawn(move || child.wait()); // no zombie while we go on
    true
}
