//! What has no place in canonical yet, or in exports: hearing tests, prescriptions, a state of mind. Raw keeps all of it,
//! knows it again, and says what it did not know.

use serde_json::{Value, json};

use super::Phone;
use super::exports::{Export, record};
use crate::support::rows::{count, fingerprint, rows, value};

/// In the form of the newest exports.
const REST: &str = concat!(
    " <Audiogram type=\"HKDataTypeIdentifierAudiogram\" sourceName=\"Ears\" sourceVersion=\"18.1\" ",
    "device=\"&lt;&lt;HKDevice: 0x{pointer}&gt;, name:AirPods&gt;\" creationDate=\"{at:2026-01-08 09:10:00}\" ",
    "startDate=\"{at:2026-01-08 09:00:00}\" endDate=\"{at:2026-01-08 09:06:00}\">\n",
    "  <MetadataEntry key=\"HKTimeZone\" value=\"Europe/Berlin\"/>\n",
    "  <SensitivityPoint frequencyValue=\"250\" frequencyUnit=\"Hz\" leftEarValue=\"15\" leftEarUnit=\"dBHL\" leftEarMasked=\"0\" ",
    "leftEarClampingRangeLowerBound=\"-10\" leftEarClampingRangeUpperBound=\"85\" rightEarValue=\"12.5\" rightEarUnit=\"dBHL\" rightEarMasked=\"1\"/>\n",
    "  <SensitivityPoint frequencyValue=\"8000\" frequencyUnit=\"Hz\" leftEarValue=\"40\" leftEarUnit=\"dBHL\"/>\n </Audiogram>\n",
    " <VisionPrescription type=\"glasses\" dateIssued=\"{at:2026-01-02 09:00:00}\" expirationDate=\"{at:2027-01-02 09:00:00}\" brand=\"B\">\n",
    "  <RightEye sphere=\"-1.25\" sphereUnit=\"D\" cylinder=\"-0.5\" cylinderUnit=\"D\" axis=\"90\" axisUnit=\"deg\" add=\"1\" addUnit=\"D\" vertex=\"12\" ",
    "vertexUnit=\"mm\" prismAmount=\"1\" prismAmountUnit=\"D\" prismAngle=\"45\" prismAngleUnit=\"deg\" farPD=\"31\" farPDUnit=\"mm\" nearPD=\"29\" ",
    "nearPDUnit=\"mm\"/>\n  <LeftEye sphere=\"-1\" sphereUnit=\"D\" baseCurve=\"8.6\" baseCurveUnit=\"mm\" diameter=\"14.2\" diameterUnit=\"mm\"/>\n",
    "  <Attachment identifier=\"1F6A\"/>\n  <MetadataEntry key=\"k\" value=\"v\"/>\n </VisionPrescription>\n",
    " <StateOfMind kind=\"dailyMood\" valence=\"0.42\" startDate=\"{at:2026-01-09 21:00:00}\" sourceName=\"Health\">",
    "<Label value=\"calm\"/><Association value=\"family\"/></StateOfMind>\n"
);

fn export() -> Export {
    let mut export = Export::new("2026-02-01");
    export.add_steps("2026-01-10 09:00:00", 12, 120);
    let mut mood = record("StateOfMind", "", "HKStateOfMindKindDailyMood", "2026-01-09 21:00:00");
    mood.metadata = vec![("HKStateOfMindValence", "0.42")];
    export.records.push(mood);
    export.rest = REST.into();
    export
}

#[test]
fn hearing_sight_and_mood_are_kept_whole_and_known_again() {
    let phone = Phone::new();
    let run = phone.import_text("export.xml", export().xml()).expect(0);
    let run = run.says("not known to this version, kept as written: 1 StateOfMind");
    let of = |element: &str| {
        let query = format!(
            "select start_at, tz_name, payload from apple_health_raw.published_elements where element = '{element}'"
        );
        let mut found = rows(&mut phone.sql(), &query);
        assert_eq!(found.len(), 1, "{element}: {}", run.report());
        found.remove(0)
    };
    let hearing = of("Audiogram");
    assert_eq!(
        (&hearing["start_at"], &hearing["tz_name"]),
        (&json!("2026-01-08T17:00:00+00:00"), &json!("Europe/Berlin"))
    );
    let points = &hearing["payload"]["children"];
    assert_eq!(
        points[1]["attributes"],
        json!({"frequencyValue": "250", "frequencyUnit": "Hz", "leftEarValue": "15", "leftEarUnit": "dBHL", "leftEarMasked": "0",
               "leftEarClampingRangeLowerBound": "-10", "leftEarClampingRangeUpperBound": "85", "rightEarValue": "12.5",
               "rightEarUnit": "dBHL", "rightEarMasked": "1"})
    );
    assert_eq!((points.as_array().map(Vec::len), &points[2]["attributes"]["leftEarValue"]), (Some(3), &json!("40")));
    let sight = of("VisionPrescription");
    let inside: Vec<&Value> =
        sight["payload"]["children"].as_array().expect("children").iter().map(|c| &c["element"]).collect();
    assert_eq!(inside, ["RightEye", "LeftEye", "Attachment", "MetadataEntry"]);
    assert_eq!(sight["payload"]["children"][0]["attributes"].as_object().map(serde_json::Map::len), Some(18));
    assert_eq!(sight["payload"]["children"][1]["attributes"]["diameter"], "14.2");
    let mood = of("StateOfMind");
    assert_eq!(mood["start_at"], "2026-01-10T05:00:00+00:00");
    assert_eq!(
        (&mood["payload"]["attributes"]["valence"], &mood["payload"]["children"][1]["attributes"]["value"]),
        (&json!("0.42"), &json!("family"))
    );
    // As a record it would be a type that this version does not know.
    let mut sql = phone.sql();
    let kept = "select value_text || ' ' || (metadata->>'HKStateOfMindValence') from apple_health_raw.published_records where type like '%StateOfMind'";
    assert_eq!(value(&mut sql, kept).as_deref(), Some("HKStateOfMindKindDailyMood 0.42"));
    phone.home.health(&["sources", "apple-health"]).expect(0).says("HKCategoryTypeIdentifierStateOfMind");
    assert_eq!(count(&mut sql, "meta.rejects"), 0);
    // The same from elsewhere, with another address of the device.
    let before = fingerprint(&mut sql);
    let again = Export { made: "2026-03-01".into(), offset_hours: 9, pointer: 7, ..export() };
    phone.import_text("again.xml", again.xml()).expect(0);
    let mut after = fingerprint(&mut sql);
    after.insert("apple_health_raw.exports".into(), before["apple_health_raw.exports"].clone());
    assert_eq!(after, before);
}
