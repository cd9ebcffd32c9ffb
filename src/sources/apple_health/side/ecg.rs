//! An electrocardiogram: a CSV file of a header and one voltage a line. Labels and words are in the phone's language
//! and decimals in its style, so lines are known by their place and never by their text. The header names the person
//! and their birth date: it is kept as it is and never shown, neither in messages nor in rejects' details.

use twox_hash::XxHash3_128;

use super::super::instant::{Stamp, stamp};
use super::super::record::Fault;
use super::fault;

/// An hour at 512 a second; real ones last half a minute.
const MOST_VOLTAGES: usize = 2_000_000;
/// No line of a header is longer, and no header has more lines.
const LONGEST_LINE: usize = 10_000;
const MOST_LINES: usize = 64;

/// One recording. Words are as the phone's language has them.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Ecg {
    /// All lines before the voltages, exactly.
    pub(in super::super) header: String,
    pub(in super::super) recorded: Stamp,
    pub(in super::super) classification: Option<String>,
    pub(in super::super) symptoms: Option<String>,
    pub(in super::super) software: Option<String>,
    pub(in super::super) device: Option<String>,
    /// Voltages a second.
    pub(in super::super) rate_hz: f64,
    pub(in super::super) lead: Option<String>,
    /// Unit of the voltages.
    pub(in super::super) unit: Option<String>,
    pub(in super::super) voltages: Vec<f64>,
}

impl Ecg {
    /// What tells it from others, in whatever language and time of day it was exported: its instant and its voltages.
    pub(in super::super) fn identity(&self) -> u128 {
        let mut digest = XxHash3_128::new();
        digest.write(&self.recorded.at.to_le_bytes());
        self.voltages.iter().for_each(|voltage| digest.write(&voltage.to_le_bytes()));
        digest.finish_128()
    }
}

/// Whether a file begins like one: a few lines with a label, one of them a date as exports write it.
pub(in super::super) fn is_like(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&head[..head.len().min(4096)]);
    let mut lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty());
    lines.by_ref().take(2).all(|line| line.contains([',', ';']))
        && lines.next().and_then(value).is_some_and(|date| stamp(&date).is_some())
}

/// What of a file may be shown: the first two lines that say anything name the person and their birth date.
pub(in super::super) fn nameless(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    let mut named = 0;
    while named < 2 && !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        named += usize::from(!line.trim_ascii().is_empty());
        rest = after;
    }
    rest
}

/// Reads a file to its end.
pub(in super::super) fn read(bytes: &[u8]) -> Result<Ecg, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| fault("bad_text", "the file is not UTF-8"))?;
    if text.contains('\0') {
        return Err(fault("bad_text", "a NUL character"));
    }
    let data = text
        .split_inclusive('\n')
        .scan(0, |at, line| Some((std::mem::replace(at, *at + line.len()), line)))
        .find(|(_, line)| is_numeric(line))
        .map_or(text.len(), |(at, _)| at);
    let (header, data) = text.split_at(data);
    let lines: Vec<&str> =
        header.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty()).collect();
    let too_long = lines.len() > MOST_LINES || lines.iter().any(|line| line.len() > LONGEST_LINE);
    let place = match lines.len() {
        _ if too_long => return Err(fault("bad_header", "the header is longer than any real one")),
        0..=8 => return Err(fault("bad_header", format!("the header has {} lines, not 10", lines.len()))),
        9 => 4, // exports before the phone asked for symptoms
        _ => 5,
    };
    let at = |index: usize| value(lines[index]).filter(|text| !text.is_empty());
    let recorded = at(2).and_then(|text| stamp(&text));
    let rate = at(place + 2).and_then(|text| leading_number(&text)).filter(|rate| *rate > 0.0);
    Ok(Ecg {
        header: header.to_owned(),
        recorded: recorded.ok_or_else(|| fault("bad_date", "line 3 of the header: not a date as exports write it"))?,
        classification: at(3),
        symptoms: if place == 5 { at(4) } else { None },
        software: at(place),
        device: at(place + 1),
        rate_hz: rate.ok_or_else(|| fault("bad_number", "the sample rate in the header is no number"))?,
        lead: at(lines.len() - 2),
        unit: at(lines.len() - 1),
        voltages: voltages(data, header.lines().count())?,
    })
}

