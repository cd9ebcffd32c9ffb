//! Days added up while their records pass by: what the model of the days needs of a first import, so that it need not
//! read millions of rows that have just been written (docs/adr/30). One type is open at a time, as exports are ordered.
//! Whatever does not come in that order, or does not fit, is left to the model, which adds up such a day by itself.

mod digest;
mod emit;
mod sweep;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;

use super::record::Record;
use super::rows::Numbered;
use crate::source::Sink;
use sweep::{Counted, Rank, Span};

/// Records of an open type that are kept to bring its writers together; few where the program is built for its tests, so
/// that they come to more.
const MOST_SPANS: usize = if cfg!(debug_assertions) { 2_000 } else { 500_000 };
/// From so many on the writers of a type are brought together beside the reading.
const MANY_SPANS: usize = if cfg!(debug_assertions) { 10 } else { 20_000 };
/// Groups of an open type. Only a type with a new word in each record has more.
const MOST_GROUPS: usize = 100_000;
/// A sum of larger values is left to the model, in another arithmetic.
const LARGEST: f64 = 1e9;

/// By app, device, and whether somebody typed it in.
type Ranks = HashMap<(Option<i32>, Option<i32>, bool), Rank>;

/// The sums of a document.
#[derive(Default)]
pub(super) struct Sums {
    /// Otherwise nobody asks for more than which days, units and categories there are.
    for_models: bool,
    open: Option<Kind>,
    /// One that is over, whose writers are being brought together beside the reading.
    closing: Option<JoinHandle<Kind>>,
    /// Types that were open once.
    closed: HashSet<i32>,
    /// Days left to the model after something of them was handed on, by type.
    left: HashSet<(i32, i32)>,
    ranks: Arc<Ranks>,
    row: crate::source::Row,
}

/// Records of one type.
struct Kind {
    number: i32,
    name: String,
    is_category: bool,
    adds_up: Option<AddsUp>,
    groups: Vec<(Group, Sum)>,
    places: HashMap<Group, u32>,
    /// The groups met last: neighbours share them, or two writers take turns.
    last: [u32; 2],
    /// It was open before.
    is_back: bool,
    /// Words of values, by number from 1 on.
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
    spans: Vec<Span>,
    /// Spans up to this day have been let go.
    swept: Option<i32>,
    left: HashSet<i32>,
}

/// What is added up together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Group {
    day: i32,
    unit: i32,
    /// 0: a number, or none.
    text: u32,
    source_name: Option<i32>,
    device: Option<i32>,
    by_hand: bool,
    at_meal: bool,
    is_above_one: Option<bool>,
}

/// Sums of a group.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Sum {
    records: i64,
    ended: i64,
    billionths: i128,
    /// Lowest and highest value.
    values: Option<(f64, f64)>,
    seconds: i128,
    /// Shortest and longest length.
    lengths: Option<(i64, i64)>,
    digest: i64,
    west: i32,
    east: i32,
    /// None: the day has one writer.
    counted: Option<Counted>,
}

/// How a type whose values add up does so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum AddsUp {
    Values,
    Categories,
    /// The lengths of its records.
    Lengths,
}

/// Types with a metric whose values of a day add up.
static ADDING: LazyLock<HashMap<String, AddsUp>> = LazyLock::new(|| {
    let rows = |text: &str| csv::Reader::from_reader(text.as_bytes()).into_records().flatten().collect::<Vec<_>>();
    let metrics: HashSet<String> = rows(include_str!("../../../canonical/metrics.csv"))
        .iter()
        .filter(|row| &row[4] == "sum")
        .map(|row| row[0].to_owned())
        .collect();
    rows(include_str!("../mapping/types.csv"))
        .iter()
        .filter(|row| metrics.contains(&row[1]))
        .map(|row| {
            let how = match (&row[3], is_category(&row[0])) {
                ("duration", _) => AddsUp::Lengths,
                (_, true) => AddsUp::Categories,
                (_, false) => AddsUp::Values,
            };
            (row[0].to_owned(), how)
        })
        .collect()
});

fn is_category(name: &str) -> bool {
    name.starts_with("HKCategoryTypeIdentifier")
}

/// As `apple_health_raw.by_hand(metadata)`: a key that occurs twice says nothing.
fn is_by_hand(record: &Record) -> bool {
    let mut said = record.metadata.iter().filter(|(key, _)| key == "HKWasUserEntered");
    matches!((said.next(), said.next()), (Some((_, value)), None) if value == "1")
}

/// As `apple_health_raw.at_meal(metadata)`.
fn is_at_meal(record: &Record) -> bool {
    let keys = ["HKBloodGlucoseMealTime", "HKMetadataKeyBloodGlucoseMealTime"];
    record.metadata.iter().any(|(key, _)| keys.contains(&key.as_str()))
}

