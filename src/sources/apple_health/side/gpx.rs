//! A workout's route: a GPX track as the phone writes it, one point a second. Points become columns, with the places
//! where segments begin. Knows one file's text, and neither archives nor workouts.

use std::collections::BTreeMap;

use chrono::DateTime;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::attributes::{split, unescape};
use super::super::prologue;
use super::super::record::Fault;
use super::fault;

/// Four days of one point a second.
const MOST_POINTS: usize = 400_000;
/// Real routes nest six deep.
const DEEPEST: usize = 32;
/// How many names of elements that no column takes are counted.
const MOST_NAMES: usize = 50;
/// No number, name or time is longer.
const LONGEST_TEXT: usize = 1 << 10;

/// A route; every column of `points` has one value a point.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Route {
    /// Program that wrote it.
    pub(in super::super) creator: Option<String>,
    /// Name of the first track.
    pub(in super::super) name: Option<String>,
    /// Number, from 1, of the first point of each segment that has points.
    pub(in super::super) segments: Vec<i32>,
    pub(in super::super) points: Vec<Point>,
    /// Elements that no column takes, by name.
    pub(in super::super) others: BTreeMap<String, u64>,
}

/// Degrees, metres, metres a second; none where the file does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in super::super) struct Point {
    /// Microseconds since 1970.
    pub(in super::super) at: Option<i64>,
    pub(in super::super) lat: f64,
    pub(in super::super) lon: f64,
    pub(in super::super) ele: Option<f64>,
    pub(in super::super) speed: Option<f64>,
    pub(in super::super) course: Option<f64>,
    pub(in super::super) h_acc: Option<f64>,
    pub(in super::super) v_acc: Option<f64>,
}

/// What tells a route from others, wherever and whenever it was exported: all from its first segment on. What stands
/// before says when the export was made, and names the route by the local time of that day.
pub(in super::super) fn track(bytes: &[u8]) -> &[u8] {
    const SEGMENT: &[u8] = b"<trkseg";
    let at = bytes.windows(SEGMENT.len()).position(|window| window == SEGMENT);
    at.map_or(bytes, |at| &bytes[at..])
}

/// Reads a GPX file to its end.
pub(in super::super) fn read(bytes: &[u8]) -> Result<Route, Fault> {
    let head = &bytes[..bytes.len().min(prologue::LONGEST)];
    let prologue = prologue::find(head).map_err(|_| fault("not_gpx", "the file is not XML"))?;
    if local(&prologue.name) != "gpx" {
        return Err(fault("not_gpx", "the file is not a GPX track"));
    }
    let text = std::str::from_utf8(&bytes[prologue.root..]).map_err(|_| fault("bad_text", "the file is not UTF-8"))?;
    let mut walk = Walk::default();
    let mut events = Reader::from_str(text);
    loop {
        let event = events.read_event().map_err(|_| walk.broken("the file is not well-formed"))?;
        match event {
            Event::Start(tag) => walk.open(&tag)?,
            Event::Empty(tag) => {
                walk.open(&tag)?;
                walk.close()?;
            }
            Event::End(_) => walk.close()?,
            Event::Text(text) => walk.text(&text)?,
            Event::CData(text) => walk.text(&text)?,
            Event::GeneralRef(entity) => walk.entity(&entity)?,
            Event::Eof if walk.path.is_empty() && walk.closed => return Ok(walk.route),
            Event::Eof => return Err(walk.broken("the file ends too early")),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::DocType(_) => return Err(walk.broken("the file is not well-formed")),
        }
    }
}

/// What is being read of a point, or of the route.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    Time,
    Ele,
    Speed,
    Course,
    HAcc,
    VAcc,
}

#[derive(Default)]
struct Walk {
    route: Route,
    /// Local names of the elements that are open.
    path: Vec<String>,
    closed: bool,
    /// The point that is open.
    point: Option<Point>,
    /// Where in `path` the text belongs to a field, and the text so far.
    field: Option<(usize, Field)>,
    written: String,
    segment_is_new: bool,
}

impl Walk {
    fn broken(&self, what: &str) -> Fault {
        fault("bad_gpx", format!("{what}, after point {}", self.route.points.len()))
    }

    fn bad(&self, code: &'static str, what: &str) -> Fault {
        fault(code, format!("point {}: {what}", self.route.points.len() + 1))
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), Fault> {
        if self.closed && self.path.is_empty() {
            return Err(self.broken("the file goes on after its last element"));
        }
        if self.path.len() == DEEPEST {
            return Err(self.broken("elements are nested deeper than 32"));
        }
        let name = local(tag.name().into_inner()).to_owned();
        match name.as_str() {
            "gpx" if self.path.is_empty() => self.route.creator = self.attribute(tag, "creator")?,
            "trkpt" if self.point.is_none() => self.begin_point(tag)?,
            "trkseg" => self.segment_is_new = true,
            "trk" | "extensions" | "metadata" => {}
            _ => self.begin_field(&name),
        }
        self.path.push(name);
        Ok(())
    }

