//! Runs the real binary with an environment of its own and keeps everything it printed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::pg::{temp_dir, through};

/// Longer than any test may take; a process still running then has hung.
const LIMIT: Duration = Duration::from_secs(100);

/// One finished call.
#[derive(Clone, Debug)]
pub struct Run {
    pub args: Vec<String>,
    /// The exit code, or 128 and the signal that ended it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Run {
    /// Panics, with everything printed, unless the exit code is the expected one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Run {
        assert_eq!(self.code, code, "{}", self.report());
        if code != 0 && code < 128 && code != 2 {
            assert!(
                self.stderr.contains("error:") || self.stdout.contains("\"result\"") || code == 3,
                "no error line\n{}",
                self.report()
            );
        }
        self
    }

    #[track_caller]
    pub fn expect_one_of(self, codes: &[i32]) -> Run {
        assert!(codes.contains(&self.code), "expected one of {codes:?}\n{}", self.report());
        self
    }

    /// Both streams must say something between them.
    #[track_caller]
    pub fn says(self, what: &str) -> Run {
        let all = format!("{}{}", self.stdout, self.stderr).to_lowercase();
        assert!(all.contains(&what.to_lowercase()), "nothing about {what:?}\n{}", self.report());
        self
    }

    /// What the `error:` lines say.
    pub fn error(&self) -> String {
        self.stderr.lines().filter(|line| line.starts_with("error:")).collect::<Vec<_>>().join("\n")
    }

    /// The commands of the `next:` lines.
    pub fn next(&self) -> String {
        self.stderr.lines().filter_map(|l| l.strip_prefix("next:")).map(str::trim).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("not one JSON document: {e}\n{}", self.report()))
    }

    pub fn report(&self) -> String {
        format!(
            "health {} -> {}\n--- stdout\n{}--- stderr\n{}",
            self.args.join(" "),
            self.code,
            self.stdout,
            self.stderr
        )
    }
}

/// Where the first person of every test lives.
pub const ZONE: &str = "America/Los_Angeles";

/// A user's machine: data, configuration and state directories, and the environment.
pub struct Home {
    dir: TempDir,
    env: Mutex<BTreeMap<String, String>>,
    prefix: Mutex<Vec<String>>,
    runs: Mutex<Vec<Run>>,
}

impl Home {
    pub fn new() -> Self {
        let home =
            Home { dir: temp_dir("it"), env: Mutex::default(), prefix: Mutex::default(), runs: Mutex::default() };
        for (name, folder) in [
            ("HOME", "home"),
            ("HEALTH_HOME", "data"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_DATA_HOME", "share"),
        ] {
            let path = home.dir.path().join(folder);
            std::fs::create_dir_all(&path).expect("a folder");
            home.set(name, path.to_str().expect("a path"));
        }
        std::fs::create_dir_all(home.work()).expect("a folder");
        home.set("LANG", "C.UTF-8");
        home.set("HEALTH_TZ", ZONE);
        home
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The directory the program is started in.
    pub fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    pub fn tokens(&self) -> PathBuf {
        self.data().join("tokens")
    }

    pub fn set(&self, name: &str, value: &str) {
        guard(&self.env).insert(name.into(), value.into());
    }

    pub fn unset(&self, name: &str) {
        guard(&self.env).remove(name);
    }

    pub fn get(&self, name: &str) -> Option<String> {
        guard(&self.env).get(name).cloned()
    }

    /// From here on another program runs ours: `strace …`; no words: nobody does.
    pub fn run_by(&self, prefix: Vec<String>) {
        *guard(&self.prefix) = prefix;
    }

    /// Everything printed so far, by all calls.
    pub fn runs(&self) -> Vec<Run> {
        guard(&self.runs).clone()
    }

    /// Nothing printed so far is of interest any more.
    pub fn forget_runs(&self) {
        guard(&self.runs).clear();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = through(&guard(&self.prefix), args);
        command.envs(guard(&self.env).iter()).current_dir(self.work());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn health(&self, args: &[&str]) -> Run {
        self.start(args).wait(self)
    }

    #[track_caller]
    pub fn start(&self, args: &[&str]) -> Running {
        self.spawn(args, Stdio::null())
    }

    /// Starts a command whose standard input is a pipe that stays open.
    #[track_caller]
    pub fn start_with_input(&self, args: &[&str]) -> Running {
        self.spawn(args, Stdio::piped())
    }

    fn spawn(&self, args: &[&str], stdin: Stdio) -> Running {
        let mut child = self.command(args).stdin(stdin).spawn().expect("the binary");
        let lines = gather(child.stdout.take().expect("stdout"));
        let errors = gather(child.stderr.take().expect("stderr"));
        Running {
            input: child.stdin.take(),
            child,
            lines,
            errors,
            read: String::new(),
            heard: String::new(),
            args: args.iter().map(ToString::to_string).collect(),
            since: Instant::now(),
        }
    }

    fn keep(&self, run: Run) {
        // 1 is our own bug, 101 a panic, 134, 136 and 139 are crashes: never, whatever happens.
        assert!(![1, 101, 134, 136, 139].contains(&run.code), "the program broke\n{}", run.report());
        guard(&self.runs).push(run);
    }
}

impl Default for Home {
    fn default() -> Self {
        Home::new()
    }
}

/// A call that has not ended yet; killed when dropped.
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Receiver<String>,
    read: String,
    heard: String,
    args: Vec<String>,
    since: Instant,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of standard output.
    #[track_caller]
    pub fn line(&mut self) -> String {
        if let Ok(line) = self.lines.recv_timeout(LIMIT) {
            self.read.push_str(&line);
            return line.trim_end().to_owned();
        }
        let rest: String = self.errors.try_iter().collect();
        panic!("health {}: no line on standard output\n{rest}", self.args.join(" "));
    }

    /// Waits for a line of standard error that holds `what`.
    #[track_caller]
    pub fn until_said(&mut self, what: &str) -> String {
        while let Ok(line) = self.errors.recv_timeout(LIMIT) {
            self.heard.push_str(&line);
            if line.contains(what) {
                return line;
            }
        }
        panic!("health {}: nobody said {what:?}\n{}", self.args.join(" "), self.heard);
    }

    pub fn type_line(&mut self, text: &str) {
        let input = self.input.as_mut().expect("a pipe");
        writeln!(input, "{text}").and_then(|()| input.flush()).expect("input");
    }

    /// Ends standard input.
    pub fn close_input(&mut self) {
        drop(self.input.take());
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, signal).expect("a signal");
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Waits for the end, and for nothing longer than the limit.
    #[track_caller]
    pub fn wait(mut self, home: &Home) -> Run {
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break Some(status);
            }
            if Instant::now() > deadline {
                break None;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let took = self.since.elapsed();
        if status.is_none() {
            let _ = self.child.kill();
        }
        drop(self.input.take());
        let stdout = self.read.clone() + &self.lines.iter().collect::<String>();
        let stderr = std::mem::take(&mut self.heard) + &self.errors.iter().collect::<String>();
        let code = status.map_or(-1, |s| {
            s.code().unwrap_or_else(|| 128 + std::os::unix::process::ExitStatusExt::signal(&s).unwrap_or(0))
        });
        let run = Run { args: self.args.clone(), code, stdout, stderr, took };
        assert!(status.is_some(), "still running after {LIMIT:?}\n{}", run.report());
        home.keep(run.clone());
        run
    }

    #[track_caller]
    pub fn kill(self, home: &Home) -> Run {
        self.signal(Signal::SIGKILL);
        self.wait(home)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a stream line by line without ever blocking the writer.
fn gather(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receive
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