impl Sums {
    pub(super) fn new(for_models: bool) -> Self {
        Self { for_models, ..Self::default() }
    }

    /// One record more, which has gone to the account's own table.
    pub(super) fn add(&mut self, record: &Record, numbered: &Numbered, sink: &mut dyn Sink) -> anyhow::Result<()> {
        if self.open.as_ref().is_none_or(|kind| kind.number != numbered.kind) {
            self.close(sink)?;
            let mut kind = Kind::new(numbered.kind, &record.words.kind);
            kind.is_back = self.closed.contains(&kind.number);
            self.open = Some(kind);
        }
        let Some(kind) = &mut self.open else { return Ok(()) };
        if !self.for_models {
            kind.meet(record, numbered);
        } else if let Some(Group { source_name, device, by_hand, .. }) = kind.add(record, numbered) {
            Arc::make_mut(&mut self.ranks).entry((source_name, device, by_hand)).or_insert_with(|| {
                Rank::of(by_hand, record.words.source_name.as_deref(), record.words.device.as_deref())
            });
        }
        if kind.spans.len() >= MOST_SPANS {
            kind.sweep_older(&self.ranks);
        }
        if kind.groups.len() >= MOST_GROUPS {
            self.left.extend(kind.groups.iter().map(|(group, _)| (kind.number, group.day)));
            kind.spans.clear();
            return emit::groups(kind, &mut self.row, sink);
        }
        Ok(())
    }

    /// Closes the open type. Bringing its writers together takes a tenth of a second where its records are many, in which
    /// the server would wait for more; few are done at once, because a document may change its type with every record.
    fn close(&mut self, sink: &mut dyn Sink) -> anyhow::Result<()> {
        let Some(mut kind) = self.open.take() else { return Ok(()) };
        self.closed.insert(kind.number);
        if kind.spans.len() < MANY_SPANS {
            kind.sweep(i32::MAX, &self.ranks);
            return self.hand_on(kind, sink);
        }
        self.settle(sink)?;
        let ranks = Arc::clone(&self.ranks);
        self.closing = Some(std::thread::spawn(move || {
            kind.sweep(i32::MAX, &ranks);
            kind
        }));
        Ok(())
    }

    /// Waits for the one that is closing.
    fn settle(&mut self, sink: &mut dyn Sink) -> anyhow::Result<()> {
        let Some(closing) = self.closing.take() else { return Ok(()) };
        let kind = closing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        self.hand_on(kind, sink)
    }

    fn hand_on(&mut self, mut kind: Kind, sink: &mut dyn Sink) -> anyhow::Result<()> {
        emit::groups(&mut kind, &mut self.row, sink)?;
        self.left.extend(kind.left.iter().map(|day| (kind.number, *day)));
        Ok(())
    }

    /// The document has ended.
    pub(super) fn finish(&mut self, sink: &mut dyn Sink) -> anyhow::Result<()> {
        self.close(sink)?;
        self.settle(sink)?;
        emit::left(&self.left, &mut self.row, sink)
    }
}

impl Kind {
    fn new(number: i32, name: &str) -> Self {
        Self {
            number,
            name: name.to_owned(),
            is_category: is_category(name),
            adds_up: ADDING.get(name).copied(),
            groups: Vec::new(),
            places: HashMap::new(),
            last: [0; 2],
            is_back: false,
            texts: Vec::new(),
            numbers: HashMap::new(),
            spans: Vec::new(),
            swept: None,
            left: HashSet::new(),
        }
    }

    /// Says to which group it came, where that is new.
    fn add(&mut self, record: &Record, numbered: &Numbered) -> Option<Group> {
        let said = record.value_text.as_deref().filter(|_| self.is_category || numbered.value.is_none());
        let group = Group {
            day: numbered.local_day,
            unit: numbered.unit.unwrap_or(0),
            text: said.map_or(0, |said| self.text(said)),
            source_name: numbered.source_name,
            device: numbered.device,
            by_hand: is_by_hand(record),
            at_meal: is_at_meal(record),
            is_above_one: numbered.value.map(|value| value > 1.0),
        };
        let known = self.groups.len();
        let place = self.place(group);
        let length = record.end_at.map(|end| end - record.start_at);
        let sum = &mut self.groups[place as usize].1;
        sum.add(record, numbered);
        if self.is_category || numbered.value.is_none() {
            sum.add_length(length);
        }
        if self.is_back
            || numbered.value.is_some_and(|value| value.abs() >= LARGEST)
            || self.swept.is_some_and(|swept| group.day <= swept && self.adds_up.is_some())
        {
            self.left.insert(group.day);
        }
        let counts = match self.adds_up {
            Some(AddsUp::Values) => numbered.value.is_some(),
            Some(AddsUp::Categories) => true,
            Some(AddsUp::Lengths) => length.is_some(),
            None => false,
        };
        if counts {
            let value = numbered.value.unwrap_or_default();
            self.spans.push(Span { day: group.day, group: place, start: record.start_at, length, value });
        }
        (self.groups.len() > known).then_some(group)
    }

