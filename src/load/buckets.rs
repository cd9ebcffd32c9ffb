//! What a document holds, by type and day: how many records, and the sum of their ids, which is the same in whatever
//! order they come. Two documents with equal sums hold the same records, so most of a history need not be looked at
//! again. Equal records are told apart by a number; the ids for that are kept only as long as their day is being read.
//! Knows no SQL.

use std::collections::{HashMap, HashSet, VecDeque, hash_map};
use std::hash::{BuildHasherDefault, Hasher};

use crate::source::Bucket;

/// Ids that are kept to tell equal records apart: sixteen bytes each, and the days of several years of one type. Few where
/// the program is built for its tests, so that they come to documents that go back to a day.
const MOST_IDS: usize = if cfg!(debug_assertions) { 2_000 } else { 400_000 };

/// Records of a bucket.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Digest {
    pub(crate) records: u32,
    /// Low and high half: 16 bytes and no more in a map of hundreds of thousands.
    sum: [u64; 2],
}

impl Digest {
    pub(crate) fn new(records: u32, sum: u128) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "both halves are kept")]
        Self { records, sum: [sum as u64, (sum >> 64) as u64] }
    }

    /// Sum of the ids modulo 2^128.
    pub(crate) fn sum(self) -> u128 {
        u128::from(self.sum[0]) | u128::from(self.sum[1]) << 64
    }

    fn add(&mut self, id: u128) {
        *self = Self::new(self.records + 1, self.sum().wrapping_add(id));
    }
}

/// What a document holds of a bucket.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Held {
    pub(crate) top: Digest,
    /// Of records inside other elements, which count only as far as the top does not repeat them.
    pub(crate) nested: Digest,
}

/// Ids are digests and buckets are small numbers: both need no more than this.
#[derive(Default)]
pub(crate) struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(32) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    #[allow(clippy::cast_possible_truncation, reason = "half of a digest is a digest")]
    fn write_u128(&mut self, number: u128) {
        self.0 = number as u64;
    }
}

type Build = BuildHasherDefault<Quick>;
/// A set of buckets.
pub(crate) type Chosen = HashSet<u64, Build>;

/// The digests of a document.
#[derive(Default)]
pub(crate) struct Digests {
    all: HashMap<u64, Held, Build>,
    /// The bucket met last: neighbours share it.
    last: Option<(u64, Held)>,
    records: u64,
    /// Buckets that were taken out, in which records may stand that the top does not repeat, with those of the top.
    apart: Vec<(u64, u32)>,
}

impl Digests {
    pub(crate) fn add(&mut self, bucket: Bucket, id: u128, is_nested: bool) {
        let key = bucket.key();
        if self.last.is_none_or(|(last, _)| last != key) {
            self.settle();
            self.last = Some((key, self.all.get(&key).copied().unwrap_or_default()));
        }
        if let Some((_, held)) = &mut self.last {
            if is_nested { held.nested.add(id) } else { held.top.add(id) }
        }
        self.records += 1;
    }

    fn settle(&mut self) {
        if let Some((key, held)) = self.last.take() {
            self.all.insert(key, held);
        }
    }

    /// Compares a bucket with what is stored of it: where they are equal it is taken out, otherwise it stays, with no
    /// records where the document has none. None: it is not known what is stored. Says whether they are equal.
    pub(crate) fn compare(&mut self, bucket: Bucket, stored: Option<Held>) -> bool {
        self.settle();
        match self.all.entry(bucket.key()) {
            hash_map::Entry::Occupied(own) if Some(*own.get()) == stored => {
                let held = own.remove();
                if held.nested.records > 0 && held.nested != held.top {
                    self.apart.push((bucket.key(), held.top.records));
                }
                true
            }
            hash_map::Entry::Occupied(_) => false,
            hash_map::Entry::Vacant(_) if stored == Some(Held::default()) => true,
            hash_map::Entry::Vacant(none) => {
                none.insert(Held::default());
                false
            }
        }
    }

    /// Of buckets that are stored alike: those with records inside other elements that the top does not repeat, or not
    /// alone, and how many records of each stand at the top.
    pub(crate) fn apart(&self) -> impl ExactSizeIterator<Item = (Bucket, u32)> {
        self.apart.iter().map(|(key, top)| (Bucket::of_key(*key), *top))
    }

    /// How many records the document holds, compared or not.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.last.is_none()
    }

    /// Whether the top repeats every record that stands inside another element, as often.
    pub(crate) fn repeats_nested(&mut self) -> bool {
        self.settle();
        self.all.values().all(|held| held.nested == Digest::default() || held.nested == held.top)
    }

    pub(crate) fn all(&mut self) -> impl Iterator<Item = (Bucket, Held)> {
        self.settle();
        self.all.iter().map(|(key, held)| (Bucket::of_key(*key), *held))
    }

    pub(crate) fn keys(&mut self) -> Chosen {
        self.settle();
        self.all.keys().copied().collect()
    }
}

/// Numbers equal records: 1, 2, 3 ...
#[derive(Default)]
pub(crate) struct Copies {
    open: HashMap<u64, Ids, Build>,
    order: VecDeque<u64>,
    held: usize,
    /// Buckets whose ids were let go.
    closed: Chosen,
}

