//! Side files on their way to their stages. The order of the fields is that of `sql/side/*/create_stage.sql`. A file that
//! cannot be used becomes a reject with its path, and a mark that a file of its kind was not understood.

use chrono::DateTime;
use serde_json::json;
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_128;

use super::super::record::Fault;
use super::super::{ATTACHMENTS, CLINICAL_RECORDS, ECGS, ROUTES, UNREAD};
use super::{Kind, clinical, ecg, fault, gpx, kind_of, media_type};
use crate::source::{Reading, Rejected, Row, SideFile, Sink};

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

/// Reads one file into its stage.
pub(in super::super) fn read(file: &SideFile, reading: &Reading, sink: &mut dyn Sink) -> anyhow::Result<()> {
    let head = file.content.as_ref().map_or(&[][..], |bytes| bytes);
    let kind = kind_of(file.path, head).unwrap_or(Kind::Attachment);
    let mut row = Row::default();
    row.clear();
    let made = match &file.content {
        Ok(bytes) => encode(kind, file.path, bytes, reading, &mut row),
        Err(why) => Err(fault("unreadable", format!("the file cannot be read: {why}"))),
    };
    match made {
        Ok(day) => sink.row(kind.stage(), kind.name(), day, &row),
        Err(fault) => {
            sink.reject(kind.stage(), kind.name(), rejected(file, fault))?;
            row.clear();
            row.text(Some(kind.name()));
            sink.row(UNREAD, "", None, &row)
        }
    }
}

fn rejected(file: &SideFile, fault: Fault) -> Rejected {
    // Of one that cannot be read its path is what tells it from others.
    let bytes = file.content.as_ref().map_or(file.path.as_bytes(), |bytes| bytes);
    Rejected {
        locator: json!({"file": file.path}),
        code: fault.code,
        detail: fault.detail,
        source_id: None,
        payload: bytes[..bytes.len().min(KEPT)].to_vec(),
    }
}

/// Says the local day, where the file has one.
fn encode(kind: Kind, path: &str, bytes: &[u8], reading: &Reading, row: &mut Row) -> Result<Option<i32>, Fault> {
    row.uuid(XxHash3_128::oneshot(bytes));
    row.text(Some(path));
    row.int(i32::try_from(bytes.len()).ok());
    match kind {
        Kind::Route => Ok(route(&gpx::read(bytes)?, reading, row)),
        Kind::Ecg => Ok(Some(recording(&ecg::read(bytes)?, reading, row))),
        Kind::ClinicalRecord => {
            let resource = clinical::read(bytes)?;
            row.text(Some(&resource.resource_type));
            row.text(resource.resource_id.as_deref());
            row.text(Some(&resource.text));
            Ok(None)
        }
        Kind::Attachment if bytes.len() > LARGEST_ATTACHMENT => {
            Err(fault("too_large", format!("larger than {} MiB", LARGEST_ATTACHMENT >> 20)))
        }
        Kind::Attachment => {
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
