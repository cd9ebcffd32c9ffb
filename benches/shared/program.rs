//! The program under measurement: the release binary with settings of its own, timed from start to exit.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// One set of settings: a data directory, a database, what a source needs.
pub(crate) struct Program {
    dir: PathBuf,
    settings: Vec<(&'static str, String)>,
    /// MiB of data that the system lets it have.
    most_memory: Option<u64>,
}

/// How one run went.
pub(crate) struct Run {
    pub(crate) wall: Duration,
    /// Largest resident size, KiB; none where the system does not tell.
    pub(crate) peak: Option<u64>,
    /// Of the program itself, in user and system mode; none where the system does not tell.
    pub(crate) cpu: Option<Duration>,
    pub(crate) stdout: String,
}

impl Program {
    pub(crate) fn new(dir: &Path, settings: Vec<(&'static str, String)>) -> Self {
        let mut all = vec![
            ("HEALTH_HOME", dir.join("data").display().to_string()),
            ("XDG_CONFIG_HOME", dir.join("config").display().to_string()),
            ("XDG_STATE_HOME", dir.join("state").display().to_string()),
            ("HEALTH_TZ", "Europe/Berlin".into()),
        ];
        all.extend(settings);
        Self { dir: dir.to_owned(), settings: all, most_memory: None }
    }

    /// The same program with a database of its own on the server that `url` names.
    pub(crate) fn with_database(mut self, url: &str, name: &str) -> Self {
        let (before, query) = url.split_once('?').unwrap_or((url, ""));
        let server = before.rsplit_once('/').map_or(before, |(server, _)| server);
        self.settings.push(("HEALTH_DATABASE_URL", format!("{server}/{name}?{query}")));
        self
    }

    /// The same program, which the system denies more memory for data than so many MiB (`ulimit -d`).
    pub(crate) fn held_to(&self, most_memory: u64) -> Self {
        Self { dir: self.dir.clone(), settings: self.settings.clone(), most_memory: Some(most_memory) }
    }

    /// The same program with more settings.
    pub(crate) fn with(mut self, settings: Vec<(&'static str, String)>) -> Self {
        self.settings.extend(settings);
        self
    }

    pub(crate) fn database_url(&self) -> Option<&str> {
        self.settings.iter().find(|(name, _)| *name == "HEALTH_DATABASE_URL").map(|(_, url)| url.as_str())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_health");
        let mut command = Command::new(self.most_memory.map_or(program, |_| "sh"));
        if let Some(most) = self.most_memory {
            command.args(["-c", &format!("ulimit -d {} && exec \"$0\" \"$@\"", most << 10), program]);
        }
        command.args(arguments).current_dir(&self.dir).stdin(Stdio::null());
        // Settings of the person who measures must not leak in.
        for name in ["HEALTH_DATABASE_URL", "DATABASE_URL", "HEALTH_CONFIG", "HEALTH_NOW", "HEALTH_PERSON"] {
            command.env_remove(name);
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs to the end and expects success.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Run> {
        let begun = Instant::now();
        let mut child = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let reading = |stream: Option<Box<dyn Read + Send>>| {
            std::thread::spawn(move || {
                let mut text = String::new();
                if let Some(mut stream) = stream {
                    let _ = stream.read_to_string(&mut text);
                }
                text
            })
        };
        let stdout = reading(child.stdout.take().map(|stream| Box::new(stream) as _));
        let stderr = reading(child.stderr.take().map(|stream| Box::new(stream) as _));
        let watch = watch_memory(child.id());
        let status = child.wait()?;
        let wall = begun.elapsed();
        let (peak, cpu) = watch.join().unwrap_or_default();
        let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
        if !status.success() {
            return Err(format!("health {} ended with {status}\n{stdout}{stderr}", arguments.join(" ")).into());
        }
        Ok(Run { wall, peak, cpu, stdout })
    }

    /// Median wall time of ten runs, without watching their memory.
    pub(crate) fn median(&self, arguments: &[&str]) -> Result<Duration> {
        let mut walls = Vec::new();
        for _ in 0..11 {
            let begun = Instant::now();
            let status = self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
            walls.push(begun.elapsed());
            if !status.success() {
                return Err(format!("health {} ended with {status}", arguments.join(" ")).into());
            }
        }
        let mut warm = walls.split_off(1);
        warm.sort();
        Ok((warm[4] + warm[5]) / 2)
    }

    /// Logs in at `source`: we are the browser. `more`: what its login needs to be told.
    pub(crate) fn log_in(&self, source: &str, more: &[&str]) -> Result<()> {
        let mut child = self
            .command(&[&["auth", source, "--no-browser"], more].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .stdin(Stdio::piped())
            .spawn()?;
        let _open = child.stdin.take(); // an ended standard input would mean that nobody is there
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let page = lines.by_ref().map_while(std::result::Result::ok).find(|line| line.starts_with("http"));
        let back = get(&page.ok_or("health auth printed no address")?)?;
        let value = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("location").then(|| value.to_owned())
        };
        get(&back.lines().find_map(value).ok_or("no redirect")?)?;
        lines.for_each(drop);
        let status = child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("health auth ended with {status}").into()) }
    }
}

/// `VmHWM` is what the kernel remembers as the most; asked until the process has ended. CPU time comes in hundredths.
fn watch_memory(pid: u32) -> std::thread::JoinHandle<(Option<u64>, Option<Duration>)> {
    std::thread::spawn(move || {
        let (mut peak, mut cpu) = (None, None);
        while let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            // A zombie has a status file and no memory any more.
            let Some(line) = line else { break };
            let size = line.trim().trim_end_matches(" kB").parse().ok();
            peak = peak.max(size);
            cpu = cpu_of(pid).max(cpu);
            std::thread::sleep(Duration::from_millis(2));
        }
        (peak, cpu.max(cpu_of(pid)))
    })
}

fn cpu_of(pid: u32) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Duration::from_millis((user + system) * 10))
}

/// One request by hand; the answer as it came.
fn get(url: &str) -> Result<String> {
    let url = url::Url::parse(url)?;
    let (host, port) = (url.host_str().ok_or("no host")?, url.port_or_known_default().unwrap_or(80));
    let mut stream = TcpStream::connect((host, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let target = &url[url::Position::BeforePath..];
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n")?;
    let mut head = String::new();
    let mut reader = BufReader::new(stream);
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    Ok(head)
}