    fn begin_field(&mut self, name: &str) {
        let field = match (name, self.point.is_some()) {
            ("name", false) if self.path.last().is_some_and(|parent| parent == "trk") => Some(Field::Name),
            ("time", true) => Some(Field::Time),
            ("ele", true) => Some(Field::Ele),
            ("speed", true) => Some(Field::Speed),
            ("course", true) => Some(Field::Course),
            ("hAcc", true) => Some(Field::HAcc),
            ("vAcc", true) => Some(Field::VAcc),
            _ => None,
        };
        match field {
            Some(field) if self.field.is_none() => {
                self.field = Some((self.path.len(), field));
                self.written.clear();
            }
            _ if self.route.others.len() < MOST_NAMES || self.route.others.contains_key(name) => {
                *self.route.others.entry(name.chars().take(80).collect()).or_default() += 1;
            }
            _ => *self.route.others.entry("(others)".into()).or_default() += 1,
        }
    }

    fn begin_point(&mut self, tag: &BytesStart<'_>) -> Result<(), Fault> {
        if self.route.points.len() == MOST_POINTS {
            return Err(fault("too_large", format!("more than {MOST_POINTS} points")));
        }
        let degrees = |name, most: f64| {
            let text = self.attribute(tag, name)?;
            let number = text.and_then(|text| decimal(&text)).filter(|degrees| degrees.abs() <= most);
            number.ok_or_else(|| self.bad("bad_number", &format!("{name} is no coordinate")))
        };
        let (lat, lon) = (degrees("lat", 90.0)?, degrees("lon", 180.0)?);
        self.point = Some(Point { lat, lon, ..Point::default() });
        Ok(())
    }

