//! Times as exports write them: `2024-01-01 01:01:36 +0200`, and without separators in exports of iOS 8. The offset is
//! that of the phone on the day of the export, so it leads to the instant and says nothing else. Beats of a heart rate
//! variability record have a bare time of day.

use std::borrow::Cow;

use chrono::NaiveDate;
use chrono_tz::Tz;

/// An instant in whole seconds since 1970, and the offset that was written beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp {
    pub(super) at: i64,
    pub(super) offset_s: i32,
}

/// The zone that `HKTimeZone` names. Apps that know only an offset write `GMT+0200`, which has a name where it is of whole
/// hours; any other name that is none says nothing.
pub(super) fn zone(name: &str) -> Option<Tz> {
    name.parse().ok().or_else(|| {
        let (sign, offset) = name.strip_prefix("GMT")?.split_at_checked(1)?;
        let hours: u8 = offset.strip_suffix("00")?.trim_end_matches(':').parse().ok()?;
        let west = match sign {
            "+" => '-', // these names count westward
            "-" => '+',
            _ => return None,
        };
        format!("Etc/GMT{west}{hours}").parse().ok()
    })
}

/// Half a day in hundredths of a second: clocks of twelve hours repeat after it.
const HALF_DAY: i64 = 4_320_000;

pub(super) fn stamp(text: &str) -> Option<Stamp> {
    let mut digits = [0u8; 18];
    let form: &[u8] = match text.len() {
        25 => b"0000-00-00 00:00:00 +0000",
        19 => b"00000000000000+0000",
        _ => return None,
    };
    let mut count = 0;
    for (expected, byte) in form.iter().zip(text.bytes()) {
        match expected {
            b'0' if byte.is_ascii_digit() => {
                digits[count] = byte - b'0';
                count += 1;
            }
            b'+' if matches!(byte, b'+' | b'-') => {}
            _ if byte == *expected => {}
            _ => return None,
        }
    }
    let number = |from: usize, to: usize| digits[from..to].iter().fold(0u32, |sum, digit| sum * 10 + u32::from(*digit));
    let year = i32::try_from(number(0, 4)).ok().filter(|year| *year > 0)?;
    let day = NaiveDate::from_ymd_opt(year, number(4, 6), number(6, 8))?;
    let local = day.and_hms_opt(number(8, 10), number(10, 12), number(12, 14))?.and_utc().timestamp();
    let (hours, minutes) = (number(14, 16), number(16, 18));
    let size = i32::try_from(hours * 3600 + minutes * 60).ok().filter(|_| hours <= 18 && minutes < 60)?;
    let offset_s = if text.as_bytes()[text.len() - 5] == b'-' { -size } else { size };
    Some(Stamp { at: local - i64::from(offset_s), offset_s })
}

/// The same with the digits and decimal signs of this program: phones write those of their language.
fn western(text: &str) -> Cow<'_, str> {
    const ZEROES: [u32; 4] = [0x660, 0x6F0, 0x966, 0x9E6]; // Arabic, Persian, Devanagari, Bengali
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let digit = |c: char| ZEROES.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|digit| *digit < 10));
    Cow::Owned(
        text.chars()
            .map(|c| match digit(c) {
                Some(digit) => char::from_digit(digit, 10).unwrap_or(c),
                None if c == '\u{66b}' => '.',
                None => c,
            })
            .collect(),
    )
}

