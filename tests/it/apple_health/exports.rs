//! Exports of an invented phone, written as Apple writes them.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use chrono::{NaiveDateTime, TimeDelta};

/// One export; instants are kept in Pacific standard time and written in the offset of the export.
#[derive(Clone)]
pub struct Export {
    pub made: String,
    /// Hours east of Pacific standard time on the day of the export.
    pub offset_hours: i64,
    /// What the addresses of devices begin from: they differ from export to export.
    pub pointer: u64,
    pub records: Vec<Record>,
    /// Written behind the records; see [`in_zone`].
    pub rest: String,
}

#[derive(Clone)]
pub struct Record {
    pub kind: &'static str,
    pub unit: &'static str,
    pub value: String,
    pub start: NaiveDateTime,
    pub seconds: i64,
    /// `HKTimeZone` and others.
    pub metadata: Vec<(&'static str, &'static str)>,
    /// Written inside, as it is.
    pub inside: &'static str,
}

impl Export {
    pub fn new(made: &str) -> Self {
        Export { made: made.into(), offset_hours: 0, pointer: 1, records: vec![], rest: String::new() }
    }

    /// A few hundred records of several types, with metadata and a pair of copies.
    pub fn year() -> Self {
        let mut export = Export::new("2026-02-20");
        export.add_steps("2026-01-05 07:00:00", 300, 12);
        for n in 0..200u16 {
            let mut pulse = record("HeartRate", "count/min", &(55 + n % 40).to_string(), "2026-01-06 08:00:00");
            pulse.start += TimeDelta::minutes(i64::from(n) * 5);
            pulse.seconds = 0;
            pulse.metadata = vec![("HKMetadataKeyHeartRateMotionContext", if n % 3 == 0 { "1" } else { "2" })];
            export.records.push(pulse);
        }
        for n in 0..30u8 {
            let mut weight = record("BodyMass", "lb", &format!("{}.{}", 170 + n / 10, n % 10), "2026-01-05 06:30:00");
            weight.start += TimeDelta::days(i64::from(n));
            weight.metadata = vec![("HKWasUserEntered", "1")];
            export.records.push(weight);
        }
        let mut sleep = record("SleepAnalysis", "", "HKCategoryValueSleepAnalysisAsleepDeep", "2026-01-07 23:10:00");
        sleep.metadata = vec![("HKTimeZone", "Europe/Berlin")];
        export.records.extend([sleep.clone(), sleep]);
        let mut variability = record("HeartRateVariabilitySDNN", "ms", "41.5", "2026-01-07 03:00:00");
        variability.inside = "<HeartRateVariabilityMetadataList>\
            <InstantaneousBeatsPerMinute bpm=\"61\" time=\"{beat:1.25}\"/>\
            <InstantaneousBeatsPerMinute bpm=\"63\" time=\"{beat:2.5}\"/></HeartRateVariabilityMetadataList>";
        export.records.push(variability);
        export
    }

    pub fn add_steps(&mut self, from: &str, count: u16, steps: u16) {
        for n in 0..count {
            let mut walk = record("StepCount", "count", &(steps + n % 7).to_string(), from);
            walk.start += TimeDelta::minutes(i64::from(n) * 10);
            self.records.push(walk);
        }
    }

    pub fn xml(&self) -> String {
        let offset = -8 + self.offset_hours;
        let zone = format!("{}{:02}00", if offset < 0 { '-' } else { '+' }, offset.abs());
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!-- HealthKit Export Version: 14 -->\n\
             <!ELEMENT HealthData (ExportDate,Me,Record*)>\n]>\n<HealthData locale=\"en_US\">\n \
             <ExportDate value=\"{} 10:00:00 {zone}\"/>\n <Me HKCharacteristicTypeIdentifierDateOfBirth=\"\"/>\n",
            self.made
        );
        for (number, record) in self.records.iter().enumerate() {
            let at = |seconds: i64| {
                let local = record.start + TimeDelta::hours(self.offset_hours) + TimeDelta::seconds(seconds);
                format!("{} {zone}", local.format("%Y-%m-%d %H:%M:%S"))
            };
            let device = format!(
                "&lt;&lt;HKDevice: 0x{:x}&gt;, name:Watch, model:Watch&gt;",
                self.pointer * 65_536 + number as u64
            );
            let unit = if record.unit.is_empty() { String::new() } else { format!(" unit=\"{}\"", record.unit) };
            let prefix = if record.unit.is_empty() { "HKCategoryTypeIdentifier" } else { "HKQuantityTypeIdentifier" };
            let _ = write!(
                xml,
                " <Record type=\"{prefix}{}\" sourceName=\"Alex\u{2019}s\u{a0}Watch\" sourceVersion=\"11.2\" device=\"{device}\"{unit} \
                 creationDate=\"{}\" startDate=\"{}\" endDate=\"{}\" value=\"{}\"",
                record.kind,
                at(record.seconds + 1),
                at(0),
                at(record.seconds),
                record.value
            );
            let mut inside = String::new();
            for (key, value) in &record.metadata {
                let _ = write!(inside, "\n  <MetadataEntry key=\"{key}\" value=\"{value}\"/>");
            }
            inside.push_str(&self.with_beats(record));
            xml.push_str(&if inside.is_empty() { "/>\n".to_owned() } else { format!(">{inside}\n </Record>\n") });
        }
        xml + &in_zone(&self.rest, self.offset_hours, self.pointer) + "</HealthData>\n"
    }

    /// Beats are times of day in the offset of the export.
    fn with_beats(&self, record: &Record) -> String {
        let mut text = record.inside.to_owned();
        while let Some((before, after)) = text.split_once("{beat:") {
            let (seconds, after) = after.split_once('}').expect("a beat");
            let (whole, fraction) = seconds.split_once('.').expect("a fraction");
            let fraction = format!("{fraction:0<2}");
            let whole: i64 = whole.parse().expect("seconds");
            let at = record.start + TimeDelta::hours(self.offset_hours) + TimeDelta::seconds(whole);
            text = format!("{before}{}.{fraction} {}{after}", at.format("%-I:%M:%S"), at.format("%p"));
        }
        text
    }
}

