//! The files beside the document: routes, electrocardiograms, clinical records, attachments. Which of them a file is,
//! by its path and by its content, since folders are localised and names garbled. A file that is hostile or broken is
//! set aside alone. Knows bytes and paths, and neither archives nor the database.

pub(super) mod clinical;
pub(super) mod ecg;
pub(super) mod gpx;
mod rows;

use super::record::Fault;

pub(super) use rows::{belongs, read};

/// What a file beside the document is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Route,
    Ecg,
    ClinicalRecord,
    Attachment,
}

fn fault(code: &'static str, detail: impl Into<String>) -> Fault {
    Fault { code, detail: detail.into() }
}

/// Which kind a file is. `path` is relative to the document's folder, `head` the first bytes. In a folder of the export
/// the name decides, so that a broken file is noticed; beside the document only the content does, because somebody's
/// downloads may lie there. None: nothing that belongs to an export.
pub(super) fn kind_of(path: &str, head: &[u8]) -> Option<Kind> {
    let path = path.trim_start_matches('/').replace('\\', "/");
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let ending = name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
    let inside = !folder.is_empty();
    if folder == "attachments" || folder.starts_with("attachments/") {
        return Some(Kind::Attachment);
    }
    match ending.as_str() {
        "gpx" => Some(Kind::Route),
        "csv" => (inside || ecg::is_like(head)).then_some(Kind::Ecg),
        "json" => (inside || clinical::is_like(head)).then_some(Kind::ClinicalRecord),
        _ => (inside && media_type(head).is_some()).then_some(Kind::Attachment),
    }
}

/// What the first bytes of an attachment say it is; none: unknown.
pub(super) fn media_type(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Some("image/tiff"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', b'i' | b'v', ..] => Some("image/heic"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_place_and_content() {
        let of = |path: &str| kind_of(path, b"");
        assert_eq!(of("workout-routes/route_2024-12-26_2.53pm.gpx"), Some(Kind::Route));
        assert_eq!(of("route.GPX"), Some(Kind::Route));
        assert_eq!(of("electrocardiograms/ecg_2020-09-24.csv"), Some(Kind::Ecg));
        assert_eq!(of("\u{5fc3}\u{96fb}\u{56f3}/ecg.csv"), Some(Kind::Ecg));
        assert_eq!(of("clinical-records\\Observation-1.json"), Some(Kind::ClinicalRecord));
        assert_eq!(of("attachments/1F"), Some(Kind::Attachment));
        assert_eq!(of("/attachments/deep/scan.csv"), Some(Kind::Attachment));
        for other in ["bank.csv", "package.json", "notes.txt", "photos/a.txt", "sub/notes", "export_cda.xml"] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(kind_of("record.json", b"{\"resourceType\": \"Patient\"}"), Some(Kind::ClinicalRecord));
        assert_eq!(kind_of("Anh\u{e4}nge/a", b"%PDF-1.7"), Some(Kind::Attachment));
        assert_eq!(kind_of("holiday.jpg", b"\xff\xd8\xff\xe0"), None);
    }

    /// Files of each kind that the readers take.
    const GOOD: [&str; 3] = [
        "<?xml version=\"1.0\"?><!DOCTYPE gpx [<!ENTITY a \"b\">]><gpx><trk><name>a&amp;b</name><trkseg><trkpt lat=\"1.5\" lon=\"-2\">\
         <ele>3</ele><time>2024-12-26T22:20:01.5Z</time><extensions><speed>1</speed></extensions></trkpt></trkseg></trk></gpx>",
        "Name,A\nBorn,B\nDate,2020-09-24 09:14:40 -0400\nC,c\nS,\nV,1\nD,\"W,4\"\nRate,512 hertz\n\nLead,I\nUnit,\u{b5}V\n\n-1.5\n\"2.5\"\n",
        "{\"resourceType\": \"Observation\", \"id\": \"a\\u00e9\", \"value\": [1e3, {\"b\": null}]}",
    ];

    fn read_as_each(bytes: &[u8]) -> [bool; 3] {
        [gpx::read(bytes).is_ok(), ecg::read(bytes).is_ok(), clinical::read(bytes).is_ok()]
    }

    #[test]
    fn each_file_is_taken_by_its_reader_alone() {
        assert_eq!(
            GOOD.map(|text| read_as_each(text.as_bytes())),
            [[true, false, false], [false, true, false], [false, false, true]]
        );
    }

    proptest::proptest! {
        /// A byte changed, a piece cut out, a piece doubled: taken or refused, and never a panic.
        #[test]
        fn whatever_is_changed_nothing_panics(which in 0..3usize, at in 0..400usize, length in 0..80usize, byte: u8, how in 0..3u8) {
            let mut bytes = GOOD[which].as_bytes().to_vec();
            let at = at % bytes.len();
            let until = (at + length).min(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.drain(at..until)),
                _ => {
                    let piece = bytes[at..until].repeat(1 + usize::from(byte));
                    bytes.splice(at..at, piece);
                }
            }
            let _ = (read_as_each(&bytes), kind_of("a/b", &bytes), kind_of("x.csv", &bytes), kind_of("x.json", &bytes));
        }
    }
}
