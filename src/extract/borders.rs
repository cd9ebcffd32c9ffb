//! Finds where values begin and end in a JSON text, without reading them: so that one record a strict parser refuses
//! (a bare NaN, a number too large, half a surrogate pair) costs that record and not its page (docs/adr/24).
//! Only strings and brackets are understood; what stands between borders is checked later, record by record.

/// Why no borders could be found: the text is cut off or is not JSON at this level.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum BorderError {
    #[error("the answer is cut off or is not JSON")]
    Broken,
    #[error("something follows the end of the answer")]
    Trailing,
}

/// The whole document, without a byte order mark, once it is known to end where it should.
pub(crate) fn document(text: &[u8]) -> Result<&[u8], BorderError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii();
    let end = value_end(text, 0)?;
    if end == text.len() { Ok(text) } else { Err(BorderError::Trailing) }
}

/// The value at `pointer` (`/a/b`, object members alone), the last one where a name repeats; none where it is absent.
pub(crate) fn member<'a>(text: &'a [u8], pointer: &str) -> Result<Option<&'a [u8]>, BorderError> {
    let mut value = text.trim_ascii();
    for name in pointer.split('/').skip(1) {
        let mut found = None;
        if value.first() != Some(&b'{') {
            return Ok(None);
        }
        each_item(value, |item| {
            let colon = value_end(item, 0)?;
            let rest = item[colon..].trim_ascii_start();
            let rest = rest.strip_prefix(b":").ok_or(BorderError::Broken)?;
            if serde_json::from_slice::<String>(&item[..colon]).is_ok_and(|key| key == name) {
                found = Some(rest.trim_ascii());
            }
            Ok(())
        })?;
        match found {
            Some(inner) => value = inner,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// The elements of an array; none where `text` is no array.
pub(crate) fn elements(text: &[u8]) -> Result<Option<Vec<&[u8]>>, BorderError> {
    if text.first() != Some(&b'[') {
        return Ok(None);
    }
    let mut all = Vec::new();
    each_item(text, |item| {
        all.push(item);
        Ok(())
    })?;
    Ok(Some(all))
}

/// A member of an object: its name, and the whole of it as it stands there.
pub(crate) type Member<'a> = (String, &'a [u8]);

/// The members of an object; none where `text` is no object.
pub(crate) fn members(text: &[u8]) -> Result<Option<Vec<Member<'_>>>, BorderError> {
    if text.first() != Some(&b'{') {
        return Ok(None);
    }
    let mut all = Vec::new();
    each_item(text, |item| {
        let name = serde_json::from_slice(&item[..value_end(item, 0)?]).map_err(|_| BorderError::Broken)?;
        all.push((name, item));
        Ok(())
    })?;
    Ok(Some(all))
}

/// Calls `visit` with each piece between the commas of the object or array that `text` is.
fn each_item<'a>(
    text: &'a [u8],
    mut visit: impl FnMut(&'a [u8]) -> Result<(), BorderError>,
) -> Result<(), BorderError> {
    let inner = text.get(1..text.len().saturating_sub(1)).ok_or(BorderError::Broken)?;
    let mut start = 0;
    let mut at = 0;
    while at < inner.len() {
        if inner[at] == b',' {
            visit(inner[start..at].trim_ascii())?;
            at += 1;
            start = at;
        } else if matches!(inner[at], b'"' | b'{' | b'[') {
            at = value_end(inner, at)?;
        } else {
            at += 1;
        }
    }
    let last = inner[start..].trim_ascii();
    if last.is_empty() && start == 0 { Ok(()) } else { visit(last) }
}

