//! A clinical record: one FHIR resource as JSON (DSTU2 or R4), kept as exact text for the medical work that follows.
//! Only what names it is read. Knows one file's text.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::record::Fault;
use super::fault;

/// Real resources nest a dozen deep.
const DEEPEST: usize = 128;

/// What a resource says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Resource {
    /// The file's text without a byte order mark.
    pub(in super::super) text: String,
    /// `resourceType`.
    pub(in super::super) resource_type: String,
    /// `id`; none where there is none.
    pub(in super::super) resource_id: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "resourceType")]
    resource_type: Option<String>,
    id: Option<String>,
}

/// Whether a file begins like a FHIR resource.
pub(in super::super) fn is_like(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&head[..head.len().min(64 << 10)]);
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{') && text.contains("\"resourceType\"")
}

/// Reads a file to its end.
pub(in super::super) fn read(bytes: &[u8]) -> Result<Resource, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| fault("bad_text", "the file is not UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}');
    if depth(text) > DEEPEST {
        return Err(fault("too_deep", format!("JSON nested deeper than {DEEPEST}")));
    }
    let whole: Result<IgnoredAny, _> = serde_json::from_str(text);
    let place = |error: &serde_json::Error| format!("not JSON, at line {} column {}", error.line(), error.column());
    whole.map_err(|error| fault("bad_json", place(&error)))?;
    let named: Named = serde_json::from_str(text)
        .map_err(|_| fault("not_fhir", "resourceType or id: not a text, or not an object"))?;
    let resource_type = named.resource_type.filter(|name| !name.is_empty() && !name.contains('\0'));
    Ok(Resource {
        text: text.to_owned(),
        resource_type: resource_type.ok_or_else(|| fault("not_fhir", "resourceType: missing"))?,
        resource_id: named.id.filter(|id| !id.contains('\0')),
    })
}

/// How deep arrays and objects stand in each other: databases walk JSON on a stack.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBSERVATION: &str =
        "{\n  \"resourceType\" : \"Observation\",\n  \"id\": \"a-1\",\n  \"valueQuantity\": {\"value\": 5.10}\n}\n";

    #[test]
    fn the_text_stays_exactly_as_it_is() {
        let found = read(format!("\u{feff}{OBSERVATION}").as_bytes()).expect("a resource");
        assert_eq!(found.text, OBSERVATION);
        assert_eq!((found.resource_type.as_str(), found.resource_id.as_deref()), ("Observation", Some("a-1")));
        assert!(is_like(OBSERVATION.as_bytes()) && !is_like(b"[1]") && !is_like(b"{\"a\": 1}"));
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        let code = |text: &str| read(text.as_bytes()).expect_err("a fault").code;
        for cut in 0..OBSERVATION.trim_end().len() {
            assert_eq!(code(&OBSERVATION[..cut]), "bad_json", "cut at {cut}");
        }
        assert_eq!(code("[]"), "not_fhir");
        assert_eq!(code("{}"), "not_fhir");
        assert_eq!(code("{\"resourceType\": 7}"), "not_fhir");
        assert_eq!(code(&format!("{{\"resourceType\": \"X\", \"a\": {}}}", "[".repeat(200_000))), "too_deep");
        let deep = format!("{{\"resourceType\": \"X\", \"a\": {}{}}}", "[".repeat(1000), "]".repeat(1000));
        assert_eq!(code(&deep), "too_deep");
        let shallow = deep.replace('[', "\\\"[").replace(']', "]\\\"").replace("\"a\": ", "\"a\": \"") + "\"}";
        assert!(depth(&shallow) < 3, "brackets in a string nest nothing");
        assert_eq!(read(b"{\"a\": \"\xff\"}").expect_err("a fault").code, "bad_text");
    }
}
