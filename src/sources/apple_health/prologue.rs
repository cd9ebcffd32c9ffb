//! What stands before the root element: byte order mark, declaration, comments, document type. The root is found by
//! skipping these as XML does; the document type is never parsed, because the one that iOS 16 wrote is broken
//! (`docs/sources/apple_health.md`). Knows nothing of what follows.

use crate::source::Recognised;

/// The root of every export.
pub(super) const ROOT: &str = "HealthData";
/// A prologue may not be longer: Apple's is 10 KiB.
pub(super) const LONGEST: usize = 1 << 20;

/// Where the root element begins, and what was said before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Prologue {
    /// Byte of the root's `<`.
    pub(super) root: usize,
    pub(super) name: String,
    /// `HealthKit Export Version`.
    pub(super) version: Option<String>,
}

/// Why there is no root to be found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum NoRoot {
    /// The bytes end before one.
    More,
    /// The bytes are no XML document that can be read, and why.
    Not(String),
}

/// Whether a document is an export, by its first bytes.
pub(super) fn recognise(head: &[u8]) -> Recognised {
    match find(head) {
        Ok(prologue) if prologue.name == ROOT => Recognised::Yes,
        Ok(prologue) => Recognised::No(another_root(&prologue.name)),
        Err(NoRoot::More) if head.len() >= LONGEST => Recognised::No("has no root element in its first MiB".into()),
        Err(NoRoot::More) => Recognised::More,
        Err(NoRoot::Not(why)) => Recognised::No(why),
    }
}

/// What a document with another root probably is.
pub(super) fn another_root(name: &str) -> String {
    let what = match name {
        "ClinicalDocument" => "a clinical document (CDA); the records are in the other XML file of the export",
        "gpx" => "a GPX track, not an export; give the file that the phone exported",
        "plist" => "a property list, not an export",
        "html" | "HTML" => "a web page, not an export",
        _ => return format!("holds <{}>, not <{ROOT}>", shown(name)),
    };
    format!("is {what}")
}

/// A name as far as it can be shown.
fn shown(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric() || "-_.:".contains(*c)).take(40).collect()
}

/// Finds the root in the first bytes of a document.
pub(super) fn find(head: &[u8]) -> Result<Prologue, NoRoot> {
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) || head.starts_with(b"<\0") {
        return Err(NoRoot::Not("is written in UTF-16; exports are UTF-8".into()));
    }
    let mut at = if head.starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 };
    let mut version = None;
    loop {
        at += head[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = &head[at..];
        if rest.len() < 2 {
            return match rest.first() {
                None | Some(b'<') => Err(NoRoot::More),
                Some(_) => Err(NoRoot::Not("is not XML".into())),
            };
        }
        at += match rest {
            [b'<', b'?', ..] => {
                let length = end_of(rest, b"?>")?;
                expect_utf8(&rest[..length])?;
                length
            }
            [b'<', b'!', ..] if partial(rest, b"<!--") => end_of(rest, b"-->")?,
            [b'<', b'!', ..] if partial(rest, b"<!DOCTYPE") => {
                let length = doctype(rest)?;
                version = version.or_else(|| export_version(&rest[..length]));
                length
            }
            [b'<', first, ..] if first.is_ascii_alphabetic() || *first == b'_' || *first >= 0x80 => {
                return Ok(Prologue { root: at, name: root_name(rest)?, version });
            }
            _ => return Err(NoRoot::Not("is not XML".into())),
        };
    }
}

/// Whether `rest` begins with `mark`, as far as it goes.
fn partial(rest: &[u8], mark: &[u8]) -> bool {
    let length = rest.len().min(mark.len());
    rest[..length] == mark[..length]
}

/// The length up to and with `mark`.
fn end_of(rest: &[u8], mark: &[u8]) -> Result<usize, NoRoot> {
    rest.windows(mark.len()).position(|window| window == mark).map(|at| at + mark.len()).ok_or(NoRoot::More)
}

