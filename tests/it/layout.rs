//! The repository agrees with itself: folders, registry, migrations, documents, tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::support::cli::Home;
use crate::support::pg::{Database, files};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn folders(path: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    entries.flatten().filter(|e| e.path().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

/// Names of files with an ending, without it.
fn stems(path: &str, ending: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    entries.flatten().filter_map(|e| e.file_name().to_string_lossy().strip_suffix(ending).map(str::to_owned)).collect()
}

fn registry() -> Vec<serde_json::Value> {
    let list = Home::new().health(&["sources", "--json"]).expect(0).json();
    list["sources"].as_array().expect("sources").clone()
}

fn ids(sources: &[serde_json::Value]) -> BTreeSet<String> {
    sources.iter().map(|s| s["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn every_source_has_its_folder_migration_and_page() {
    let sources = registry();
    let mut migrations = folders("migrations");
    assert!(migrations.remove("core"));
    assert_eq!(folders("src/sources"), ids(&sources), "src/sources");
    assert_eq!(migrations, ids(&sources), "migrations");
    assert_eq!(stems("docs/sources", ".md"), ids(&sources), "docs/sources");
    let with_api: BTreeSet<String> = sources
        .iter()
        .filter(|s| ["login", "both"].contains(&s["kind"].as_str().expect("a kind")))
        .map(|s| s["id"].as_str().expect("an id").to_owned())
        .collect();
    let mut simulated = folders("tests/it/providers");
    simulated.extend(stems("tests/it/providers", ".rs"));
    simulated.remove("mod");
    assert_eq!(simulated, with_api, "tests/it/providers");
}

#[test]
fn migrations_are_named_and_ordered() {
    let mut stamps = BTreeSet::new();
    for file in files(&root().join("migrations")) {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let scope = file.parent().and_then(Path::file_name).expect("a folder").to_string_lossy().into_owned();
        let (stamp, rest) = name.strip_prefix('V').and_then(|n| n.split_once("__")).unwrap_or_else(|| panic!("{name}"));
        assert!(stamp.len() == 12 && stamp.bytes().all(|b| b.is_ascii_digit()), "{name}");
        assert!(rest.starts_with(&format!("{scope}_")) && rest.strip_suffix(".sql").is_some(), "{scope}/{name}");
        assert!(stamps.insert(stamp.to_owned()), "{stamp} twice");
    }
    assert!(!stamps.is_empty());
}

/// A database remembers what it was made by: a file that has landed is never edited, and a new one sorts after all others.
/// `sha256sum --check tests/it/fixtures/migrations.sha256` says the same.
#[test]
fn migrations_that_landed_are_as_they_were() {
    let list = read("tests/it/fixtures/migrations.sha256");
    let landed: Vec<(&str, &str)> = list.lines().map(|line| line.split_once("  ").expect("a digest, a path")).collect();
    let stamp = |path: &str| path.rsplit('/').next().expect("a name").to_owned();
    assert!(
        landed.windows(2).all(|pair| stamp(pair[0].1) < stamp(pair[1].1)),
        "each line is later than those before it"
    );
    for (digest, path) in &landed {
        let content = std::fs::read(root().join(path)).unwrap_or_else(|_| panic!("{path} is gone"));
        let now: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(now, *digest, "{path} was edited; write a new migration");
    }
    let listed: BTreeSet<PathBuf> = landed.iter().map(|(_, path)| root().join(path)).collect();
    let there: BTreeSet<PathBuf> = files(&root().join("migrations")).into_iter().collect();
    assert_eq!(listed, there, "a new migration is added at the end of the list");
}

#[test]
fn every_test_file_is_listed() {
    let main = read("tests/it/main.rs");
    for name in stems("tests/it", ".rs") {
        assert!(name == "main" || main.contains(&format!("\nmod {name};")), "tests/it/{name}.rs runs nowhere");
    }
}

#[test]
fn no_file_is_too_long() {
    let mut long = vec![];
    for folder in ["src", "tests", "benches"] {
        for file in files(&root().join(folder)).into_iter().filter(|f| f.extension().is_some_and(|e| e == "rs")) {
            let lines = std::fs::read_to_string(&file).expect("a file").lines().count();
            if lines > 500 {
                long.push((file.strip_prefix(root()).map(PathBuf::from), lines));
            }
        }
    }
    assert!(long.is_empty(), "{long:?}");
}

/// Names at the beginning of lines, a comment sign aside, as they stand in an environment file.
fn variables(text: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let (name, _) = line.trim_start_matches(['#', ' ']).split_once('=')?;
        let upper = !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        upper.then(|| name.to_owned())
    };
    text.lines().filter_map(name).collect()
}

#[test]
fn the_example_environment_is_what_is_read() {
    let example = variables(&read(".env.example"));
    let help = Home::new().health(&["help", "env"]).expect(0).stdout;
    let words: BTreeSet<String> = help
        .split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
        .filter(|w| w.len() > 3 && (w.contains('_')))
        .map(str::to_owned)
        .collect();
    assert!(example.len() >= 8, "{example:?}");
    let unknown: Vec<_> = example.difference(&words).collect();
    assert!(unknown.is_empty(), "in .env.example, and not in `health help env`: {unknown:?}");
    let sources: Vec<String> = ids(&registry()).into_iter().map(|id| id.to_uppercase()).collect();
    let missing: Vec<_> = words
        .difference(&example)
        .filter(|w| {
            ["HEALTH_", "DATABASE_"].iter().any(|p| w.starts_with(p))
                || sources.iter().any(|s| w.starts_with(&format!("{s}_")))
        })
        .collect();
    assert!(missing.is_empty(), "in `health help env`, and not in .env.example: {missing:?}");
}

#[test]
fn the_readme_lists_the_sources() {
    let readme = read("README.md");
    let sources = registry();
    let rows: Vec<&str> = readme.lines().filter(|l| l.starts_with("| [`")).collect();
    for source in &sources {
        let (id, kind) = (source["id"].as_str().expect("an id"), source["kind"].as_str().expect("a kind"));
        let row = rows
            .iter()
            .find(|r| r.starts_with(&format!("| [`{id}`](docs/sources/{id}.md) |")))
            .unwrap_or_else(|| panic!("README has no row for {id}"));
        assert!(row.contains(kind), "{row}: not {kind}");
        assert!(readme.contains(&format!("`{id}_raw`")), "README does not name the schema of {id}");
        for field in ["brings", "needs"] {
            if let Some(text) = source[field].as_str() {
                assert!(row.contains(text), "{row}: {field} is {text:?}");
            }
        }
    }
}

#[test]
fn the_data_model_document_is_the_database() {
    let db = Database::migrated();
    let sql = read("tests/it/data_model.sql");
    let found = db.client().query(sql.trim().trim_end_matches(';'), &[]).expect("the data model");
    let generated: Vec<String> = found.iter().map(|row| row.get::<_, Option<String>>(0).unwrap_or_default()).collect();
    assert!(generated.len() > 50);
    let document = read("docs/data-model.md");
    let marker = "<!-- generated from the database -->\n";
    let (_, written) = document.split_once(marker).expect("the generated part");
    let differing = |(d, g): &(&str, &str)| d.trim_end() != g.trim_end();
    let wrong: Vec<_> = written
        .trim()
        .lines()
        .zip(generated.join("\n").trim().lines())
        .filter(differing)
        .take(5)
        .map(|(d, g)| (d.to_owned(), g.to_owned()))
        .collect();
    assert!(wrong.is_empty(), "docs/data-model.md differs from the database: {wrong:#?}");
    assert_eq!(written.trim().lines().count(), generated.join("\n").trim().lines().count());
}

#[test]
fn nothing_here_reads_the_program_under_test() {
    for file in files(&root().join("tests/it/providers")) {
        let text = std::fs::read_to_string(&file).expect("a file");
        assert!(!text.contains("health::") && !text.contains("src/"), "{}", file.display());
    }
}
