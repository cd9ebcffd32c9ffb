//! INT, TERM and HUP: the first asks to stop at the next page border, the second stops at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Says whether, and by which signal, this process was asked to stop.
#[derive(Clone, Default)]
pub(crate) struct Stop {
    number: Arc<AtomicU8>,
    notify: Arc<Notify>,
}

impl Stop {
    /// The signal that asked, if one did.
    pub(crate) fn signal(&self) -> Option<u8> {
        Some(self.number.load(Ordering::SeqCst)).filter(|number| *number != 0)
    }

    /// Resolves when somebody asks to stop.
    pub(crate) async fn asked(&self) {
        let asked = self.notify.notified();
        if self.signal().is_none() {
            asked.await;
        }
    }

    /// The time budget is over: like a signal, but an outcome of its own.
    pub(crate) fn time_is_up(&self) {
        self.ask(Self::TIME);
    }

    /// Stands for the time budget where a signal's number would stand.
    pub(crate) const TIME: u8 = 127;

    fn ask(&self, number: u8) {
        self.number.store(number, Ordering::SeqCst);
        self.notify.notify_waiters();
        self.notify.notify_one();
    }

    /// Listens on the current runtime for as long as it lives. A second signal ends the process at once: whatever was
    /// not committed is not visible, so nothing has to be put in order.
    #[cfg(unix)]
    pub(crate) fn listen(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        for (kind, number) in [(SignalKind::interrupt(), 2u8), (SignalKind::terminate(), 15), (SignalKind::hangup(), 1)]
        {
            let mut stream = signal(kind)?;
            let stop = self.clone();
            tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    if stop.signal().is_some() {
                        end_now(number);
                    }
                    stop.ask(number);
                }
            });
        }
        Ok(())
    }
}

#[allow(clippy::disallowed_methods, reason = "a second signal means now; the database undoes what is not committed")]
fn end_now(number: u8) {
    while HELD.load(Ordering::SeqCst) > 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::process::exit(128 + i32::from(number));
}

/// How many stretches of work are under way that must not be cut in two.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// As long as it lives, a second signal waits: the renewal of a login is between its request and its answer.
pub(crate) struct Hold(());

/// Holds back the end of the process; the work behind it must be bounded.
pub(crate) fn hold() -> Hold {
    HELD.fetch_add(1, Ordering::SeqCst);
    Hold(())
}

impl Drop for Hold {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Ordering::SeqCst);
    }
}
