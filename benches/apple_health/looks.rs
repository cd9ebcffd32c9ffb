//! How one record of each kind looks: who wrote it, how long it lasts, its value as text, what stands inside.

use crate::mix::Kind;
use crate::random::Random;

pub(crate) struct Look {
    /// Another writer than watch and phone: name and version.
    pub(crate) app: Option<(&'static str, &'static str)>,
    pub(crate) watch: bool,
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Seconds from the end until it was written.
    pub(crate) delay: i64,
    pub(crate) value: String,
    pub(crate) inside: String,
}

const SYNCED: &str = "  <MetadataEntry key=\"com.acme.cgm.external.id\" value=\"";

#[allow(clippy::too_many_lines, reason = "a list of kinds")]
pub(crate) fn of(kind: Kind, random: &mut Random, start: i64) -> Look {
    let seconds = |random: &mut Random, from: i64, to: u64| from + random.below(to).cast_signed();
    let mut look = Look {
        app: None,
        watch: true,
        start,
        end: start,
        delay: seconds(random, 1, 600),
        value: String::new(),
        inside: String::new(),
    };
    match kind {
        Kind::Pulse => {
            let pulse = random.around(78.0, 18.0);
            look.value = if random.below(100) < 93 { format!("{pulse:.0}") } else { format!("{pulse:.4}") };
            look.inside = entry("HKMetadataKeyHeartRateMotionContext", &random.below(3).to_string());
        }
        Kind::Active => {
            look.end += seconds(random, 10, 60);
            look.value = format!("{:.3}", random.around(0.6, 0.8).abs());
        }
        Kind::Basal => {
            look.end += seconds(random, 60, 800);
            look.value = format!("{:.3}", random.around(15.0, 4.0).abs());
        }
        Kind::Walk | Kind::Distance => {
            look.watch = random.below(100) >= 55;
            look.end += seconds(random, 5, 590);
            let part = random.unit();
            look.value = match kind {
                Kind::Walk => format!("{:.0}", 1.0 + part * part * 700.0),
                _ if random.below(2) == 0 => format!("{:.6}", part * part * 0.7),
                _ => format!("{:.17}", part * 0.5),
            };
        }
        Kind::Effort => {
            look.end += seconds(random, 60, 400);
            look.value = format!("{:.1}", random.around(2.0, 1.5).abs());
            look.inside = entry("HKMetadataKeyPhysicalEffortEstimationType", "1");
        }
        Kind::Minute | Kind::Stand => {
            look.end += if kind == Kind::Minute { 60 } else { 300 };
            look.value = (1 + random.below(5)).to_string();
        }
        Kind::Oxygen => {
            look.end += 15;
            look.value = format!("{:.2}", 0.92 + random.unit() * 0.08);
            look.inside = entry("HKMetadataKeyBarometricPressure", &format!("{:.1} mmHg", random.around(755.0, 6.0)));
        }
        Kind::Breath => look.value = format!("{:.1}", random.around(15.0, 2.0)),
        Kind::Glucose => {
            look.app = Some(("Libre \u{2013} Gl\u{fc}cose", "3.5.1"));
            look.value = format!("{:.13}", random.around(6.1, 1.4).abs());
            let id = random.next();
            look.inside = format!("{SYNCED}{id:016x}\"/>\n")
                + &entry("HKMetadataKeySyncIdentifier", &format!("{:08}", id % 100_000_000))
                + &entry("HKMetadataKeySyncVersion", "1");
        }
        Kind::Gait | Kind::Watch => {
            look.watch = kind == Kind::Watch;
            look.end += seconds(random, 3, 20);
            look.value = format!("{:.5}", random.around(5.0, 1.0).abs());
        }
        Kind::Sound => {
            look.end += seconds(random, 120, 1_700);
            look.value = format!("{:.4}", random.around(62.0, 9.0));
            look.inside = entry("HKMetadataKeyHeadphoneGain", "0");
        }
        Kind::Daylight => {
            look.end += 300;
            look.value = random.below(6).to_string();
            look.inside = entry("HKMetadataKeyMaximumLightIntensity", &format!("{} lux", random.below(20_000)));
        }
        Kind::Daily | Kind::Fitness => {
            look.end += if kind == Kind::Daily { 82_000 } else { 0 };
            look.value = format!("{:.2}", random.around(55.0, 6.0));
            look.inside = if kind == Kind::Fitness { entry("HKVO2MaxTestType", "2") } else { String::new() };
        }
        Kind::Food => {
            look.app = Some(("MyFitnessPal &amp; Co", "31415"));
            look.value = format!("{:.5}", random.unit() * 60.0);
            look.inside = entry("HKFoodType", "Yogurt &quot;Greek&quot; 2% &lt;plain&gt;") + &entry("meal", "Lunch");
        }
        Kind::Scale | Kind::Pressure => {
            look.app = Some(("Withings", "5120100"));
            let value = if kind == Kind::Scale { random.around(74.0, 1.2) } else { random.around(110.0, 8.0) };
            look.value = format!("{value:.2}");
        }
        Kind::Sleep => {
            look.watch = random.below(10) < 9;
            look.end += seconds(random, 300, 3_000);
            let stages = ["AsleepCore", "AsleepCore", "AsleepDeep", "AsleepREM", "Awake"];
            let stage = if look.watch { stages[usize::try_from(random.below(5)).unwrap_or(0)] } else { "InBed" };
            look.value = format!("HKCategoryValueSleepAnalysis{stage}");
            look.inside = entry("HKTimeZone", "Europe/Berlin");
        }
        Kind::StandHour => {
            look.start -= look.start % 3_600;
            look.end = look.start + 3_600;
            let stood = if random.below(10) < 7 { "Stood" } else { "Idle" };
            look.value = format!("HKCategoryValueAppleStandHour{stood}");
        }
        Kind::Variability => {
            look.end += 60;
            look.value = format!("{:.4}", random.around(45.0, 12.0).abs());
        }
        Kind::Event => {
            look.end += seconds(random, 20, 300);
            look.value = "HKCategoryValueNotApplicable".into();
            look.inside = entry("HKTimeZone", "Europe/Berlin");
        }
    }
    look
}

fn entry(key: &str, value: &str) -> String {
    format!("  <MetadataEntry key=\"{key}\" value=\"{value}\"/>\n")
}