fn voltages(data: &str, lines_before: usize) -> Result<Vec<f64>, Fault> {
    let sign = decimal_sign(data)?;
    let mut voltages = Vec::new();
    for (number, line) in data.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let voltage = number_in(bare(line), sign)
            .ok_or_else(|| fault("bad_number", format!("line {}: not a voltage", lines_before + number + 1)))?;
        if voltages.len() == MOST_VOLTAGES {
            return Err(fault("too_large", format!("more than {MOST_VOLTAGES} voltages")));
        }
        voltages.push(voltage);
    }
    if voltages.is_empty() {
        return Err(fault("no_values", "the file holds no voltages"));
    }
    Ok(voltages)
}

/// The sign between whole and fraction: the last of two different ones in a number, else the only one there is.
fn decimal_sign(data: &str) -> Result<char, Fault> {
    let (mut only, mut last) = ([false; 2], None);
    for line in data.lines() {
        let (point, comma) = (line.rfind('.'), line.rfind(','));
        let found = match (point, comma) {
            (Some(point), Some(comma)) => {
                if point > comma {
                    '.'
                } else {
                    ','
                }
            }
            (Some(_), None) => {
                only[0] = true;
                continue;
            }
            (None, Some(_)) => {
                only[1] = true;
                continue;
            }
            (None, None) => continue,
        };
        if last.is_some_and(|before| before != found) {
            return Err(fault("bad_number", "decimals are written in two ways"));
        }
        last = Some(found);
    }
    match (last, only) {
        (Some(sign), _) => Ok(sign),
        (None, [true, true]) => Err(fault("bad_number", "decimals are written in two ways")),
        (None, [_, true]) => Ok(','),
        _ => Ok('.'),
    }
}

/// A line without quotes around it.
fn bare(line: &str) -> &str {
    let line = line.trim();
    line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(line)
}

/// Whether a line holds nothing but a number.
fn is_numeric(line: &str) -> bool {
    let text = bare(line);
    text.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | '\u{2212}' | 'e' | 'E'))
}

/// A number whose fraction begins at `sign`; the other sign groups thousands.
fn number_in(text: &str, sign: char) -> Option<f64> {
    let plain: String = text
        .chars()
        .filter_map(|c| match c {
            _ if c == sign => Some('.'),
            '\u{2212}' => Some('-'),
            '.' | ',' => None,
            _ => Some(c),
        })
        .collect();
    plain.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The number that a text such as `512,844 hertz` begins with.
fn leading_number(text: &str) -> Option<f64> {
    let number: String = text.trim().chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).collect();
    number_in(&number, if number.contains(',') { ',' } else { '.' })
}