/// Seconds from `start` to a time of day such as `7:11:52.21 AM` in the export's offset. Whether the clock has 12 or 24
/// hours, and how the phone's language writes the half of the day, does not matter: a record lasts minutes.
pub(super) fn beat(text: &str, start: Stamp) -> Option<f64> {
    let text: &str = &western(text);
    let clock = &text[text.find(|c: char| c.is_ascii_digit())?..];
    let is_clock = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | ',');
    let clock = &clock[..clock.find(|c| !is_clock(c)).unwrap_or(clock.len())];
    // Some languages write 13.00.03,10.
    let mut parts = clock.splitn(3, if clock.contains(':') { ':' } else { '.' });
    let hour: u32 = parts.next()?.parse().ok().filter(|hour| *hour < 24)?;
    let minute: u32 = parts.next()?.parse().ok().filter(|minute| *minute < 60)?;
    let second = parts.next()?;
    let (whole, fraction) = second.split_once(['.', ',']).unwrap_or((second, ""));
    let whole: u32 = whole.parse().ok().filter(|second| *second < 61)?;
    let mut digits = fraction.chars().chain(['0', '0']).map(|c| c.to_digit(10));
    let hundredths = digits.next()?? * 10 + digits.next()??;
    let of_day = i64::from((hour * 3600 + minute * 60 + whole) * 100 + hundredths);
    let began = (start.at + i64::from(start.offset_s)) * 100;
    let after = (of_day - began).rem_euclid(HALF_DAY);
    let after = if after > HALF_DAY - 6_000 { after - HALF_DAY } else { after }; // a beat just before the whole second
    Some(f64::from(i32::try_from(after).ok()?) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_mean_the_same_instant() {
        let new = stamp("2015-06-16 07:19:16 -0700").expect("a stamp");
        assert_eq!(new, Stamp { at: 1_434_464_356, offset_s: -25200 });
        assert_eq!(stamp("20150616071916-0700"), Some(new));
        assert_eq!(stamp("2015-06-16 17:19:16 +0300").map(|s| s.at), Some(new.at));
    }

    #[test]
    fn an_offset_for_a_zone_is_one() {
        assert_eq!(zone("Asia/Tokyo"), Some(Tz::Asia__Tokyo));
        assert_eq!(zone("GMT+0900"), Some(Tz::Etc__GMTMinus9));
        assert_eq!(zone("GMT-0700"), Some(Tz::Etc__GMTPlus7));
        assert_eq!(zone("GMT+09:00"), Some(Tz::Etc__GMTMinus9));
        assert_eq!(zone("GMT+0000"), Some(Tz::Etc__GMTMinus0));
        for name in ["", "GMT+0530", "GMT+1900", "GMT09", "GMT+", "GMT\u{e9}00", "Europe/Nowhere"] {
            assert_eq!(zone(name), None, "{name}");
        }
    }

    #[test]
    fn a_beat_is_read_in_the_digits_of_the_phone() {
        let start = stamp("2024-01-01 13:00:00 +0100").expect("a stamp");
        for text in
            ["13:00:03.10", "1:00:03.10 PM", "13:00:03,10", "13.00.03,10", "13.00.03.10", "١٣:٠٠:٠٣٫١٠", "۱۳:۰۰:۰۳٫۱۰"]
        {
            assert_eq!(beat(text, start), Some(3.1), "{text}");
        }
        assert_eq!(beat("١٣", start), None);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2015-06-16",
            "2015-06-16 07:19:16",
            "2015-06-16T07:19:16-0700",
            "2015-02-29 07:19:16 +0000",
            "2015-06-16 24:00:00 +0000",
            "2015-06-16 07:19:16 +1930",
            "2015-06-16 07:19:16 +0060",
            "0000-01-01 00:00:00 +0000",
            "2015-06-16 07:19:1x +0000",
            "2015-06-16 07:19:16  0000",
            "\u{e9}015-06-16 07:19:16 +000",
        ] {
            assert_eq!(stamp(text), None, "{text}");
        }
    }

    #[test]
    fn beats_count_from_the_start_whatever_clock_the_phone_shows() {
        let start = stamp("2024-01-01 19:11:50 +0200").expect("a stamp");
        for text in ["7:11:52.21 PM", "7:11:52.21\u{202f}PM", "19:11:52,21", "7:11:52.21 nachm.", "午後7:11:52.21"] {
            assert_eq!(beat(text, start), Some(2.21), "{text}");
        }
        let late = stamp("2024-01-01 23:59:58 +0200").expect("a stamp");
        assert_eq!(beat("12:00:01.00 AM", late), Some(3.0));
        assert_eq!(beat("0:00:01.5", late), Some(3.5));
        assert_eq!(beat("11:59:57.90 PM", late), Some(-0.1));
        assert_eq!(beat("noon", start), None);
        assert_eq!(beat("7:71:00", start), None);
    }
}
