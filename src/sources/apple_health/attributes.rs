//! Attributes of one tag. More forgiving than XML where real exports are not XML: names may hold blanks (iOS 8), a name
//! may occur twice (iOS 16, the first counts), control characters may stand in values. Stricter in nothing: no entity
//! but the five named ones and character references means anything, and nothing outside the text is opened.

use std::borrow::Cow;

/// What is wrong with an attribute; the text is a rule, never a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Malformed(pub(super) &'static str);

/// Names and values as written, in their order.
pub(super) fn split(text: &str) -> impl Iterator<Item = Result<(&str, &str), Malformed>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return None;
        }
        Some(first(rest).map(|(name, value, after)| {
            rest = after;
            (name, value)
        }))
        .inspect(|found| {
            if found.is_err() {
                rest = "";
            }
        })
    })
}

/// The first attribute of `text`, and what follows it.
fn first(text: &str) -> Result<(&str, &str, &str), Malformed> {
    let (name, after) = text.split_once('=').ok_or(Malformed("an attribute has no value"))?;
    let name = name.trim_ascii_end();
    if name.is_empty() || name.contains(['"', '\'', '<']) {
        return Err(Malformed("an attribute has no name"));
    }
    let after = after.trim_ascii_start();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
    let quote = quote.ok_or(Malformed("a value stands without quotes"))?;
    let (value, after) = after[1..].split_once(quote).ok_or(Malformed("a quote is not closed"))?;
    Ok((name, value, after))
}

/// The text that a value stands for. Control characters become blanks, as XML has it for tabs and line ends.
pub(super) fn unescape(value: &str) -> Result<Cow<'_, str>, Malformed> {
    if !value.bytes().any(|byte| byte == b'&' || byte < b' ') {
        return Ok(Cow::Borrowed(value));
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find(|c: char| c == '&' || c < ' ') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if !rest.starts_with('&') {
            text.push(blank_for(rest.as_bytes()[0])?);
            rest = &rest[1..];
            continue;
        }
        let (entity, after) = rest[1..].split_once(';').ok_or(Malformed("an ampersand stands alone"))?;
        text.push(character(entity)?);
        rest = after;
    }
    text.push_str(rest);
    Ok(Cow::Owned(text))
}

fn blank_for(control: u8) -> Result<char, Malformed> {
    if control == 0 { Err(Malformed("a NUL character")) } else { Ok(' ') }
}

fn character(entity: &str) -> Result<char, Malformed> {
    let number = match entity {
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "amp" => return Ok('&'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => entity.strip_prefix('#').ok_or(Malformed("an entity that is not known"))?,
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => digits(hex, 16),
        None => digits(number, 10),
    };
    let found = code.and_then(char::from_u32).ok_or(Malformed("a character reference that is no character"))?;
    match found {
        '\t' | '\n' | '\r' => Ok(found),
        '\0'..=' ' if found < ' ' => blank_for(found as u8),
        _ => Ok(found),
    }
}

/// `u32::from_str_radix` alone would take a sign.
fn digits(text: &str, radix: u32) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(text, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Result<(&str, &str), Malformed>> {
        split(text).collect()
    }

    #[test]
    fn attributes_come_in_order_and_both_of_a_pair() {
        assert_eq!(all(" a=\"1\"\n  b = '2>'"), [Ok(("a", "1")), Ok(("b", "2>"))]);
        assert_eq!(all("a='1' a='2'"), [Ok(("a", "1")), Ok(("a", "2"))]);
        assert_eq!(all("Health Mate App Version=\"2.3\""), [Ok(("Health Mate App Version", "2.3"))]);
        assert!(all("  ").is_empty());
    }

    #[test]
    fn what_is_no_attribute_is_said_once() {
        for text in ["a", "a=", "a=1", "=\"1\"", "a=\"1", "a=\"1\" \"=\"2\""] {
            let found = all(text);
            assert!(found.last().is_some_and(Result::is_err), "{text}: {found:?}");
        }
    }

    #[test]
    fn values_are_read_as_xml_reads_them() {
        assert_eq!(unescape("plain").as_deref(), Ok("plain"));
        assert_eq!(unescape("a &amp;lt; &lt;&gt;&quot;&apos;").as_deref(), Ok("a &lt; <>\"'"));
        assert_eq!(unescape("Alex&#8217;s&#xa0;Watch").as_deref(), Ok("Alex\u{2019}s\u{a0}Watch"));
        assert_eq!(unescape("a\u{b}b\tc&#11;d").as_deref(), Ok("a b c d"));
        for bad in ["a&b", "&unknown;", "&#0;", "\0", "&#xD800;", "&#x110000;", "&#+65;", "&#;", "&;"] {
            assert!(unescape(bad).is_err(), "{bad:?}");
        }
    }
}
