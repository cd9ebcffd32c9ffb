//! What the reader finds in exports that are whole, odd or broken.

use std::io::Cursor;

use super::reader::{Element, Export, Visitor, read};
use super::record::{Fault, Record};
use crate::source::Unreadable;

#[derive(Default)]
struct Found {
    records: Vec<Record>,
    /// Name, number, byte and text.
    elements: Vec<(String, u64, u64, String)>,
    rejects: Vec<(u64, u64, &'static str, String)>,
}

impl Visitor for Found {
    fn record(&mut self, record: &Record) -> anyhow::Result<()> {
        self.records.push(record.clone());
        Ok(())
    }
    fn element(&mut self, element: Element) -> anyhow::Result<()> {
        self.elements.push((element.name.to_owned(), element.number, element.at, element.text.to_owned()));
        Ok(())
    }
    fn reject(&mut self, element: Element, fault: Fault) -> anyhow::Result<()> {
        self.rejects.push((element.number, element.at, fault.code, element.text.to_owned()));
        Ok(())
    }
    fn progress(&mut self, _: u64) -> anyhow::Result<()> {
        Ok(())
    }
}

fn run(document: impl AsRef<[u8]>) -> (Found, Result<Export, Unreadable>) {
    let mut found = Found::default();
    let export = read(&mut Cursor::new(document.as_ref()), &mut found, false);
    (found, export)
}

fn run_as_far_as_it_goes(document: impl AsRef<[u8]>) -> (Found, Result<Export, Unreadable>) {
    let mut found = Found::default();
    let export = read(&mut Cursor::new(document.as_ref()), &mut found, true);
    (found, export)
}

fn refused(document: impl AsRef<[u8]>) -> (u64, String) {
    let unreadable = run(document).1.expect_err("must be refused");
    (unreadable.at, unreadable.why.to_string())
}

const RECORD: &str = "<Record type=\"HKQuantityTypeIdentifierStepCount\" unit=\"count\" value=\"12\" sourceName=\"a\" \
                      startDate=\"2019-09-01 05:51:58 -0400\" endDate=\"2019-09-01 05:52:08 -0400\"";

fn export(inside: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<HealthData locale=\"en_US\">\n{inside}\n</HealthData>\n")
}

#[test]
fn records_at_the_top_are_read_and_everything_else_is_handed_over_as_written() {
    let correlation = format!(
        "<Correlation type=\"f\">\n {RECORD}/><!-- > --><MetadataEntry key=\"x\" value=\"<y&lt;\"/>a&#98;<![CDATA[c]]></Correlation >"
    );
    let correlation = correlation.replace("\"<y", "\"y");
    let document = export(&format!(
        "<ExportDate value=\"2019-10-01 10:00:00 -0400\"/>\n <Me/>{RECORD}/>{RECORD}><MetadataEntry key=\"k\" value=\"v\"/></Record>\
         {correlation}<Workout/><Workout\na='1'></Workout>"
    ));
    let (found, about) = run(&document);
    let about = about.expect("an export");
    assert_eq!(found.records.len(), 2);
    assert_eq!(found.records[1].metadata, [("k".to_owned(), "v".to_owned())]);
    assert_eq!((about.elements["Record"], about.elements["Correlation"], about.elements["Workout"]), (2, 1, 2));
    let texts: Vec<&str> = found.elements.iter().map(|(_, _, _, text)| text.as_str()).collect();
    let date = "<ExportDate value=\"2019-10-01 10:00:00 -0400\"/>";
    assert_eq!(texts, [date, "<Me/>", &correlation, "<Workout/>", "<Workout\na='1'></Workout>"]);
    for (name, _, at, text) in &found.elements {
        assert!(document[usize::try_from(*at).expect("small")..].starts_with(text), "{name}");
    }
    assert_eq!(found.elements[4].1, 2);
}