pub fn record(kind: &'static str, unit: &'static str, value: &str, start: &str) -> Record {
    let start = NaiveDateTime::parse_from_str(start, "%Y-%m-%d %H:%M:%S").expect("a time");
    Record { kind, unit, value: value.into(), start, seconds: 60, metadata: vec![], inside: "" }
}

/// A zip with these entries.
pub fn zipped(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("an entry");
        zip.write_all(content.as_bytes()).expect("content");
    }
    zip.finish().expect("a zip").into_inner()
}

/// A workout with all that a workout can hold.
pub const WORKOUT: &str = concat!(
    " <Workout workoutActivityType=\"HKWorkoutActivityTypeRunning\" duration=\"29.5\" durationUnit=\"min\" sourceName=\"Watch\" ",
    "device=\"&lt;&lt;HKDevice: 0x{pointer}&gt;, name:Watch, model:Watch&gt;\" creationDate=\"{at:2026-01-07 09:31:00}\" ",
    "startDate=\"{at:2026-01-07 09:00:00}\" endDate=\"{at:2026-01-07 09:30:00}\">\n",
    "  <MetadataEntry key=\"HKTimeZone\" value=\"Asia/Tokyo\"/>\n  <MetadataEntry key=\"HKIndoorWorkout\" value=\"0\"/>\n",
    "  <WorkoutEvent type=\"HKWorkoutEventTypePause\" date=\"{at:2026-01-07 09:10:00}\"><MetadataEntry key=\"k\" value=\"v\"/></WorkoutEvent>\n",
    "  <WorkoutActivity uuid=\"7f\" startDate=\"{at:2026-01-07 09:00:00}\" endDate=\"{at:2026-01-07 09:30:00}\">\n",
    "   <WorkoutStatistics type=\"HKQuantityTypeIdentifierHeartRate\" startDate=\"{at:2026-01-07 09:00:00}\" endDate=\"{at:2026-01-07 09:30:00}\" average=\"151\" unit=\"count/min\"/>\n",
    "  </WorkoutActivity>\n",
    "  <WorkoutStatistics type=\"HKQuantityTypeIdentifierHeartRate\" startDate=\"{at:2026-01-07 09:00:00}\" endDate=\"{at:2026-01-07 09:30:00}\" average=\"151\" unit=\"count/min\"/>\n",
    "  <WorkoutStatistics type=\"HKQuantityTypeIdentifierStepCount\" startDate=\"{at:2026-01-07 09:00:00}\" endDate=\"{at:2026-01-07 09:30:00}\" sum=\"3000\" unit=\"count\"/>\n",
    "  <WorkoutRoute sourceName=\"Watch\" startDate=\"{at:2026-01-07 09:00:00}\" endDate=\"{at:2026-01-07 09:30:00}\">\n",
    "   <Location date=\"{at:2026-01-07 09:00:01}\" latitude=\"35.6\" longitude=\"139.7\"/>\n   <FileReference path=\"/workout-routes/route_1.gpx\"/>\n",
    "  </WorkoutRoute>\n </Workout>\n"
);

/// `{at:2026-01-07 09:00:00}`, in Pacific standard time, as an export writes it that many hours east of it; `{pointer}`
/// as an address.
pub fn in_zone(text: &str, offset_hours: i64, pointer: u64) -> String {
    let (mut written, mut rest) = (String::new(), text);
    let offset = -8 + offset_hours;
    let zone = format!("{}{:02}00", if offset < 0 { '-' } else { '+' }, offset.abs());
    while let Some((before, after)) = rest.split_once("{at:") {
        let (at, after) = after.split_once('}').expect("an instant");
        let at =
            NaiveDateTime::parse_from_str(at, "%Y-%m-%d %H:%M:%S").expect("a time") + TimeDelta::hours(offset_hours);
        let _ = write!(written, "{before}{} {zone}", at.format("%Y-%m-%d %H:%M:%S"));
        rest = after;
    }
    (written + rest).replace("{pointer}", &format!("{pointer:x}"))
}
