//! The lines of a `.env` file. A value is taken as it stands: nothing in it is expanded, and an error never shows it,
//! because it may be a secret (docs/adr/29).

/// Line number from 1, and what is wrong with that line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) why: &'static str,
}

/// Lines, names and values in the order of the file, or the first line that is no `NAME=value`.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<(usize, String, String)>, Unreadable> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut pairs = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let pair = std::str::from_utf8(line).map_err(|_| "it is not UTF-8").and_then(pair);
        let pair = pair.map_err(|why| Unreadable { line: index + 1, why })?;
        pairs.extend(pair.map(|(name, value)| (index + 1, name, value)));
    }
    Ok(pairs)
}

/// One line; none for a blank one or a comment.
fn pair(line: &str) -> Result<Option<(String, String)>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let exported = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    let (name, rest) = exported.unwrap_or(line).split_once('=').ok_or("there is no \"=\" in it")?;
    let name = name.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(plain) {
        return Err("what stands before the \"=\" is no name of letters, digits and underscores");
    }
    Ok(Some((name.to_owned(), value(rest)?)))
}

/// What follows the "=": blanks, the value, and perhaps a comment.
fn value(text: &str) -> Result<String, &'static str> {
    if is_comment(text) {
        return Ok(String::new());
    }
    let text = text.trim_start();
    let (value, rest) = if let Some(quoted) = text.strip_prefix('\'') {
        let (value, rest) = quoted.split_once('\'').ok_or("its quote is not closed")?;
        (value.to_owned(), rest)
    } else if let Some(quoted) = text.strip_prefix('"') {
        in_double_quotes(quoted)?
    } else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        if value.contains(['\'', '"', '\\']) {
            return Err("a value with quotes or backslashes in it needs single quotes around it");
        }
        (value.to_owned(), rest)
    };
    if is_comment(rest) { Ok(value) } else { Err("a value with blanks in it needs single quotes around it") }
}

/// Nothing, or blanks and a "#".
fn is_comment(rest: &str) -> bool {
    let text = rest.trim_start();
    text.is_empty() || text.starts_with('#') && text.len() < rest.len()
}

/// The value up to its closing quote, and what follows.
fn in_double_quotes(quoted: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut rest = quoted.chars();
    while let Some(next) = rest.next() {
        match next {
            '"' => return Ok((value, rest.as_str())),
            '\\' => match rest.next() {
                Some('n') => value.push('\n'),
                Some(same @ ('"' | '\\' | '$')) => value.push(same),
                _ => return Err("a backslash between double quotes stands before one of \" \\ $ n alone"),
            },
            other => value.push(other),
        }
    }
    Err("its quote is not closed")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(line: &str) -> Result<Vec<(usize, String, String)>, &'static str> {
        parse(line.as_bytes()).map_err(|unreadable| unreadable.why)
    }

    fn read(line: &str) -> String {
        let pairs = one(line).unwrap();
        assert_eq!(pairs.len(), 1, "{line}");
        pairs[0].2.clone()
    }

    #[test]
    fn values_are_taken_as_they_stand() {
        for (line, value) in [
            ("A=b", "b"),
            ("A=", ""),
            ("A= # nothing yet", ""),
            (" export A = b \r", "b"),
            ("A=pa$word${HOME}#1", "pa$word${HOME}#1"),
            ("A=b # a comment", "b"),
            ("A='a b # \\ \"c\" $d' # a comment", "a b # \\ \"c\" $d"),
            ("A=\"a b # 'c' $d \\\" \\\\ \\$e\"", "a b # 'c' $d \" \\ $e"),
            ("A=postgresql://u:p@h/d?sslmode=require", "postgresql://u:p@h/d?sslmode=require"),
            ("exported=1", "1"),
        ] {
            assert_eq!(read(line), value, "{line}");
        }
        assert_eq!(parse(b"\xef\xbb\xbf# x\r\n\r\nA=1\r\nA=2").unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_pair_is_refused_by_its_line() {
        for line in [
            "abc",
            "A b=c",
            "1A=b",
            "=b",
            "A=b c",
            "A='b",
            "A=\"b",
            "A='b'c",
            "A=\"b\\x\"",
            "A=b\"c\"",
            "A=b\\c",
            "A='b'#c",
        ] {
            assert!(one(line).is_err(), "{line}");
        }
        assert_eq!(parse(b"A=1\n\nsecret\n").unwrap_err().line, 3);
        assert_eq!(parse(b"A=1\nB=\xff").unwrap_err(), Unreadable { line: 2, why: "it is not UTF-8" });
    }

    proptest! {
        #[test]
        fn any_value_can_be_written(value in "[^\\r\\n]*") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            prop_assert_eq!(read(&format!("A=\"{quoted}\"")), value.clone());
            if !value.contains('\'') {
                prop_assert_eq!(read(&format!("A='{value}'")), value);
            }
        }

        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