#[test]
fn a_record_that_holds_more_than_a_record_is_handed_over_as_well() {
    let odd = format!("{RECORD}><Extra a=\"1\"/></Record>");
    let (found, about) = run(export(&format!("{odd}{RECORD}>text</Record>{RECORD}> </Record>")));
    assert_eq!(about.expect("an export").elements["Record/Extra"], 1);
    assert_eq!((found.records.len(), found.elements.len()), (3, 2));
    assert_eq!(found.elements[0].3, odd);
}

#[test]
fn an_element_that_is_too_long_costs_itself() {
    let entry = "<MetadataEntry key=\"k\" value=\"v\"/>";
    let many = entry.repeat((16 << 20) / entry.len() + 1);
    let (found, about) = run(export(&format!("<Workout>{many}</Workout>{RECORD}>{many}</Record>{RECORD}/><Workout/>")));
    about.expect("an export");
    assert_eq!((found.records.len(), found.elements.len()), (1, 1));
    assert!(found.rejects.iter().all(|(_, _, code, text)| *code == "too_large" && text.len() == 16 << 20));
    assert_eq!(found.rejects.len(), 2);
}

#[test]
fn beats_belong_to_their_record() {
    let list = "<HeartRateVariabilityMetadataList><InstantaneousBeatsPerMinute bpm=\"66\" time=\"5:51:59.50 AM\"/>\
                <InstantaneousBeatsPerMinute bpm=\"67\" time=\"5:52:00.25 AM\"/></HeartRateVariabilityMetadataList>";
    let (found, about) = run(export(&format!("{RECORD}>{list}</Record>{RECORD}/>")));
    about.expect("an export");
    assert_eq!(found.records[0].beats, [(1.5, 66.0), (2.25, 67.0)]);
    assert!(found.records[1].beats.is_empty());
}

#[test]
fn a_bad_record_costs_itself_and_says_where_it_was() {
    let bad = RECORD.replace("\"12\"", "\"a dozen\"");
    let document = export(&format!("{RECORD}/>\n{bad}><MetadataEntry key=\"k\" value=\"v\"/></Record>\n{RECORD}/>"));
    let (found, about) = run(&document);
    about.expect("an export");
    assert_eq!(found.records.len(), 2);
    let (number, at, code, text) = &found.rejects[0];
    assert_eq!((*number, *code), (2, "bad_number"));
    assert!(document[usize::try_from(*at).expect("small")..].starts_with("<Record") && text.contains("a dozen"));
    assert_eq!(document.find(&bad), usize::try_from(*at).ok());
}

#[test]
fn the_body_of_ios_16_and_control_characters_are_read() {
    let statistics = "<Workout><WorkoutStatistics type=\"a\" startDate=\"1\" startDate=\"2\"/></Workout>";
    let odd = RECORD.replace("\"a\"", "\"a\u{b}b\"").replace("unit=\"count\"", "unit=\"count\" unit=\"mi\"");
    let (found, about) = run(export(&format!("{statistics}{odd}/>")));
    about.expect("an export");
    assert_eq!(found.records[0].words.source_name.as_deref(), Some("a b"));
    assert_eq!(found.records[0].words.unit.as_deref(), Some("count"));
}

#[test]
fn exports_of_ios_8_are_read() {
    let old = "<Record type=\"HKQuantityTypeIdentifierBodyMass\" source=\"Health Mate\" unit=\"kg\" value=\"70.1\" \
               Health Mate App Version=\"2.3\" startDate=\"20150616071916-0700\" endDate=\"20150616071916-0700\"/>";
    let (found, about) = run(export(old));
    about.expect("an export");
    assert_eq!(found.records[0].words.source_name.as_deref(), Some("Health Mate"));
    assert_eq!(found.records[0].metadata, [("Health Mate App Version".to_owned(), "2.3".to_owned())]);
}

#[test]
fn a_document_cut_at_any_byte_is_refused() {
    let document =
        export(&format!("<!-- {RECORD} -->{RECORD}/>{RECORD}><MetadataEntry key=\"k\" value=\"&lt;\"/></Record>"));
    for cut in 0..document.trim_end().len() {
        let (_, outcome) = run(&document.as_bytes()[..cut]);
        assert!(outcome.is_err(), "cut at {cut}");
    }
    assert!(run(document.trim_end()).1.is_ok());
}

