//! Disturbs the program at one of its system calls, from outside: `strace` ends it there, or makes the call fail.
//! Calls are counted thread by thread: the nth call of the first thread that makes so many.

use std::collections::HashMap;
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;

/// One call of the program under strace.
pub struct Strace {
    call: String,
    inject: Option<String>,
    timed: bool,
    log: NamedTempFile,
}

/// One call as it was seen: by which thread, what it was and gave, and when it was over, in seconds.
pub struct Seen {
    pub thread: String,
    pub text: String,
    pub end: f64,
}

impl Strace {
    /// Whether it is installed and may look into processes.
    pub fn works() -> bool {
        let probe =
            ["-f", "-qq", "-o", "/dev/null", "-e", "trace=openat", "-e", "inject=openat:signal=KILL:when=1", "true"];
        let status = Command::new("strace").args(probe).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| !status.success() && status.code() != Some(1))
    }

    fn new(call: &str, inject: Option<String>) -> Strace {
        Strace { call: call.into(), inject, timed: false, log: NamedTempFile::new().expect("a file") }
    }

    /// Counts the calls, and lets them pass.
    pub fn count(call: &str) -> Strace {
        Strace::new(call, None)
    }

    /// Notes when each of these calls, separated by commas, was over.
    pub fn timed(calls: &str) -> Strace {
        Strace { timed: true, ..Strace::new(calls, None) }
    }

    /// Ends the program as it makes its nth call.
    pub fn kill(call: &str, n: usize) -> Strace {
        Strace::new(call, Some(format!("signal=KILL:when={n}")))
    }

    /// Lets the nth call fail, and the others pass.
    pub fn fail(call: &str, errno: &str, n: usize) -> Strace {
        Strace::new(call, Some(format!("error={errno}:when={n}")))
    }

    /// The words before the program's own.
    pub fn prefix(&self) -> Vec<String> {
        let mut words: Vec<String> =
            ["strace", "-f", "-qq", "-s", "0", "-e", "signal=none", "-o"].map(String::from).into();
        words.push(self.log.path().to_str().expect("a path").into());
        words.extend(["-e".into(), format!("trace={}", self.call)]);
        if self.timed {
            words.extend(["-ttt".into(), "-T".into()]);
        }
        if let Some(inject) = &self.inject {
            words.extend(["-e".into(), format!("inject={}:{inject}", self.call)]);
        }
        words
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log.path()).unwrap_or_default()).into_owned()
    }

    /// How many calls were made to fail.
    pub fn failed(&self) -> usize {
        self.log().matches("(INJECTED)").count()
    }

    /// What `timed` noted, in order. A call during which another thread made one stands where it ended.
    pub fn seen(&self) -> Vec<Seen> {
        let parse = |line: &str| {
            let (thread, rest) = line.split_once(' ')?;
            let (at, text) = rest.trim_start().split_once(' ')?;
            if text.contains("<unfinished") {
                return None;
            }
            let lasted = text.rsplit_once('<').and_then(|(_, took)| took.strip_suffix('>')?.parse::<f64>().ok());
            let start: f64 = at.parse().ok()?;
            let end = if text.starts_with("<...") { start } else { start + lasted? };
            Some(Seen { thread: thread.to_owned(), text: text.to_owned(), end })
        };
        self.log().lines().filter_map(parse).collect()
    }

    /// The most calls that one thread made.
    pub fn most(&self) -> usize {
        let mut threads = HashMap::<String, usize>::new();
        let begins = format!("{}(", self.call);
        for line in self.log().lines() {
            if let Some((thread, rest)) = line.split_once(' ')
                && rest.trim_start().starts_with(&begins)
            {
                *threads.entry(thread.to_owned()).or_default() += 1;
            }
        }
        threads.into_values().max().unwrap_or(0)
    }
}
