//! The scanner is only a shortcut: over any bytes it must find what the XML reader alone finds, or refuse what that
//! refuses, at the same byte for the same reason.

use proptest::prelude::*;

use super::scanner::Scanner;
use super::told::told;

/// What the scanner takes by itself from a document that holds nothing else.
fn taken(document: &[u8]) -> usize {
    let (mut scanner, mut at, mut count) = (Scanner::default(), 0, 0);
    while let Some((length, _)) = scanner.next(&document[at..]) {
        at += length;
        count += 1;
    }
    count
}

/// Records as phones write them, each kind of content once.
const RECORDS: [&str; 7] = [
    " <Record type=\"HKQuantityTypeIdentifierStepCount\" sourceName=\"Alex\u{2019}s\u{a0}Watch\" sourceVersion=\"11.2\" \
     device=\"&lt;&lt;HKDevice: 0x2806abf30&gt;, name:Apple Watch, model:Watch, hardware:Watch7,3&gt;\" unit=\"count\" \
     creationDate=\"2026-01-02 03:14:59 +0100\" startDate=\"2026-01-02 03:04:05 +0100\" endDate=\"2026-01-02 03:14:05 +0100\" value=\"12\"/>\n",
    " <Record type=\"HKQuantityTypeIdentifierStepCount\" sourceName=\"Alex\u{2019}s\u{a0}Watch\" sourceVersion=\"11.2\" \
     device=\"&lt;&lt;HKDevice: 0x2806abf31&gt;, name:Apple Watch, model:Watch, hardware:Watch7,3&gt;\" unit=\"count\" \
     creationDate=\"2026-01-02 03:24:59 +0100\" startDate=\"2026-01-02 03:14:05 +0100\" endDate=\"2026-01-02 03:24:05 +0100\" value=\"7.5e1\"/>\n",
    " <Record type=\"HKQuantityTypeIdentifierHeartRate\" sourceName=\"a\" unit=\"count/min\" startDate=\"2026-01-03 03:04:05 +0100\" \
     endDate=\"2026-01-03 03:04:05 +0100\" value=\"61\">\n  <MetadataEntry key=\"HKMetadataKeyHeartRateMotionContext\" value=\"0\"/>\n </Record>\n",
    " <Record type=\"HKCategoryTypeIdentifierSleepAnalysis\" sourceName=\"a\" startDate=\"2026-01-03 23:04:05 +0100\" \
     endDate=\"2026-01-04 03:04:05 +0100\" value=\"HKCategoryValueSleepAnalysisAsleepDeep\">\n  <MetadataEntry key=\"HKTimeZone\" value=\"Europe/Berlin\"/>\n\
     <MetadataEntry value=\"x &amp; y\" key=\"k\"/>\n </Record>\n",
    " <Record type=\"HKQuantityTypeIdentifierHeartRateVariabilitySDNN\" sourceName=\"a\" unit=\"ms\" startDate=\"2026-01-03 03:04:05 +0100\" \
     endDate=\"2026-01-03 03:05:05 +0100\" value=\"41.25\">\n  <HeartRateVariabilityMetadataList>\n   \
     <InstantaneousBeatsPerMinute bpm=\"61\" time=\"3:04:06.21\u{202f}AM\"/>\n   <InstantaneousBeatsPerMinute bpm=\"62\" time=\"3:04:07.21\u{202f}AM\"/>\n  \
     </HeartRateVariabilityMetadataList>\n </Record>\n",
    " <Record type=\"HKQuantityTypeIdentifierBodyMass\" sourceName=\"&#8217;&quot;\" unit=\"lb\" creationDate=\"\" \
     startDate=\"2026-01-03 03:04:05 +0100\" endDate=\"2026-01-03 03:05:05 +0100\" value=\"\"/>\n",
    " <Record type=\"HKDataTypeSleepDurationGoal\" sourceName=\"a\" startDate=\"2026-01-03 03:04:05 +0100\" endDate=\"2026-01-03 03:05:05 +0100\"/>\n",
];

/// What stands between them, and what should not.
const OTHERS: [&str; 16] = [
    " <Workout workoutActivityType=\"a\">\n  <MetadataEntry key=\"k\" value=\"v\"/>\n </Workout>\n",
    " <Correlation type=\"c\"><Record type=\"a\"/></Correlation>\n",
    "<!-- <Record/> -->",
    "junk",
    "&amp;",
    "<![CDATA[<Record/>]]>",
    " <Record type='HKQuantityTypeIdentifierStepCount' startDate='2026-01-03 03:04:05 +0100' value='1'/>",
    " <Record type=\"t\" startDate=\"20260103030405+0100\" Health Mate App Version=\"2.3\"/>",
    " <Record type=\"t\" type=\"u\" startDate=\"2026-01-03 03:04:05 +0100\"/>",
    " <Record type=\"HKQuantityTypeIdentifierStepCount\" startDate=\"2026-01-03 03:04:05 +0100\" value=\"a dozen\"/>",
    " <Record type=\"t\" startDate=\"2026-02-30 03:04:05 +0100\"/>",
    " <Record type=\"t\" startDate=\"2026-01-03 03:04:05 +0100\">text</Record>",
    " <Record type=\"t\" startDate=\"2026-01-03 03:04:05 +0100\"></Record >",
    " <Record type=\"t\" sourceName=\"a\u{b}&nbsp;\" startDate=\"2026-01-03 03:04:05 +0100\"/>",
    " <Record type=\"t\" sourceName=\"<a> > b\" startDate=\"2026-01-03 03:04:05 +0100\"/>",
    " <Record type=\"t\" startDate=\"2026-01-03 03:04:05 +0100\"><Unknown/><MetadataEntry key=\"k\"/></Record>",
];

