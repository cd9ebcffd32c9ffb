//! INT, TERM and HUP: the first asks to stop at the next page border, the second stops at once, and so does the first
//! where there are no borders to stop at.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use crate::failure::{Failure, Kind};

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

    /// The same without the time budget, which is no signal.
    pub(crate) fn real_signal(&self) -> Option<u8> {
        self.signal().filter(|number| *number != Self::TIME)
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

    /// Signals go to this stop as long as the returned value lives. Before and after, and for a second one, a signal ends
    /// the process at once: whatever was not committed is not visible, so nothing has to be put in order.
    #[cfg(unix)]
    pub(crate) fn listen(&self) -> std::io::Result<Listening> {
        listener()?;
        *current() = Some(self.clone());
        Ok(Listening(()))
    }
}

/// As long as it lives, a first signal is a question.
pub(crate) struct Listening(());

impl Drop for Listening {
    fn drop(&mut self) {
        *current() = None;
    }
}

/// From here on a signal ends the process with a word and the right code, also where nobody listens yet.
pub(crate) fn watch() {
    #[cfg(unix)]
    let _ = listener(); // without it a signal does what it does to any program
}

#[cfg(unix)]
fn listener() -> std::io::Result<()> {
    static LISTENER: OnceLock<Option<std::io::ErrorKind>> = OnceLock::new();
    match LISTENER.get_or_init(|| start_listener().err().map(|error| error.kind())) {
        Some(kind) => Err((*kind).into()),
        None => Ok(()),
    }
}

/// Whether whoever started this process wants it to outlive its terminal, as `nohup` does.
#[cfg(unix)]
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}

/// Whom a first signal asks to stop; none: nobody has borders to stop at.
static CURRENT: Mutex<Option<Stop>> = Mutex::new(None);

fn current() -> MutexGuard<'static, Option<Stop>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread of its own for the rest of the process: a handler, once installed, stays when the runtime that wanted it is
/// gone, and a signal that nobody reads any more would be lost.
#[cfg(unix)]
fn start_listener() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut int, mut term, mut hup) = {
        let _entered = runtime.enter();
        let hup = if hangup_is_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, hup)
    };
    let listen = async move {
        loop {
            let number = tokio::select! {
                Some(()) = int.recv() => 2,
                Some(()) = term.recv() => 15,
                Some(()) = async { hup.as_mut()?.recv().await } => 1,
                else => return,
            };
            let asked = current().clone();
            match asked {
                Some(stop) if stop.real_signal().is_none() => stop.ask(number),
                Some(_) => end_now(number),
                None => {
                    let failure = stopped();
                    let failure = if FROM_THE_START.load(Ordering::SeqCst) > 0 { failure.next(AGAIN) } else { failure };
                    crate::output::Out::default().failure(&failure);
                    end_now(number);
                }
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(listen)).map(|_| ())
}

/// What to say when a person or the system asked to stop.
pub(crate) fn stopped() -> Failure {
    Failure::new(Kind::Later, "stopped on request")
        .kept("everything that was committed before; nothing was lost")
        .next("the same command goes on where this one stopped")
}

const AGAIN: &str = "run the same command again; a file begins again from its start";

/// Work under way that cannot go on where it stopped.
static FROM_THE_START: AtomicUsize = AtomicUsize::new(0);

/// As long as it lives, whoever is stopped is told that the same command begins from the start.
pub(crate) struct FromTheStart(());

/// What begins here is done whole or not at all.
pub(crate) fn from_the_start() -> FromTheStart {
    FROM_THE_START.fetch_add(1, Ordering::SeqCst);
    FromTheStart(())
}

impl Drop for FromTheStart {
    fn drop(&mut self) {
        FROM_THE_START.fetch_sub(1, Ordering::SeqCst);
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