fn root_name(rest: &[u8]) -> Result<String, NoRoot> {
    let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
    let name = &rest[1..end.ok_or(NoRoot::More)?];
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// The declaration may name an encoding; only UTF-8, and ASCII, which is part of it, can be read.
fn expect_utf8(declaration: &[u8]) -> Result<(), NoRoot> {
    let text = String::from_utf8_lossy(declaration).to_ascii_lowercase();
    let Some((_, after)) = text.split_once("encoding").filter(|_| text.starts_with("<?xml")) else { return Ok(()) };
    let named: String = after
        .trim_start_matches(|c: char| c.is_whitespace() || c == '=' || c == '"' || c == '\'')
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .collect();
    match named.as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => Ok(()),
        other => Err(NoRoot::Not(format!("says it is written in {other}; exports are UTF-8"))),
    }
}

/// The length of a document type declaration: to the `>` after its `]`, or to its first `>` where it has no subset.
/// Comments and quoted text are stepped over; what the declarations say is not looked at.
fn doctype(rest: &[u8]) -> Result<usize, NoRoot> {
    let mut at = 2;
    let mut subset = false;
    let mut declaration = false;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'<' if partial(&rest[at..], b"<!--") => {
                at += end_of(&rest[at..], b"-->")?;
                continue;
            }
            b'<' => declaration = true,
            b'"' | b'\'' if declaration || !subset => {
                let quoted = rest[at + 1..].iter().position(|other| other == byte).ok_or(NoRoot::More)?;
                at += quoted + 2;
                continue;
            }
            b'[' if !subset => subset = true,
            b']' if subset => {
                let gap = rest[at + 1..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                match rest.get(at + 1 + gap) {
                    Some(b'>') => return Ok(at + gap + 2),
                    Some(_) => {}
                    None => return Err(NoRoot::More),
                }
            }
            b'>' if !subset => return Ok(at + 1),
            b'>' => declaration = false,
            _ => {}
        }
        at += 1;
    }
    Err(NoRoot::More)
}

/// The number in `<!-- HealthKit Export Version: 14 -->`, the only version mark there is.
fn export_version(doctype: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(doctype);
    let (_, after) = text.split_once("HealthKit Export Version:")?;
    let number: String = after.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    Some(number).filter(|number| !number.is_empty() && number.len() < 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_of(text: &str) -> String {
        let found = find(text.as_bytes()).expect("a root");
        text[found.root..].chars().take(12).collect()
    }

    #[test]
    fn the_root_stands_behind_comments_and_the_document_type() {
        let text = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- <HealthData> it's -->\n\
                    <!DOCTYPE HealthData [\n<!-- HealthKit Export Version: 14 -->\n<!ENTITY a \"]><HealthData>\">\n\
                    <!-- isn't ] > -->\n]\n>\n<HealthData locale=\"en_US\">";
        let found = find(text.as_bytes()).expect("a root");
        assert!(text[found.root..].starts_with("<HealthData locale"));
        assert_eq!(found.version.as_deref(), Some("14"));
        assert_eq!(root_of("<!DOCTYPE html><html><HealthData>"), "<html><Healt");
    }

    #[test]
    fn the_document_type_of_ios_16_is_stepped_over() {
        let text = "<!DOCTYPE HealthData [\n<!ELEMENT VisionPrescription ((RightEye|LeftEye)*)>\n\
                    <!ATTLIST VisionPrescription\n  type CDATA #REQUIRED\n<!ELEMENT RightEye EMPTY>\n>\n>\n\
                    device CDATA #IMPLIED\n>\n]>\n<HealthData>";
        assert_eq!(root_of(text), "<HealthData>");
    }

    #[test]
    fn every_beginning_asks_for_more_and_never_decides_wrongly() {
        let text = "<?xml version=\"1.0\"?><!-- a --><!DOCTYPE HealthData [<!ELEMENT Me EMPTY>]> <HealthData>";
        for cut in 0..text.len() - 1 {
            assert_eq!(find(&text.as_bytes()[..cut]), Err(NoRoot::More), "cut at {cut}");
        }
        assert_eq!(recognise(text.as_bytes()), Recognised::Yes);
    }

    #[test]
    fn other_documents_are_named() {
        let no = |text: &[u8]| match recognise(text) {
            Recognised::No(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(no(b"<?xml version=\"1.0\"?><ClinicalDocument xmlns='x'>").contains("CDA"));
        assert!(no(b"PK\x03\x04").contains("not XML"));
        assert!(no(b"<\0H\0").contains("UTF-16"));
        assert!(no(b"<?xml version='1.0' encoding='ISO-8859-1'?><HealthData>").contains("iso-8859-1"));
        assert_eq!(recognise(b""), Recognised::More);
    }
}
