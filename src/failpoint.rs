//! Named points at which a test kills this process, in debug builds alone: `HEALTH_FAILPOINT=page.committed:3` kills it
//! the third time that point is passed. A release build holds neither the names nor the code.

#[cfg(debug_assertions)]
pub(crate) mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static ARMED: OnceLock<(String, u32)> = OnceLock::new();
    static PASSED: AtomicU32 = AtomicU32::new(0);

    /// `text` is `name` or `name:nth`; `list` prints a point's name on standard error each time it is passed.
    pub(crate) fn arm(text: &str) {
        let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
        let _ = ARMED.set((name.to_owned(), nth.parse().unwrap_or(1)));
    }

    /// Passes the point `name`, or dies there.
    pub(crate) fn hit(name: &'static str) {
        let Some((armed, nth)) = ARMED.get() else { return };
        if armed == "list" {
            crate::output::Out::default().write_stderr(&format!("failpoint {name}"));
        } else if armed == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *nth {
            crate::output::Out::default().write_stderr(&format!("failpoint {name} fired"));
            #[cfg(unix)]
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    }
}

/// Passes a named point: `failpoint!("page.committed")`.
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(debug_assertions)]
        $crate::failpoint::armed::hit($name);
    };
}
pub(crate) use failpoint;
