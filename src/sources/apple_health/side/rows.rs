//! Side files on their way to their stages. The order of the fields is that of `sql/side/*/create_stage.sql`. A file that
//! cannot be used becomes a reject with its path, and a mark that a file of its kind was not understood.

use chrono::DateTime;
use serde_json::json;
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_128;

use super::super::record::Fault;
use super::super::{ATTACHMENTS, CLINICAL_RECORDS, ECGS, ROUTES, UNREAD};
use super::{Kind, clinical, ecg, fault, gpx, kind_of, media_type};
use crate::source::{Held, Reading, Rejected, Row, SideFile, Sink};

/// Attachments are copied whole from here to the database.
const LARGEST_ATTACHMENT: usize = 32 << 20;
/// Of a file that is set aside so much is kept.
const KEPT: usize = 64 << 10;

impl Kind {
    /// As summaries name it, and the SQL of the stages.
    fn name(self) -> &'static str {
        match self {
            Self::Route => "Route",
            Self::Ecg => "Electrocardiogram",
            Self::ClinicalRecord => "Clinical record",
            Self::Attachment => "Attachment",
        }
    }

    /// How many columns its stage has behind identity, path and size.
    fn columns(self) -> usize {
        match self {
            Self::Route => 15,
            Self::Ecg => 13,
            Self::ClinicalRecord | Self::Attachment => 3,
        }
    }

    fn stage(self) -> usize {
        match self {
            Self::Route => ROUTES,
            Self::Ecg => ECGS,
            Self::ClinicalRecord => CLINICAL_RECORDS,
            Self::Attachment => ATTACHMENTS,
        }
    }
}

/// Whether a file belongs to an export.
pub(in super::super) fn belongs(path: &str, head: &[u8]) -> bool {
    kind_of(path, head).is_some()
}

/// Reads one file into its stage, as far as it is not held.
pub(in super::super) fn read(
    file: &SideFile,
    held: &Held,
    reading: &Reading,
    sink: &mut dyn Sink,
) -> anyhow::Result<()> {
    let head = file.content.as_ref().map_or(&[][..], |bytes| bytes);
    let kind = kind_of(file.path, head).unwrap_or(Kind::Attachment);
    let mut row = Row::default();
    row.clear();
    let made = match &file.content {
        Ok(bytes) => encode(kind, (file.path, bytes), held, reading, &mut row),
        Err(why) => Err(fault("unreadable", format!("the file cannot be read: {why}"))),
    };
    match made {
        Ok(day) => sink.row(kind.stage(), kind.name(), day, &row),
        Err(fault) => {
            sink.reject(kind.stage(), kind.name(), rejected(kind, file, fault))?;
            row.clear();
            row.text(Some(kind.name()));
            sink.row(UNREAD, "", None, &row)
        }
    }
}

fn rejected(kind: Kind, file: &SideFile, fault: Fault) -> Rejected {
    // Of one that cannot be read its path is what tells it from others.
    let bytes = match (&file.content, kind) {
        (Ok(bytes), Kind::Ecg) => ecg::nameless(bytes),
        (Ok(bytes), _) => bytes,
        (Err(_), _) => file.path.as_bytes(),
    };
    Rejected {
        locator: json!({"file": file.path}),
        code: fault.code,
        detail: fault.detail,
        source_id: None,
        payload: bytes[..bytes.len().min(KEPT)].to_vec(),
    }
}

/// Says the local day, where the file has one.
fn encode(
    kind: Kind,
    (path, bytes): (&str, &[u8]),
    held: &Held,
    reading: &Reading,
    row: &mut Row,
) -> Result<Option<i32>, Fault> {
    let mut ecg = None;
    let id = match kind {
        Kind::Route => XxHash3_128::oneshot(gpx::track(bytes)),
        Kind::Ecg => ecg.insert(ecg::read(bytes)?).identity(),
        Kind::ClinicalRecord | Kind::Attachment => XxHash3_128::oneshot(bytes),
    };
    row.uuid(id);
    row.text(Some(path));
    row.int(i32::try_from(bytes.len()).ok());
    if let Some(file) = held.get(&id).filter(|file| file.kind == kind.name()) {
        (0..kind.columns()).for_each(|_| row.null());
        return Ok(file.at.map(|at| reading.zones.at(at).day(at)));
    }
    match (kind, &ecg) {
        (Kind::Route, _) => Ok(route(&gpx::read(bytes)?, reading, row)),
        (Kind::Ecg, Some(ecg)) => Ok(Some(recording(ecg, reading, row))),
        (Kind::Ecg, None) => Err(fault("unreadable", "no electrocardiogram")),
        (Kind::ClinicalRecord, _) => {
            let resource = clinical::read(bytes)?;
            row.text(Some(&resource.resource_type));
            row.text(resource.resource_id.as_deref());
            row.text(Some(&resource.text));
            Ok(None)
        }
        (Kind::Attachment, _) if bytes.len() > LARGEST_ATTACHMENT => {
            Err(fault("too_large", format!("larger than {} MiB", LARGEST_ATTACHMENT >> 20)))
        }
        (Kind::Attachment, _) => {
            row.text(media_type(bytes));
            row.bytea(&Sha256::digest(bytes));
            row.bytea(bytes);
            Ok(None)
        }
    }
}