#[test]
fn of_a_document_cut_at_any_byte_the_whole_elements_are_read_where_that_is_allowed() {
    let parts = [
        "<ExportDate value=\"2019-10-01 10:00:00 -0400\"/>".to_owned(),
        format!("{RECORD}/>"),
        format!("<!-- \u{e9} -->\n {RECORD}>\n<MetadataEntry key=\"k\" value=\"&lt;\u{e9}\"/></Record>"),
        "<Workout>&lt;<WorkoutEvent/></Workout>".to_owned(),
        "<![CDATA[a]]>".to_owned(),
    ];
    let document = export(&parts.concat());
    let begin = document.find("<ExportDate").expect("a date");
    let (mut ends, mut at) = (Vec::new(), begin);
    for part in &parts[..4] {
        at += part.len();
        ends.push(at);
    }
    for cut in begin..document.trim_end().len() {
        let (found, outcome) = run_as_far_as_it_goes(&document.as_bytes()[..cut]);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(found.records.len() + found.elements.len(), whole, "cut at {cut}");
        match outcome {
            Ok(export) => assert!(export.cut.is_some_and(|cut| cut.contains("byte ")), "cut at {cut}"),
            Err(unreadable) => assert!(cut < begin + 60 && unreadable.is_cut, "cut at {cut}: {unreadable:?}"),
        }
    }
    assert_eq!(run_as_far_as_it_goes(&document).1.expect("whole").cut, None);
    for broken in [
        export("<a></b>"),
        export(&format!("{RECORD}/></a>")),
        export(&"<a>".repeat(200)),
        format!("{}junk", export("<a/>")),
        format!("{}<a", export("<a/>")),
        export(&format!("<a b=\"{}\"/>", "x".repeat(2 << 20))),
        "<HealthData>".to_owned(),
    ] {
        assert!(run_as_far_as_it_goes(broken).1.is_err());
    }
}

#[test]
fn what_is_no_export_says_why_and_where() {
    assert_eq!(refused(""), (0, "is empty".into()));
    assert!(refused("<?xml version=\"1.0\"?>\n").1.contains("before its first element"));
    assert!(refused("<ClinicalDocument/>").1.contains("CDA"));
    assert!(refused(export(RECORD)).1.contains("record 1"));
    assert!(refused(format!("{}<HealthData/>", export(""))).1.contains("after its last element"));
    assert!(refused(format!("{}junk", export(""))).1.contains("after its last element"));
    assert!(refused(format!("{}</HealthData>", export(""))).1.contains("not open"));
    assert!(refused(export("<a></b>")).1.contains("not open"));
    assert!(refused(export(&format!("{RECORD}>"))).1.contains("not open"));
    assert!(refused(export(&"<a>".repeat(200))).1.contains("deeper"));
    assert!(refused(export(&format!("<a b=\"{}\"/>", "x".repeat(2 << 20)))).1.contains("1 MiB"));
    assert!(refused(export(&" ".repeat(3 << 20))).1.contains("1 MiB"));
    let mut latin = export(&format!("{RECORD}/>")).into_bytes();
    let at = latin.windows(3).position(|w| w == b"\"a\"").expect("a name");
    latin[at + 1] = 0xe9;
    assert!(refused(latin).1.contains("UTF-8"));
}

#[test]
fn entities_are_never_expanded() {
    let laughs =
        "<!DOCTYPE HealthData [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]>\n";
    let body = format!("<HealthData>&b;{}/></HealthData>", RECORD.replace("\"a\"", "\"&c;\""));
    let (found, about) = run(format!("{laughs}{body}"));
    assert_eq!(about.expect("an export").elements["(text)"], 1);
    assert_eq!(found.rejects[0].2, "bad_text");
    assert!(found.records.is_empty());
}
