//! Phone and watch count the same steps: for which share of its time each record of a day counts, where several writers
//! wrote. The rule is that of `models/daily_summaries.sql`, in the same arithmetic, because either may add up a day.

/// In which order writers are believed: the lower comes first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank {
    /// 0 typed in, 1 watch, 2 phone, 3 anything else.
    class: u8,
    name: String,
}

impl Rank {
    /// `device` decides where there is one, else the name of the app or device.
    pub(super) fn of(by_hand: bool, source_name: Option<&str>, device: Option<&str>) -> Self {
        let class = match (by_hand, device, source_name) {
            (true, ..) => 0,
            (_, Some(device), _) => device_class(&device.to_ascii_lowercase()),
            (_, None, Some(name)) => name_class(&name.to_ascii_lowercase()),
            (_, None, None) => 3,
        };
        Self { class, name: source_name.unwrap_or_default().to_owned() }
    }
}

/// As `apple_health_raw.device_class(null, device)`: what one of three properties of the device says.
fn device_class(device: &str) -> u8 {
    let said = |word: &str| {
        ["model:", "name:", "hardware:"].iter().any(|label| {
            device.match_indices(label).any(|(at, _)| {
                let value = &device[at + label.len()..];
                value[..value.find(',').unwrap_or(value.len())].contains(word)
            })
        })
    };
    if said("watch") {
        1
    } else if said("iphone") {
        2
    } else {
        3
    }
}

/// As `apple_health_raw.device_class(source_name, null)`.
fn name_class(name: &str) -> u8 {
    if name.contains("watch") {
        1
    } else if name.contains("iphone") {
        2
    } else {
        3
    }
}

/// A record of one day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) day: i32,
    /// The group of the day that it is added up with.
    pub(super) group: u32,
    /// Start in seconds since 1970.
    pub(super) start: i64,
    /// Seconds; none: it has no end.
    pub(super) length: Option<i64>,
    /// Zero where there is no number.
    pub(super) value: f64,
}

/// For how much of itself a record counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Share {
    All,
    None,
    /// For so many of its seconds.
    Seconds(i64),
}

/// What counts of the records of a group.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Counted {
    /// Of their values, each rounded.
    pub(super) billionths: i128,
    pub(super) seconds: i128,
    /// Of their number, in millionths.
    pub(super) parts: i128,
}

impl Counted {
    fn add(&mut self, span: &Span, share: Share) {
        let length = span.length.unwrap_or_default();
        let (value, seconds, parts) = match share {
            Share::All => (span.value, length, 1_000_000),
            Share::None => (0.0, 0, 0),
            #[allow(clippy::cast_precision_loss, reason = "seconds of a record")]
            Share::Seconds(free) => {
                (span.value * free as f64 / length as f64, free, rounded(free as f64 / length as f64 * 1e6))
            }
        };
        self.billionths = self.billionths.saturating_add(billionths(value)); // such a day is left to the model
        self.seconds += i128::from(seconds);
        self.parts += parts;
    }
}

/// A value in billionths: fine enough for nutrients, which are micrograms written in grams.
pub(super) fn billionths(value: f64) -> i128 {
    rounded(value * 1e9)
}

/// As the database rounds.
fn rounded(value: f64) -> i128 {
    #[allow(clippy::cast_possible_truncation, reason = "a float goes into 128 bits, or is cut to them")]
    let rounded = value.round_ties_even() as i128;
    rounded
}

/// Goes through the records of one day from the best writer to the last. `rank` is that of a group, the lowest the best.
pub(super) fn sweep<R: Ord>(
    spans: &mut [Span],
    rank: impl Fn(u32) -> R,
    mut counted: impl FnMut(u32, &dyn Fn(&mut Counted)),
) {
    spans.sort_unstable_by_key(|span| (rank(span.group), span.start));
    let mut better: Vec<(i64, i64)> = Vec::new();
    for writer in spans.chunk_by(|one, other| rank(one.group) == rank(other.group)) {
        for span in writer {
            let share = share(span, &better);
            counted(span.group, &|counted| counted.add(span, share));
        }
        better.extend(writer.iter().filter_map(|span| {
            let length = span.length.filter(|length| *length > 0)?;
            Some((span.start, span.start + length))
        }));
        unite(&mut better);
    }
}

/// Joins stretches that touch or overlap.
fn unite(stretches: &mut Vec<(i64, i64)>) {
    stretches.sort_unstable();
    stretches.dedup_by(|next, last| {
        let touches = next.0 <= last.1;
        if touches {
            last.1 = last.1.max(next.1);
        }
        touches
    });
}

/// What the time of better writers, in order and apart from each other, leaves of a record.
fn share(span: &Span, better: &[(i64, i64)]) -> Share {
    let from = better.partition_point(|(_, end)| *end <= span.start);
    let Some(length) = span.length.filter(|length| *length > 0) else {
        let is_covered = better.get(from).is_some_and(|(start, _)| *start <= span.start);
        return if is_covered { Share::None } else { Share::All };
    };
    let end = span.start + length;
    let over = better[from..].iter().take_while(|(start, _)| *start < end);
    let covered: i64 = over.map(|(start, until)| until.min(&end) - start.max(&span.start)).sum();
    match length - covered {
        free if free == length => Share::All,
        0 => Share::None,
        free => Share::Seconds(free),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_says_what_it_is_else_the_name_does() {
        let class = |device: Option<&str>, name: &str| Rank::of(false, Some(name), device).class;
        assert_eq!(class(Some("name:Apple Watch, manufacturer:Apple Inc."), "My iPhone"), 1);
        assert_eq!(class(Some("name:x, hardware:Watch5,4"), ""), 1);
        assert_eq!(class(Some("manufacturer:Watch Inc., model:iPhone"), "Watch"), 2);
        assert_eq!(class(Some("name:scale, software:watch"), "Watch"), 3);
        assert_eq!(class(None, "Anna's APPLE WATCH"), 1);
        assert_eq!(class(None, "iPhone"), 2);
        assert_eq!(class(None, "Health"), 3);
        assert_eq!(Rank::of(true, None, Some("name:watch")), Rank { class: 0, name: String::new() });
        assert_eq!(Rank::of(false, None, None).class, 3);
    }

    #[test]
    fn each_moment_counts_once_for_the_best() {
        let ranks = [Rank { class: 1, name: "w".into() }, Rank { class: 2, name: "p".into() }];
        let span = |group, start, length, value| Span { day: 0, group, start, length, value };
        let mut spans = [
            span(1, 0, Some(100), 10.0), // half of it behind the watch
            span(1, 200, Some(10), 3.0), // free
            span(1, 60, Some(20), 5.0),  // covered
            span(1, 70, None, 1.0),      // an instant that is covered
            span(1, 100, Some(0), 1.0),  // an instant at the open end of a stretch: free
            span(0, 50, Some(25), 7.0),
            span(0, 75, Some(25), 8.0),
            span(0, 60, Some(10), 1.0), // the best writer's own records all count
        ];
        let mut all = [Counted::default(); 2];
        sweep(&mut spans, |group| &ranks[group as usize], |group, add| add(&mut all[group as usize]));
        assert_eq!(all[0], Counted { billionths: 16_000_000_000, seconds: 60, parts: 3_000_000 });
        assert_eq!(all[1], Counted { billionths: 9_000_000_000, seconds: 60, parts: 2_500_000 });
    }

    #[test]
    fn halves_are_rounded_to_even_like_in_the_database() {
        assert_eq!((billionths(0.5e-9), billionths(1.5e-9), billionths(-2.5e-9)), (0, 2, -2));
    }
}
