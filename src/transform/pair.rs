//! Two hands for a long piece of work: the models of an account are independent of each other, and a server does each
//! statement on one core. Knows neither models nor SQL, only places in a list.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use postgres::Client;

use crate::failure::Failure;

/// Another connection like the first.
pub(crate) type Another<'a> = &'a (dyn Fn() -> Result<Client, Failure> + Sync);

/// Does the work of each place, begun in this `order`, by `client` and, at the same time, by a second connection;
/// where there is none to be had, `client` does everything. The first failure by place is what is returned, and no
/// place is begun after it.
pub(super) fn side_by_side<T: Send>(
    client: &mut Client,
    another: Another,
    order: &[usize],
    work: &(dyn Fn(&mut Client, usize) -> Result<T, Failure> + Sync),
) -> Result<Vec<T>, Failure> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done: Mutex<Vec<(usize, Result<T, Failure>)>> = Mutex::new(Vec::with_capacity(order.len()));
    let hand = |client: &mut Client| {
        while !failed.load(Ordering::SeqCst) {
            let Some(&place) = order.get(next.fetch_add(1, Ordering::SeqCst)) else { return };
            let result = work(client, place);
            failed.fetch_or(result.is_err(), Ordering::SeqCst);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            if let Ok(mut second) = another() {
                hand(&mut second);
            }
        });
        hand(client);
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}