/// Where the value that begins at `start` ends. No recursion and no limit of depth: a text of brackets costs its own
/// length at most, and the strict parser refuses the one record that is nested too deeply.
fn value_end(text: &[u8], start: usize) -> Result<usize, BorderError> {
    let mut closers: Vec<u8> = Vec::new();
    let mut at = start;
    loop {
        match *text.get(at).ok_or(BorderError::Broken)? {
            b'"' => at = string_end(text, at)?,
            open @ (b'{' | b'[') => {
                closers.push(if open == b'{' { b'}' } else { b']' });
                at += 1;
                continue;
            }
            close @ (b'}' | b']') => {
                if closers.pop() != Some(close) {
                    return Err(BorderError::Broken);
                }
                at += 1;
            }
            _ if closers.is_empty() => return scalar_end(text, at),
            _ => {
                at += 1;
                continue;
            }
        }
        if closers.is_empty() {
            return Ok(at);
        }
    }
}

fn string_end(text: &[u8], start: usize) -> Result<usize, BorderError> {
    let mut at = start + 1;
    loop {
        match *text.get(at).ok_or(BorderError::Broken)? {
            b'"' => return Ok(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn scalar_end(text: &[u8], start: usize) -> Result<usize, BorderError> {
    let length = text[start..]
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b':' | b'}' | b']' | b'"' | b'{' | b'['))
        .unwrap_or(text.len() - start);
    if length == 0 { Err(BorderError::Broken) } else { Ok(start + length) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_poisoned_neighbour_does_not_move_a_border() {
        let page = br#"{"records": [ {"id": 1, "v": NaN}, {"id":2,"s":"a\"]}\ud800"}, {"id":3,"v":1e999} ],"next_token": "x"}"#;
        let page = document(page).unwrap();
        let records = elements(member(page, "/records").unwrap().unwrap()).unwrap().unwrap();
        assert_eq!(records.len(), 3);
        assert_eq!(member(records[1], "/id").unwrap().unwrap(), b"2");
        assert_eq!(member(page, "/next_token").unwrap().unwrap(), br#""x""#);
        assert_eq!(member(page, "/nothing").unwrap(), None);
    }

    #[test]
    fn a_cut_or_lengthened_answer_is_noticed() {
        let whole = br#"{"records":[{"id":1}],"next_token":null}"#;
        for cut in 0..whole.len() {
            assert!(document(&whole[..cut]).is_err(), "cut at {cut}");
        }
        assert_eq!(document(b"{} <html>"), Err(BorderError::Trailing));
        assert_eq!(document(&b"[".repeat(100_000)), Err(BorderError::Broken));
        assert!(document(b"\xef\xbb\xbf{}").is_ok());
    }

    #[test]
    fn an_empty_array_has_no_elements_and_the_last_of_two_members_counts() {
        assert_eq!(elements(b"[]").unwrap().unwrap().len(), 0);
        assert_eq!(elements(b"[ ]").unwrap().unwrap().len(), 0);
        assert_eq!(elements(b"{}").unwrap(), None);
        assert_eq!(member(br#"{"a":1,"a":2}"#, "/a").unwrap().unwrap(), b"2");
    }

    proptest! {
        #[test]
        fn never_panics(text in proptest::collection::vec(prop_oneof![Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b'\\'), Just(b','), Just(b':'), Just(b'1'), any::<u8>()], 0..60)) {
            let _ = document(&text);
            let _ = member(&text, "/a/b");
            let _ = elements(&text);
        }

        #[test]
        fn agrees_with_a_strict_parser(values in proptest::collection::vec("[a-z\\\\\"{}\\[\\],: ]{0,12}", 0..8)) {
            let page = serde_json::json!({"x": "],", "records": values.iter().map(|v| serde_json::json!({"id": v, "n": [1, {"k": v}]})).collect::<Vec<_>>()}).to_string();
            let page = document(page.as_bytes()).unwrap();
            let found = elements(member(page, "/records").unwrap().unwrap()).unwrap().unwrap();
            prop_assert_eq!(found.len(), values.len());
            for (record, value) in found.iter().zip(&values) {
                let id: String = serde_json::from_slice(member(record, "/id").unwrap().unwrap()).unwrap();
                prop_assert_eq!(&id, value);
            }
        }
    }
}
