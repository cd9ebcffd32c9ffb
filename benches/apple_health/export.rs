//! Writes an export as a phone does: invented data, the same for the same seed. A later export of the same history has
//! another offset in every date, other addresses in every device, some days more and a few samples less.

use std::fmt::Write as _;
use std::io::{self, Write};

use chrono::{DateTime, Offset, TimeZone};

use crate::mix::{Kind, MIX, Type, shares};
use crate::random::Random;

/// Bytes of a record with what belongs to it, as the generator makes them.
const RECORD: u64 = 430;
/// Records a day.
const A_DAY: u64 = 2_320;
/// Noon of 2026-11-01 UTC: the end of the history.
const END: i64 = 1_793_534_400;
const DAY: i64 = 86_400;

/// What differs from export to export.
#[derive(Clone)]
pub(crate) struct Export {
    pub(crate) megabytes: u64,
    pub(crate) zone: chrono_tz::Tz,
    pub(crate) pointer_seed: u64,
    /// Thousandths of the history that came after the first export.
    pub(crate) more: u64,
    /// Of a million samples so many are gone.
    pub(crate) gone: u64,
}

impl Export {
    pub(crate) fn of(megabytes: u64) -> Self {
        Self { megabytes, zone: chrono_tz::Europe::Berlin, pointer_seed: 1, more: 0, gone: 0 }
    }

    /// Writes it; how many records it has.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<u64> {
        let records = self.megabytes * 1_000_000 / RECORD;
        let days = (records / A_DAY).max(30).cast_signed();
        let made = END + DAY + self.more.cast_signed() * days * DAY / 1000;
        let offset = self.zone.offset_from_utc_datetime(&at(made).naive_utc()).fix().local_minus_utc();
        let mut writer = Writer {
            out,
            text: String::new(),
            clock: Clock { offset: i64::from(offset), ..Clock::default() },
            random: Random::new(1),
            pointers: Random::new(self.pointer_seed),
            losses: Random::new(self.pointer_seed + 77),
            gone: self.gone,
            start: END - days * DAY,
            records: 0,
        };
        writer.head(made)?;
        for (number, of) in (0..).zip(&MIX) {
            writer.random = Random::new(1_000 + number); // a later export repeats the same history
            let count = (records * of.share / shares()).max(1);
            writer.records_of(of, count, count * self.more / 1000, days)?;
        }
        writer.random = Random::new(7);
        writer.workouts((records * 2917 / 7_377_008).max(3), days)?;
        writer.summaries(days)?;
        writer.text.push_str("</HealthData>\n");
        writer.flush()?;
        Ok(writer.records)
    }
}

fn at(seconds: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

/// Times as text in the offset of the export.
#[derive(Default)]
struct Clock {
    offset: i64,
    day: i64,
    date: String,
}

impl Clock {
    fn put(&mut self, text: &mut String, seconds: i64) {
        let local = seconds + self.offset;
        let (day, rest) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        if self.day != day || self.date.is_empty() {
            self.day = day;
            self.date = at(day * DAY).format("%Y-%m-%d").to_string();
        }
        let sign = if self.offset < 0 { '-' } else { '+' };
        let (size, date) = (self.offset.abs(), &self.date);
        let (h, m, s) = (rest / 3600, rest / 60 % 60, rest % 60);
        let _ = write!(text, "{date} {h:02}:{m:02}:{s:02} {sign}{:02}{:02}", size / 3600, size / 60 % 60);
    }
}

const WATCH: &str = "Alex\u{2019}s\u{a0}Apple\u{a0}Watch";
const PHONE: &str = "Alex\u{2019}s iPhone";
const WATCHES: [(&str, &str, &str); 4] = [
    ("Watch3,4", "4.3.2", "7.6"),
    ("Watch5,4", "8.7", "9.6"),
    ("Watch6,18", "9.6.3", "11.6.1"),
    ("Watch7,3", "11.6.1", "26.1"),
];
const PHONES: [(&str, &str, &str); 3] =
    [("iPhone9,3", "11.4", "13.7"), ("iPhone12,1", "14.8", "16.7"), ("iPhone15,2", "17.6.1", "26.1")];

struct Writer<'a> {
    out: &'a mut dyn Write,
    text: String,
    clock: Clock,
    random: Random,
    pointers: Random,
    losses: Random,
    gone: u64,
    start: i64,
    records: u64,
}