/// Pieces that turn one form into another.
const PIECES: [&str; 25] = [
    "\"",
    "'",
    "<",
    ">",
    "/>",
    "=",
    " ",
    "\n",
    "&",
    "&lt;",
    "&#0;",
    ";",
    "\0",
    "\u{b}",
    "</Record>",
    "<Record ",
    "</HealthData>",
    "\u{e9}",
    " unit=\"count\"",
    "<MetadataEntry key=\"a\" value=\"b\"/>",
    "value",
    "+0100",
    "0x",
    "HKTimeZone",
    "9",
];

#[derive(Clone, Debug)]
enum Change {
    Insert(usize, usize),
    Remove(usize, usize),
    Put(usize, u8),
    Copy(usize, usize, usize),
    Cut(usize),
}

fn changed(document: &mut Vec<u8>, change: &Change) {
    let place = |at: usize, length: usize| at % (length + 1);
    match *change {
        Change::Insert(at, piece) => {
            let at = place(at, document.len());
            document.splice(at..at, PIECES[piece % PIECES.len()].bytes());
        }
        Change::Remove(at, length) => {
            let from = place(at, document.len());
            document.drain(from..(from + length).min(document.len()));
        }
        Change::Put(at, byte) => {
            let at = place(at, document.len());
            if let Some(old) = document.get_mut(at) {
                *old = byte;
            }
        }
        Change::Copy(from, length, to) => {
            let from = place(from, document.len());
            let part = document[from..(from + length).min(document.len())].to_vec();
            let to = place(to, document.len());
            document.splice(to..to, part);
        }
        Change::Cut(at) => document.truncate(place(at, document.len())),
    }
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0usize..20_000;
    prop_oneof![
        6 => (at.clone(), 0usize..PIECES.len()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        3 => (at.clone(), 1usize..40).prop_map(|(at, length)| Change::Remove(at, length)),
        4 => (at.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Put(at, byte)),
        2 => (at.clone(), 1usize..400, at.clone()).prop_map(|(from, length, to)| Change::Copy(from, length, to)),
        1 => at.prop_map(Change::Cut),
    ]
}

/// A document of these elements; the first of them are the ones that a phone writes.
fn document(elements: &[usize]) -> Vec<u8> {
    let mut text = String::from(
        "<?xml version=\"1.0\"?>\n<HealthData locale=\"en_US\">\n <ExportDate value=\"2026-02-01 00:00:00 +0100\"/>\n",
    );
    for element in elements {
        text.push_str(RECORDS.get(*element).unwrap_or_else(|| &OTHERS[element - RECORDS.len()]));
    }
    (text + "</HealthData>\n").into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn the_scanner_finds_what_the_reader_finds(
        elements in prop::collection::vec(prop_oneof![4 => 0usize..7, 1 => 7usize..23], 0..14),
        changes in prop::collection::vec(change(), 0..5),
        block in prop_oneof![16usize..600, Just(1usize << 20)],
    ) {
        let mut document = document(&elements);
        for change in &changes {
            changed(&mut document, change);
        }
        let alone = told(&document, block, None);
        prop_assert_eq!(told(&document, block, Some(Scanner::default())), alone);
    }
}

#[test]
fn records_as_phones_write_them_are_taken_by_the_scanner() {
    assert_eq!(taken(RECORDS.concat().as_bytes()), RECORDS.len());
    for (number, other) in OTHERS.iter().enumerate().filter(|(number, _)| *number != 14) {
        assert_eq!(taken(other.as_bytes()), 0, "other {number}");
    }
    for cut in 0..RECORDS[4].len() - 1 {
        assert_eq!(taken(&RECORDS[4].as_bytes()[..cut]), 0, "cut at {cut}");
    }
}

/// Every byte of a document once changed, once removed, and cut there: no place is special.
#[test]
fn a_change_at_any_byte_is_seen_by_both_alike() {
    let whole = document(&[0, 2, 1, 3, 5]);
    for at in 0..whole.len() {
        for byte in [b'"', b'<', b'&', b' ', 0xff] {
            let mut odd = whole.clone();
            odd[at] = byte;
            assert_eq!(told(&odd, 1 << 20, Some(Scanner::default())), told(&odd, 1 << 20, None), "byte {at} as {byte}");
        }
        let mut shorter = whole.clone();
        shorter.remove(at);
        assert_eq!(told(&shorter, 1 << 20, Some(Scanner::default())), told(&shorter, 1 << 20, None), "without {at}");
        assert_eq!(told(&whole[..at], 333, Some(Scanner::default())), told(&whole[..at], 333, None), "cut at {at}");
    }
}