    /// An attribute of a tag; the first of its name counts.
    fn attribute(&self, tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, Fault> {
        for pair in split(tag.attributes_raw()) {
            let (other, value) = pair.map_err(|bad| self.bad("bad_attribute", bad.0))?;
            if other == name {
                let value = unescape(value).map_err(|bad| self.bad("bad_text", bad.0))?;
                return Ok(Some(value.chars().take(LONGEST_TEXT).collect()));
            }
        }
        Ok(None)
    }

    fn text(&mut self, text: &str) -> Result<(), Fault> {
        if self.field.is_some() {
            if text.contains('\0') {
                return Err(self.bad("bad_text", "a NUL character"));
            }
            if self.written.len() + text.len() > LONGEST_TEXT {
                return Err(self.bad("bad_text", "a text is longer than 1 KiB"));
            }
            self.written.push_str(text);
        }
        Ok(())
    }

    /// References to characters and the five named ones; no other means anything.
    fn entity(&mut self, name: &str) -> Result<(), Fault> {
        if self.field.is_none() {
            return Ok(());
        }
        let text = unescape(&format!("&{name};")).map_err(|bad| self.bad("bad_text", bad.0))?.into_owned();
        self.text(&text)
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(name) = self.path.pop() else { return Err(self.broken("the file is not well-formed")) };
        if let Some((_, field)) = self.field.filter(|(depth, _)| *depth == self.path.len()) {
            self.field = None;
            self.end_field(field)?;
        }
        if name == "trkpt"
            && !self.path.iter().any(|open| open == "trkpt")
            && let Some(point) = self.point.take()
        {
            self.route.points.push(point);
            if std::mem::take(&mut self.segment_is_new) || self.route.segments.is_empty() {
                self.route.segments.push(i32::try_from(self.route.points.len()).unwrap_or(i32::MAX));
            }
        }
        self.closed |= self.path.is_empty();
        Ok(())
    }

    /// The first value of a field counts; an empty one says nothing.
    fn end_field(&mut self, field: Field) -> Result<(), Fault> {
        let text = self.written.trim();
        if text.is_empty() {
            return Ok(());
        }
        let wrong = |what: &str| self.bad("bad_number", &format!("{what} is no number"));
        let number = |what| decimal(text).map(Some).ok_or_else(|| wrong(what));
        let mut point = self.point.unwrap_or_default();
        match field {
            Field::Name => {
                self.route.name.get_or_insert_with(|| text.to_owned());
                return Ok(());
            }
            Field::Time => {
                let at = DateTime::parse_from_rfc3339(text).map_err(|_| self.bad("bad_date", "time is no instant"))?;
                point.at = point.at.or(Some(at.timestamp_micros()));
            }
            Field::Ele => point.ele = point.ele.or(number("ele")?),
            Field::Speed => point.speed = point.speed.or(number("speed")?),
            Field::Course => point.course = point.course.or(number("course")?),
            Field::HAcc => point.h_acc = point.h_acc.or(number("hAcc")?),
            Field::VAcc => point.v_acc = point.v_acc.or(number("vAcc")?),
        }
        self.point = Some(point);
        Ok(())
    }
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn decimal(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"Apple Health Export\" \
        xmlns=\"http://www.topografix.com/GPX/1/1\"><metadata><time>2024-12-26T22:53:41Z</time></metadata>\
        <trk><name>Route 2024-12-26 2:53pm</name>";
    const FULL: &str = "<trkpt lon=\"-122.016617\" lat=\"37.331886\"><ele>12.5</ele><time>2024-12-26T22:20:01Z</time>\
        <extensions><speed>1.25</speed><course>271.5</course><hAcc>3.1</hAcc><vAcc>2.2</vAcc></extensions></trkpt>";

    fn gpx(inside: &str) -> Result<Route, Fault> {
        read(format!("{HEAD}{inside}</trk></gpx>").as_bytes())
    }

    fn code(inside: &str) -> &'static str {
        gpx(inside).expect_err("a fault").code
    }

    #[test]
    fn points_and_segments_are_read() {
        let bare = "<trkpt lat=\"37\" lon=\"-122\"></trkpt><trkpt lat=\"37\" lon=\"-122.5\"/>";
        let route = gpx(&format!("<trkseg>{FULL}{FULL}</trkseg><trkseg/><trkseg>{bare}</trkseg>")).expect("a route");
        assert_eq!(route.creator.as_deref(), Some("Apple Health Export"));
        assert_eq!(route.name.as_deref(), Some("Route 2024-12-26 2:53pm"));
        assert_eq!(route.segments, [1, 3]);
        let first = Point {
            at: Some(1_735_251_601_000_000),
            lat: 37.331_886,
            lon: -122.016_617,
            ele: Some(12.5),
            speed: Some(1.25),
            course: Some(271.5),
            h_acc: Some(3.1),
            v_acc: Some(2.2),
        };
        assert_eq!((route.points.len(), route.points[1]), (4, first));
        assert_eq!(route.points[3], Point { lat: 37.0, lon: -122.5, ..Point::default() });
        assert_eq!(route.others, [("time".to_owned(), 1)].into());
    }

    #[test]
    fn what_no_column_takes_is_counted() {
        let route =
            gpx("<trkseg><trkpt lat=\"1\" lon=\"2\"><sat>9</sat><x:hr>61</x:hr></trkpt></trkseg>").expect("a route");
        assert_eq!(route.others.get("sat").zip(route.others.get("hr")), Some((&1, &1)));
        let plain = gpx("<trkseg/>").expect("a route without points");
        assert!(plain.points.is_empty() && plain.segments.is_empty());
    }

    #[test]
    fn a_file_cut_anywhere_is_refused_and_never_panics() {
        let whole = format!("{HEAD}<trkseg>{FULL}{FULL}</trkseg></trk></gpx>");
        for cut in 0..whole.len() {
            assert!(read(&whole.as_bytes()[..cut]).is_err(), "cut at {cut}");
        }
        assert!(read(format!("{whole}<gpx/>").as_bytes()).is_err());
        assert!(read(whole.as_bytes()).is_ok());
    }

    #[test]
    fn one_wrong_value_sets_the_file_aside() {
        for (from, to, expected) in [
            ("37.331886", "north", "bad_number"),
            ("37.331886", "97.3", "bad_number"),
            ("lat=", "x=", "bad_number"),
            ("12.5", "NaN", "bad_number"),
            ("1.25", "1,25", "bad_number"),
            ("2024-12-26T22:20:01Z", "yesterday", "bad_date"),
            ("12.5", "&e;", "bad_text"),
            ("12.5", "\0", "bad_text"),
        ] {
            assert_eq!(code(&format!("<trkseg>{}</trkseg>", FULL.replace(from, to))), expected, "{to}");
        }
    }

    #[test]
    fn hostile_files_are_refused() {
        assert_eq!(code(&"<a>".repeat(100_000)), "bad_gpx");
        assert_eq!(code(&format!("<trkseg><trkpt lat=\"1\" lon=\"2\"><ele>{}", "1".repeat(5000))), "bad_text");
        let point = "<trkpt lat=\"1\" lon=\"2\"/>".repeat(MOST_POINTS + 1);
        assert_eq!(code(&format!("<trkseg>{point}</trkseg>")), "too_large");
        let laughs = "<!DOCTYPE gpx [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><gpx><trk><name>&b;</name></trk></gpx>";
        assert_eq!(read(laughs.as_bytes()).expect_err("a fault").code, "bad_text");
        assert_eq!(read(b"<html></html>").expect_err("a fault").code, "not_gpx");
        assert_eq!(read(b"<gpx>\xff</gpx>").expect_err("a fault").code, "bad_text");
        assert_eq!(read(b"").expect_err("a fault").code, "not_gpx");
    }
}