impl Writer<'_> {
    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    fn head(&mut self, made: i64) -> io::Result<()> {
        self.text.push_str(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!-- HealthKit Export Version: 14 -->\n\
             <!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary)*)>\n\
             <!ATTLIST HealthData\n  locale CDATA #REQUIRED\n>\n]>\n<HealthData locale=\"en_US\">\n <ExportDate value=\"",
        );
        self.clock.put(&mut self.text, made);
        self.text.push_str(
            "\"/>\n <Me HKCharacteristicTypeIdentifierDateOfBirth=\"1987-06-05\" \
             HKCharacteristicTypeIdentifierBiologicalSex=\"HKBiologicalSexNotSet\"/>\n",
        );
        self.flush()
    }

    /// ` sourceName="…" sourceVersion="…" device="…"` of the writer's watch or phone at that part of the history.
    fn writer(&mut self, watch: bool, part: f64) {
        let (name, kind, models): (_, _, &[(&str, &str, &str)]) =
            if watch { (WATCH, "Apple Watch", &WATCHES) } else { (PHONE, "iPhone", &PHONES) };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place"
        )]
        let place = ((part * models.len() as f64) as usize).min(models.len() - 1);
        #[allow(clippy::cast_precision_loss, reason = "a handful")]
        let late = part * models.len() as f64 % 1.0 > 0.5;
        let (model, old, new) = models[place];
        let version = if late { new } else { old };
        let pointer = 0x2_8000_0000_u64 + self.pointers.below(0x7ff_ffff) * 16;
        let _ = write!(
            self.text,
            " sourceName=\"{name}\" sourceVersion=\"{version}\" device=\"&lt;&lt;HKDevice: 0x{pointer:x}&gt;, name:{kind}, \
             manufacturer:Apple Inc., model:{}, hardware:{model}, software:{version}&gt;\"",
            kind.trim_start_matches("Apple ")
        );
    }

    fn records_of(&mut self, of: &Type, count: u64, more: u64, days: i64) -> io::Result<()> {
        #[allow(clippy::cast_precision_loss, reason = "an invented time")]
        let (step, mut time) = ((days * DAY) as f64 / count as f64, self.start as f64);
        for number in 0..count + more {
            time += step * (0.05 + 1.9 * self.random.unit());
            let begin = self.text.len();
            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "an invented time")]
            self.record(of, time as i64, (number as f64 / count as f64).min(1.0));
            if self.gone > 0 && self.losses.below(1_000_000) < self.gone {
                self.text.truncate(begin);
                continue;
            }
            self.records += 1;
            if number % 499 == 7 {
                self.text.extend_from_within(begin..); // an app that wrote twice
                self.records += 1;
            }
            if self.text.len() > 1 << 20 {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn record(&mut self, of: &Type, start: i64, part: f64) {
        let prefix = if of.unit.is_empty() { "HKCategoryTypeIdentifier" } else { "HKQuantityTypeIdentifier" };
        let _ = write!(self.text, " <Record type=\"{prefix}{}\"", of.name);
        let look = crate::looks::of(of.kind, &mut self.random, start);
        match look.app {
            Some((name, version)) => {
                let _ = write!(self.text, " sourceName=\"{name}\" sourceVersion=\"{version}\"");
            }
            None => self.writer(look.watch, part),
        }
        if !of.unit.is_empty() {
            let _ = write!(self.text, " unit=\"{}\"", of.unit);
        }
        for (name, time) in [("creationDate", look.end + look.delay), ("startDate", look.start), ("endDate", look.end)]
        {
            let _ = write!(self.text, " {name}=\"");
            self.clock.put(&mut self.text, time);
            self.text.push('"');
        }
        let _ = write!(self.text, " value=\"{}\"", look.value);
        if of.kind == Kind::Variability {
            self.beats(look.start);
        } else if look.inside.is_empty() {
            self.text.push_str("/>\n");
        } else {
            let _ = write!(self.text, ">\n{} </Record>\n", look.inside);
        }
    }

    fn beats(&mut self, start: i64) {
        self.text.push_str(">\n  <HeartRateVariabilityMetadataList>\n");
        for beat in 0..30 + self.random.below(34).cast_signed() {
            let of_day = (start + beat + self.clock.offset).rem_euclid(DAY);
            let (h, m, s) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
            let half = if h < 12 { "AM" } else { "PM" };
            let (bpm, hundredths) = (57 + self.random.below(11), self.random.below(100));
            let _ = writeln!(
                self.text,
                "   <InstantaneousBeatsPerMinute bpm=\"{bpm}\" time=\"{}:{m:02}:{s:02}.{hundredths:02}\u{202f}{half}\"/>",
                (h + 11) % 12 + 1
            );
        }
        self.text.push_str("  </HeartRateVariabilityMetadataList>\n </Record>\n");
    }

    fn workouts(&mut self, count: u64, days: i64) -> io::Result<()> {
        for number in 0..count {
            #[allow(clippy::cast_precision_loss, reason = "a part of the history")]
            let part = number as f64 / count as f64;
            let start = self.start + days * DAY / count.cast_signed() * number.cast_signed();
            let length = 900 + self.random.below(4_000).cast_signed();
            let _ = write!(
                self.text,
                " <Workout workoutActivityType=\"HKWorkoutActivityTypeRunning\" duration=\"{}.5\" durationUnit=\"min\"",
                length / 60
            );
            self.writer(true, part);
            for (name, time) in
                [("creationDate", start + length + 4), ("startDate", start), ("endDate", start + length)]
            {
                let _ = write!(self.text, " {name}=\"");
                self.clock.put(&mut self.text, time);
                self.text.push('"');
            }
            self.text.push_str(
                ">\n  <MetadataEntry key=\"HKIndoorWorkout\" value=\"0\"/>\n  \
                 <MetadataEntry key=\"HKTimeZone\" value=\"Europe/Berlin\"/>\n </Workout>\n",
            );
            self.flush()?;
        }
        Ok(())
    }

    fn summaries(&mut self, days: i64) -> io::Result<()> {
        for day in 0..days {
            let date = at(self.start + day * DAY + DAY / 2).format("%Y-%m-%d");
            let (energy, exercise, stand) = (self.random.below(900), self.random.below(90), self.random.below(16));
            let _ = writeln!(
                self.text,
                " <ActivitySummary dateComponents=\"{date}\" activeEnergyBurned=\"{energy}.25\" activeEnergyBurnedGoal=\"550\" \
                 activeEnergyBurnedUnit=\"kcal\" appleExerciseTime=\"{exercise}\" appleExerciseTimeGoal=\"30\" \
                 appleStandHours=\"{stand}\" appleStandHoursGoal=\"12\"/>"
            );
        }
        self.flush()
    }
}
