//! Disturbs the program at one of its system calls, from outside: `strace` ends it there, or makes the call fail.
//! Calls are counted thread by thread: the nth call of the first thread that makes so many.

use std::collections::HashMap;
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;

/// One call of the program under strace.
pub struct Strace {
    call: String,
    inject: Option<String>,
    log: NamedTempFile,
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
        Strace { call: call.into(), inject, log: NamedTempFile::new().expect("a file") }
    }

    /// Counts the calls, and lets them pass.
    pub fn count(call: &str) -> Strace {
        Strace::new(call, None)
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