    /// A record of which nothing is added up.
    fn meet(&mut self, record: &Record, numbered: &Numbered) {
        let said = record.value_text.as_deref().filter(|_| self.is_category);
        let group = Group {
            day: numbered.local_day,
            unit: numbered.unit.unwrap_or(0),
            text: said.map_or(0, |said| self.text(said)),
            source_name: None,
            device: None,
            by_hand: false,
            at_meal: false,
            is_above_one: numbered.value.map(|_| false),
        };
        let place = self.place(group);
        self.groups[place as usize].1.records += 1;
    }

    /// The number of a value's word.
    fn text(&mut self, said: &str) -> u32 {
        if let Some(number) = self.numbers.get(said) {
            return *number;
        }
        self.texts.push(said.to_owned());
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(said.to_owned(), number);
        number
    }

    fn place(&mut self, group: Group) -> u32 {
        let is_of = |place: u32| self.groups.get(place as usize).is_some_and(|(last, _)| *last == group);
        let [last, before] = self.last;
        if is_of(last) {
            return last;
        }
        let next = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        let place = if is_of(before) { before } else { *self.places.entry(group).or_insert(next) };
        if place == next {
            self.groups.push((group, Sum::default()));
        }
        self.last = [place, last];
        place
    }

    /// Room for more: the older half of the days is brought to its end.
    fn sweep_older(&mut self, ranks: &Ranks) {
        let middle = self.spans.len() / 2;
        let (_, span, _) = self.spans.select_nth_unstable_by_key(middle, |span| span.day);
        let day = span.day;
        self.sweep(day, ranks);
        self.swept = Some(self.swept.map_or(day, |swept| swept.max(day)));
    }

    /// Brings the writers of each day up to this one together, and lets their records go.
    fn sweep(&mut self, until: i32, ranks: &Ranks) {
        if self.spans.is_empty() {
            return;
        }
        self.spans.sort_unstable_by_key(|span| span.day);
        let many = self.spans.partition_point(|span| span.day <= until);
        let later = self.spans.split_off(many);
        let mut spans = std::mem::replace(&mut self.spans, later);
        let groups = &mut self.groups;
        let writer = |group: &Group| (group.source_name, group.device, group.by_hand);
        let unranked = Rank::of(false, None, None);
        let mut order: Vec<&Rank> = ranks.values().chain([&unranked]).collect();
        order.sort_unstable();
        let rank = |(group, _): &(Group, Sum)| {
            let own = ranks.get(&writer(group)).unwrap_or(&unranked);
            order.partition_point(|other| *other < own)
        };
        let places: Vec<usize> = groups.iter().map(rank).collect();
        for day in spans.chunk_by_mut(|one, other| one.day == other.day) {
            let group = |span: &Span| groups[span.group as usize].0;
            let first = group(&day[0]);
            if day.iter().all(|span| writer(&group(span)) == writer(&first)) {
                continue;
            }
            let meaning = |group: &Group| (group.unit, group.text);
            if day.iter().any(|span| meaning(&group(span)) != meaning(&first)) {
                self.left.insert(first.day); // one of them may mean nothing, and cover nothing
                continue;
            }
            let mut counted: HashMap<u32, Counted> = HashMap::new();
            sweep::sweep(day, |place| places[place as usize], |place, add| add(counted.entry(place).or_default()));
            for (place, counted) in counted {
                groups[place as usize].1.counted = Some(counted);
            }
        }
    }
}

impl Sum {
    fn add(&mut self, record: &Record, numbered: &Numbered) {
        let offset_s = numbered.offset_s;
        (self.west, self.east) = match self.records {
            0 => (offset_s, offset_s),
            _ => (self.west.min(offset_s), self.east.max(offset_s)),
        };
        self.records += 1;
        self.ended += i64::from(record.end_at.is_some());
        self.digest ^= digest::of(numbered.id, numbered.ordinal);
        if let Some(value) = numbered.value {
            self.billionths = self.billionths.saturating_add(sweep::billionths(value));
            let (low, high) = self.values.unwrap_or((value, value));
            self.values = Some((low.min(value), high.max(value)));
        }
    }

    fn add_length(&mut self, length: Option<i64>) {
        let Some(length) = length else { return };
        self.seconds += i128::from(length); // 64 bits each: no export has enough records
        let (short, long) = self.lengths.unwrap_or((length, length));
        self.lengths = Some((short.min(length), long.max(length)));
    }
}