/// What stands behind the first comma of a line, without quotes; values may hold commas of their own.
fn value(line: &str) -> Option<String> {
    let (_, value) = line.split_once([',', ';'])?;
    Some(bare(value).replace("\"\"", "\"").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: &str = "Name,Ada Beispiel\nDate of Birth,\"Jan 15, 1990\"\nRecorded Date,2020-09-24 09:14:40 -0400\n\
        Classification,Sinus Rhythm\nSymptoms,Chest Tightness or Pain, Fatigue\nSoftware Version,1.51\n\
        Device,\"Watch5,4\"\nSample Rate,512.844 hertz\n\n\nLead,Lead I\nUnit,\u{b5}V\n\n-48.673\n12\n1023.5\n";
    const GERMAN: &str = "Name,Ada Beispiel\r\nGeburtsdatum,15.01.1990\r\nAufgezeichnet am,2020-09-24 15:14:40 +0200\r\n\
        Klassifizierung,Sinusrhythmus\r\nSymptome,\r\nSoftwareversion,1.51\r\nGer\u{e4}t,\"Watch5,4\"\r\n\
        Abtastrate,\"512,844 Hertz\"\r\n\r\nAbleitung,Ableitung I\r\nEinheit,\u{b5}V\r\n\r\n\"-48,673\"\r\n12\r\n1.023,5\r\n";

    #[test]
    fn lines_are_known_by_their_place() {
        let found = read(ENGLISH.as_bytes()).expect("a recording");
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            found.recorded,
            stamp("2020-09-24 13:14:40 +0000").map(|s| Stamp { offset_s: -14400, ..s }).unwrap()
        );
        assert_eq!(
            (found.classification, found.symptoms),
            (text("Sinus Rhythm"), text("Chest Tightness or Pain, Fatigue"))
        );
        assert_eq!((found.software, found.device), (text("1.51"), text("Watch5,4")));
        assert_eq!((found.lead, found.unit, found.rate_hz), (text("Lead I"), text("\u{b5}V"), 512.844));
        assert_eq!(found.voltages, [-48.673, 12.0, 1023.5]);
        assert!(found.header.starts_with("Name,Ada") && found.header.ends_with("V\n\n"));
        assert!(is_like(ENGLISH.as_bytes()) && is_like(GERMAN.as_bytes()));
        assert!(!is_like(b"a,b\n1,2\n3,4\n"));
    }

    #[test]
    fn another_language_says_the_same() {
        let (english, german) = (read(ENGLISH.as_bytes()).expect("one"), read(GERMAN.as_bytes()).expect("another"));
        assert_eq!((german.recorded.at, german.rate_hz), (english.recorded.at, english.rate_hz));
        assert_eq!(german.voltages, english.voltages);
        assert_eq!((german.symptoms, german.device), (None, english.device));
        let nordic = GERMAN.replace("\"-48,673\"", "\u{2212}48,673");
        assert_eq!(read(nordic.as_bytes()).expect("a third").voltages, english.voltages);
        let older = ENGLISH.replace("Symptoms,Chest Tightness or Pain, Fatigue\n", "");
        let older = read(older.as_bytes()).expect("an older one");
        assert_eq!((older.symptoms, older.software.as_deref(), older.rate_hz), (None, Some("1.51"), 512.844));
    }

    #[test]
    fn what_is_wrong_is_said_without_what_stands_there() {
        for (from, to, expected) in [
            ("-48.673", "-48.673\nAda", "bad_number"),
            ("-48.673", "1,5\n1.5", "bad_number"),
            ("-48.673\n12\n1023.5\n", "", "no_values"),
            ("2020-09-24 09:14:40 -0400", "yesterday", "bad_date"),
            ("512.844 hertz", "often", "bad_number"),
            ("Lead,Lead I\nUnit,\u{b5}V\n", "", "bad_header"),
            ("Ada", "\0", "bad_text"),
        ] {
            let fault = read(ENGLISH.replace(from, to).as_bytes()).expect_err(expected);
            assert_eq!(fault.code, expected, "{to}");
            assert!(!fault.detail.contains("Ada") && !fault.detail.contains("1990"), "{}", fault.detail);
        }
        assert_eq!(read(b"\xff\xfe").expect_err("a fault").code, "bad_text");
        assert_eq!(read(b"").expect_err("a fault").code, "bad_header");
        assert_eq!(read("a,b\n".repeat(100).as_bytes()).expect_err("a fault").code, "bad_header");
        let endless = format!("{ENGLISH}{}", "1\n".repeat(MOST_VOLTAGES));
        assert_eq!(read(endless.as_bytes()).expect_err("a fault").code, "too_large");
    }

    #[test]
    fn a_file_cut_anywhere_never_panics() {
        for (cut, _) in ENGLISH.char_indices() {
            let _ = (read(&ENGLISH.as_bytes()[..cut]), is_like(&ENGLISH.as_bytes()[..=cut]));
        }
    }
}
