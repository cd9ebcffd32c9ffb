//! What two connections divide between them: whole models, and of those that read in pieces every second one each, so
//! that the largest does not keep one of them waiting.

use super::Upserted;
use crate::source::{Model, Source};

/// Which of a model's pieces, where others make the rest at the same time: every so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) turn: usize,
    pub(super) among: usize,
}

impl Share {
    pub(super) const ALL: Self = Self { turn: 0, among: 1 };
}

/// How many share a model.
pub(super) const fn among(model: &Model) -> usize {
    if model.in_pieces { 2 } else { 1 }
}

/// The shares of a source's models, in this order of their places.
pub(super) fn of(source: &Source, order: &[usize]) -> Vec<(usize, Share)> {
    let of = |&place: &usize| {
        let among = among(&source.models[place]);
        (0..among).map(move |turn| (place, Share { turn, among }))
    };
    order.iter().flat_map(of).collect()
}

/// What was done to each of `count` models, by their places.
pub(super) fn added_up(done: Vec<(usize, Upserted)>, count: usize) -> Vec<Upserted> {
    let mut all = vec![Upserted::default(); count];
    for (place, one) in done {
        (all[place].model, all[place].table) = (one.model, one.table);
        all[place].add(&one);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_of_pieces_is_shared_and_counted_once() {
        let source = crate::sources::find("strava").unwrap();
        let order: Vec<usize> = (0..source.models.len()).rev().collect();
        let shares = of(source, &order);
        let last = order[0];
        assert!(source.models[last].in_pieces);
        assert_eq!(shares[..2], [(last, Share { turn: 0, among: 2 }), (last, Share { turn: 1, among: 2 })]);
        assert_eq!(shares.iter().filter(|(place, _)| *place == 0).count(), 1, "a whole one");
        let one = |inserted| Upserted { model: "x", inserted, rejected: 1, ..Upserted::default() };
        let all = added_up(vec![(1, one(2)), (0, one(3)), (1, one(4))], 2);
        assert_eq!(all.iter().map(|of| (of.inserted, of.rejected)).collect::<Vec<_>>(), [(3, 1), (6, 2)]);
    }
}
