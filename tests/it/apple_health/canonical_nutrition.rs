//! What was eaten: foods as an app grouped them, nutrients that stand alone, and none of them twice.

use serde_json::json;

use super::Phone;
use super::exports::Export;
use crate::support::rows::{count, rows, value};

/// One nutrient at an hour of the 10th of January.
fn nutrient(kind: &str, unit: &str, amount: &str, hour: &str, app: &str) -> String {
    format!(
        "<Record type=\"HKQuantityTypeIdentifierDietary{kind}\" sourceName=\"{app}\" unit=\"{unit}\" \
         creationDate=\"2026-01-10 {hour}:30:00 -0800\" startDate=\"2026-01-10 {hour}:00:00 -0800\" \
         endDate=\"2026-01-10 {hour}:00:00 -0800\" value=\"{amount}\"/>\n"
    )
}

fn food(name: &str, hour: &str, nutrients: &str) -> String {
    format!(
        " <Correlation type=\"HKCorrelationTypeIdentifierFood\" sourceName=\"Diary\" creationDate=\"2026-01-10 {hour}:30:00 -0800\" \
         startDate=\"2026-01-10 {hour}:00:00 -0800\" endDate=\"2026-01-10 {hour}:00:00 -0800\">\n\
         <MetadataEntry key=\"HKFoodType\" value=\"{name}\"/>\n<MetadataEntry key=\"HKFoodMeal\" value=\"Breakfast\"/>\n{nutrients}</Correlation>\n"
    )
}

#[test]
fn foods_and_loose_nutrients_count_once() {
    let phone = Phone::new();
    let porridge = nutrient("EnergyConsumed", "kcal", "250", "08", "Diary")
        + &nutrient("Protein", "g", "9", "08", "Diary")
        + &nutrient("Sodium", "g", "0.4", "08", "Diary")
        + &nutrient("Iron", "mg", "2", "08", "Diary");
    // Equal to one of the porridge in everything, and in no food: it is real.
    let loose = nutrient("Protein", "g", "9", "08", "Diary");
    let coffee = nutrient("Caffeine", "mg", "80", "10", "Cup") + &nutrient("Water", "mL", "200", "10", "Cup");
    let mut export = Export::new("2026-02-01");
    export.rest = porridge.clone() + &loose + &coffee + &food("Porridge", "08", &porridge);
    phone.import_text("a.xml", export.xml()).expect(0);
    let mut sql = phone.sql();
    let found = rows(
        &mut sql,
        "select eaten_at, grain, meal, food_name, energy_kcal, protein_g, sodium_mg, caffeine_mg, water_ml, nutrients
           from canonical.nutrition_entries order by eaten_at, food_name",
    );
    assert_eq!(
        found,
        [
            json!({"eaten_at": "2026-01-10T16:00:00+00:00", "grain": "item", "meal": "breakfast", "food_name": "Porridge",
                "energy_kcal": 250, "protein_g": 9, "sodium_mg": 400, "caffeine_mg": null, "water_ml": null,
                "nutrients": {"iron_intake": 2}}),
            json!({"eaten_at": "2026-01-10T16:00:00+00:00", "grain": "item", "meal": "unknown", "food_name": null,
                "energy_kcal": null, "protein_g": 9, "sodium_mg": null, "caffeine_mg": null, "water_ml": null, "nutrients": null}),
            json!({"eaten_at": "2026-01-10T18:00:00+00:00", "grain": "item", "meal": "unknown", "food_name": null,
                "energy_kcal": null, "protein_g": null, "sodium_mg": null, "caffeine_mg": 80, "water_ml": 200, "nutrients": null}),
        ]
    );
    assert_eq!(count(&mut sql, "canonical.samples"), 0, "nutrients are no samples");
    let protein = "select value_num::text from canonical.daily_summaries where metric_code = 'protein_intake'";
    assert_eq!(value(&mut sql, protein).as_deref(), Some("18"));
    assert_eq!(value(&mut sql, "select protein_g::text from api.nutrition_day").as_deref(), Some("18"));
    let all = phone.canonical();
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert!(phone.canonical() == all);
}

/// A food that is gone from the next export, with its nutrients, is gone; one whose grouping alone is gone leaves them loose.
#[test]
fn a_food_goes_and_its_nutrients_with_it() {
    let phone = Phone::new();
    let eggs = nutrient("EnergyConsumed", "kcal", "155", "07", "Diary");
    let toast = nutrient("EnergyConsumed", "kcal", "80", "12", "Diary");
    let mut export = Export::new("2026-02-01");
    let soup = nutrient("EnergyConsumed", "kcal", "120", "19", "Diary");
    let soup = soup.clone() + &food("Soup", "19", &soup);
    export.rest = eggs.clone() + &toast + &food("Eggs", "07", &eggs) + &food("Toast", "12", &toast) + &soup;
    phone.import_text("a.xml", export.xml()).expect(0);
    export.made = "2026-02-03".into();
    export.rest = toast + &soup;
    phone.import_text("b.xml", export.xml()).expect(0);
    let live = "select string_agg(coalesce(food_name, 'loose') || ' ' || energy_kcal, ', ' order by eaten_at)
                  from canonical.nutrition_entries where retired_at is null";
    assert_eq!(value(&mut phone.sql(), live).as_deref(), Some("loose 80, Soup 120"));
    let day = "select value_num::text from canonical.daily_summaries where metric_code = 'energy_intake' and retired_at is null";
    assert_eq!(value(&mut phone.sql(), day).as_deref(), Some("200"));
}