#[derive(Default)]
struct Ids {
    once: HashSet<u128, Build>,
    /// Of records that came more than once: how often.
    again: HashMap<u128, i32, Build>,
}

impl Copies {
    /// The number of this copy; none where that cannot be told any more, because the document came back to a day long
    /// after it had left it.
    pub(crate) fn number(&mut self, bucket: Bucket, id: u128) -> Option<i32> {
        let key = bucket.key();
        if !self.closed.is_empty() && self.closed.contains(&key) {
            return None;
        }
        if self.held >= MOST_IDS {
            self.let_go();
            if self.closed.contains(&key) {
                return None;
            }
        }
        let order = &mut self.order;
        let ids = self.open.entry(key).or_insert_with(|| {
            order.push_back(key);
            Ids::default()
        });
        if ids.once.insert(id) {
            self.held += 1;
            return Some(1);
        }
        let copies = ids.again.entry(id).or_insert(1);
        *copies += 1;
        Some(*copies)
    }

    /// Lets go of the older half.
    fn let_go(&mut self) {
        while self.held > MOST_IDS / 2
            && let Some(key) = self.order.pop_front()
        {
            if let Some(ids) = self.open.remove(&key) {
                self.held -= ids.once.len();
            }
            self.closed.insert(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(kind: i32, day: i32) -> Bucket {
        Bucket { kind, day }
    }

    fn top(records: u32, sum: u128) -> Held {
        Held { top: Digest::new(records, sum), ..Held::default() }
    }

    #[test]
    fn order_does_not_matter_and_copies_do() {
        let sums = |ids: &[u128]| {
            let mut digests = Digests::default();
            for id in ids {
                digests.add(bucket(i32::from(id % 2 == 1), -3), *id, false);
            }
            let mut all: Vec<_> = digests.all().collect();
            all.sort_by_key(|(bucket, _)| bucket.kind);
            all
        };
        assert_eq!(sums(&[u128::MAX, 2, 4, 1]), sums(&[1, 4, u128::MAX, 2]));
        assert_ne!(sums(&[1, 2]), sums(&[1, 1, 2]));
        assert_eq!(sums(&[u128::MAX, 1]), [(bucket(1, -3), top(2, 0))]);
    }

    #[test]
    fn what_is_equal_is_taken_out_and_the_rest_stays() {
        let mut digests = Digests::default();
        for (day, id) in [(1, 5), (2, 6), (3, 7)] {
            digests.add(bucket(9, day), id, false);
        }
        let stored =
            [(1, Some(top(1, 5))), (2, Some(top(1, 9))), (3, None), (4, Some(top(1, 1))), (5, Some(top(0, 0)))];
        let equal = stored.map(|(day, stored)| digests.compare(bucket(9, day), stored));
        assert_eq!(equal, [true, false, false, false, true]);
        let mut left: Vec<_> = digests.all().map(|(bucket, held)| (bucket.day, held.top.records)).collect();
        left.sort_unstable();
        assert_eq!(left, [(2, 1), (3, 1), (4, 0)]);
        assert_eq!(digests.records(), 3);
    }

    #[test]
    fn records_that_the_top_may_not_repeat_are_remembered_when_their_day_is_taken_out() {
        let mut digests = Digests::default();
        for (day, id, is_nested) in
            [(1, 5, false), (1, 5, true), (2, 6, true), (3, 7, false), (3, 8, false), (3, 8, true)]
        {
            digests.add(bucket(9, day), id, is_nested);
        }
        let all: Vec<_> = digests.all().collect();
        for (bucket, held) in all {
            assert!(digests.compare(bucket, Some(held)));
        }
        let mut apart: Vec<_> = digests.apart().map(|(bucket, top)| (bucket.day, top)).collect();
        apart.sort_unstable();
        assert_eq!(apart, [(2, 0), (3, 2)]);
    }

    #[test]
    fn a_record_inside_another_element_is_not_one_at_the_top() {
        let mut digests = Digests::default();
        digests.add(bucket(1, 1), 5, true);
        assert!(!digests.repeats_nested());
        digests.add(bucket(1, 1), 5, false);
        assert!(digests.repeats_nested());
        assert!(!digests.compare(bucket(1, 1), Some(top(2, 10))));
        digests.add(bucket(1, 1), 6, false);
        assert!(!digests.repeats_nested());
    }

    #[test]
    fn copies_are_numbered_as_long_as_their_day_is_open() {
        let mut copies = Copies::default();
        assert_eq!([7, 8, 7, 7, 8].map(|id| copies.number(bucket(1, 1), id)), [1, 1, 2, 3, 2].map(Some));
        assert_eq!(copies.number(bucket(1, 2), 7), Some(1));
        for id in 0..MOST_IDS as u128 {
            let day = i32::try_from(id / 100).expect("small");
            assert_eq!(copies.number(bucket(2, day), id), Some(1));
        }
        assert_eq!(copies.number(bucket(1, 1), 7), None, "long gone");
        assert_eq!(
            copies.number(bucket(2, i32::try_from(MOST_IDS / 100).expect("small") - 1), MOST_IDS as u128 - 1),
            Some(2)
        );
        assert!(copies.held <= MOST_IDS);
    }
}