fn route(route: &gpx::Route, reading: &Reading, row: &mut Row) -> Option<i32> {
    let points = &route.points;
    let times = points.iter().filter_map(|point| point.at);
    let (first, last) = (times.clone().min(), times.max());
    row.text(route.creator.as_deref());
    row.text(route.name.as_deref());
    row.instant_us(first);
    row.instant_us(last);
    row.int(i32::try_from(points.len()).ok());
    row.ints(route.segments.iter().copied());
    row.sparse_instants(points.iter().map(|point| point.at));
    row.floats(points.iter().map(|point| point.lat));
    row.floats(points.iter().map(|point| point.lon));
    row.sparse_floats(points.iter().map(|point| point.ele));
    row.sparse_floats(points.iter().map(|point| point.speed));
    row.sparse_floats(points.iter().map(|point| point.course));
    row.sparse_floats(points.iter().map(|point| point.h_acc));
    row.sparse_floats(points.iter().map(|point| point.v_acc));
    row.jsonb((!route.others.is_empty()).then(|| json!(route.others).to_string()).as_deref());
    first.and_then(DateTime::from_timestamp_micros).map(|at| reading.zones.at(at).day(at))
}

fn recording(ecg: &ecg::Ecg, reading: &Reading, row: &mut Row) -> i32 {
    let at = DateTime::from_timestamp(ecg.recorded.at, 0).unwrap_or_default();
    let place = reading.zones.at(at);
    row.instant(Some(ecg.recorded.at));
    row.int(Some(place.offset_s));
    row.text(Some(place.zone.name()));
    row.text(Some("home"));
    for text in [&ecg.classification, &ecg.symptoms, &ecg.software, &ecg.device] {
        row.text(text.as_deref());
    }
    row.float(Some(ecg.rate_hz));
    row.text(ecg.lead.as_deref());
    row.text(ecg.unit.as_deref());
    row.floats(ecg.voltages.iter().copied());
    row.text(Some(&ecg.header));
    place.day(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Bucket, HeldFile, Sample, Want};
    use crate::zones::Zones;

    /// Stage, kind, local day and length of each row.
    #[derive(Default)]
    struct Seen(Vec<(usize, String, Option<i32>, usize)>);

    impl Sink for Seen {
        fn word(&mut self, _: usize, _: &str) -> i32 {
            0
        }
        fn row(&mut self, stage: usize, kind: &str, day: Option<i32>, row: &Row) -> anyhow::Result<()> {
            self.0.push((stage, kind.to_owned(), day, row.bytes().len()));
            Ok(())
        }
        fn passes_by(&self, _: Bucket) -> bool {
            false
        }
        fn want(&mut self, _: &Sample) -> Want {
            Want::Nothing
        }
        fn wanted(&mut self, _: Want, _: &Row) -> anyhow::Result<()> {
            Ok(())
        }
        fn reject(&mut self, _: usize, _: &str, rejected: Rejected) -> anyhow::Result<()> {
            anyhow::bail!(rejected.detail)
        }
        fn progress(&mut self, _: u64) -> anyhow::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn of_a_file_that_is_held_its_path_is_told_and_nothing_of_its_content() {
        let point = |n| format!("<trkpt lat=\"1.{n}\" lon=\"2\"><time>2026-01-10T20:00:{n}Z</time></trkpt>");
        let points = (10..60).map(point).collect::<Vec<String>>().concat();
        let track = format!("<trkseg>{points}</trkseg></trk></gpx>");
        let gpx = format!("<gpx><metadata><time>2026-02-01T00:00:00Z</time></metadata><trk><name>Route</name>{track}");
        let file = SideFile { path: "/workout-routes/a.gpx", content: Ok(gpx.as_bytes()) };
        let zones = Zones::new(chrono_tz::Tz::Pacific__Auckland, Vec::new());
        let reading = Reading { zones, allow_truncated: false, for_models: true };
        let (mut first, mut again, mut other) = (Seen::default(), Seen::default(), Seen::default());
        read(&file, &Held::new(), &reading, &mut first).expect("a route");
        let at = DateTime::parse_from_rfc3339("2026-01-10T20:00:10Z").expect("an instant").to_utc();
        let id = XxHash3_128::oneshot(track.as_bytes());
        let held = |kind: &str| Held::from([(id, HeldFile { kind: kind.into(), at: Some(at) })]);
        read(&file, &held("Route"), &reading, &mut again).expect("a route");
        read(&file, &held("Attachment"), &reading, &mut other).expect("a route");
        let [(stage, kind, day, length)] = &first.0[..] else { panic!("{:?}", first.0) };
        let [(again_stage, again_kind, again_day, again_length)] = &again.0[..] else { panic!("{:?}", again.0) };
        assert_eq!((stage, kind, day), (again_stage, again_kind, again_day));
        assert_eq!(*day, Some(20_464)); // 11 January in Auckland
        assert!(*length > 50 * 3 * 8 && *again_length < 200, "{length}, {again_length}");
        assert_eq!(other.0, first.0);
    }
}
