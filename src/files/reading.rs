//! One reading of a document, from its first byte to its last: a thread inflates and seals it, one makes rows of it,
//! and this one sends them to the database. Nothing of it counts yet.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::sync::mpsc::{Receiver, sync_channel};

use chrono::{DateTime, TimeDelta, Utc};
use postgres::GenericClient;

use super::archive::{Digests, Document, load_what_is_there};
use super::beside::Companions;
use super::blocks::{Tapped, blocks};
use super::feed::{Batch, Feed, Found, MOST_REJECTS, Mode, Words};
use super::progress::Progress;
use crate::failpoint::failpoint;
use crate::failure::{Blame, Failure, Kind};
use crate::load::stream::Stream;
use crate::output::{Out, clean};
use crate::source::{About, Files, Held, Source};

/// Batches between reader and loader: what the server has to do while the reader does something else.
const CHANNEL: usize = 8;
const BLOCK: usize = 256 << 10;

/// What a reader brought.
pub(super) struct Read {
    pub(super) about: About,
    /// Rows of the document that could not be made; those of files beside it are not among them.
    pub(super) rejected: u64,
    pub(super) found: Found,
    pub(super) digests: Digests,
}

/// What is read, and how.
pub(super) struct Reading<'a> {
    pub(super) out: &'a Out,
    pub(super) source: &'static Source,
    pub(super) files: &'static Files,
    pub(super) document: &'a Document,
    pub(super) companions: &'a Companions,
    /// Those that need not be read.
    pub(super) held: Held,
    /// As far as they are known.
    pub(super) digests: Option<&'a Digests>,
    pub(super) rules: crate::source::Reading,
    pub(super) now: DateTime<Utc>,
}

impl Reading<'_> {
    /// Reads the document to its end while its rows go to their stages and, numbered, to `own`.
    pub(super) fn run(
        &self,
        client: &mut impl GenericClient,
        words: Vec<Words>,
        mode: Mode,
        own: Option<&str>,
    ) -> Result<Read, Failure> {
        let (files, document, rules) = (self.files, self.document, &self.rules);
        let is_second = matches!(mode, Mode::Some(_));
        let mut progress = Progress::new(self.out, &document.shown, self.digests.map(|digests| digests.bytes));
        let (sender, batches) = sync_channel(CHANNEL);
        let (pump, mut blocks) = blocks();
        let (loaded, inflated, read) = std::thread::scope(|scope| {
            let is_stream = document.is_stream();
            let pump = (!is_stream).then_some(pump);
            let inflated = scope.spawn(move || pump.map(|pump| document.read(|bytes| pump.run(bytes))).transpose());
            let reader = scope.spawn(move || {
                let mut feed = Feed::new(sender, words, files, mode);
                let (about, seal) = if is_stream {
                    document.read(|bytes| {
                        let mut tapped = BufReader::with_capacity(BLOCK, Tapped::new(bytes));
                        let about = (files.read)(&mut tapped, rules, &mut feed);
                        (about, Some(tapped.into_inner().seal()))
                    })?
                } else {
                    ((files.read)(&mut blocks, rules, &mut feed), None)
                };
                drop(blocks); // whoever inflates need not go on
                let (rejected, mut is_damaged) = (feed.rejected(), false);
                let beside = match &files.beside {
                    Some(beside) if about.is_ok() && !is_second => self.companions.each(document, &mut |file| {
                        is_damaged |= file.content.is_err();
                        (beside.read)(file, &self.held, rules, &mut feed)
                    })?,
                    _ => Ok(()),
                };
                let last = if about.is_ok() { beside.and_then(|()| feed.finish()) } else { Ok(()) };
                Ok::<_, Failure>((about, (rejected, is_damaged), last, feed.found(), seal))
            });
            let loaded = self.load(client, &batches, own, &mut progress);
            drop(batches); // which stops the reader
            (loaded, inflated.join(), reader.join())
        });
        progress.end();
        loaded?;
        let (about, (rejected, is_damaged), last, found, tapped) =
            read.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let pumped = inflated.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let seal = tapped.or(pumped).ok_or_else(|| Failure::new(Kind::Bug, "a document without its seal"))?;
        if found.rejected() > MOST_REJECTS {
            return Err(too_many(document, &found, found.rejected(), None));
        }
        let mut about = about.map_err(|unreadable| {
            let place = if unreadable.at == 0 { String::new() } else { format!(" (byte {})", unreadable.at) };
            let again = if unreadable.is_cut { "; export again, or load what is there" } else { "" };
            Failure::new(Kind::File, format!("{} {}{place}{again}", document.shown, unreadable.why))
                .kept("nothing from it is visible; the database is as before")
                .next(if unreadable.is_cut {
                    load_what_is_there(self.source, &document.typed)
                } else {
                    format!("export again; accepted are {}", files.accepts)
                })
        })?;
        last.blame(Kind::Bug)?;
        let file = match self.digests {
            Some(digests) => digests.file.clone(),
            None => document.look()?.map(|looked| looked.file),
        };
        let (beside, torn) = (self.companions.seal(file.as_deref().filter(|_| is_damaged)), document.torn_at());
        if let Some(at) = torn {
            let whole = || format!("is whole, but its archive is cut off (byte {at})");
            about.cut.get_or_insert_with(whole);
        }
        // A document from an archive without its end is known by that file alone: from the whole archive it proves more.
        let known = torn.is_none().then_some(seal.digest);
        let digests = Digests { file, document: known, crc: Some(seal.crc), beside, bytes: seal.bytes };
        let about = if is_second { about } else { self.not_to_come(about) };
        Ok(Read { about, rejected, found, digests })
    }

    /// A phone whose clock was wrong must not speak for days that are still to come: deletions of every later export
    /// would wait for them.
    fn not_to_come(&self, about: About) -> About {
        match about.made_at {
            Some(made_at) if made_at > self.now + TimeDelta::days(1) => {
                self.out.note(&format!(
                    "warning: {} says that it was made on {}, which is still to come; it counts as made now",
                    self.document.shown,
                    made_at.format("%Y-%m-%d")
                ));
                About { made_at: Some(self.now), ..about }
            }
            _ => about,
        }
    }

    /// Sends batches as they come; those that follow each other to one place go by one COPY.
    fn load(
        &self,
        client: &mut impl GenericClient,
        batches: &Receiver<Batch>,
        own: Option<&str>,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let mut next = batches.recv().ok();
        while let Some(batch) = next.take() {
            let place = batch.stage;
            let (target, options) = match (self.files.stages.get(place), own) {
                (Some(stage), _) => (stage.name, ""),
                (None, Some(own)) => (own, ", freeze"),
                (None, None) => return Err(Failure::new(Kind::Bug, "rows without a table")),
            };
            let mut stream = Stream::open(client, target, options)?;
            let mut now = Some(batch);
            while let Some(batch) = now.take() {
                failpoint!("import.batch");
                let goes_on = stream.send(&batch.rows);
                progress.batch(batch.count, batch.at);
                if !goes_on {
                    break;
                }
                match batches.recv() {
                    Ok(batch) if batch.stage == place => now = Some(batch),
                    other => next = other.ok(),
                }
            }
            stream.close()?;
        }
        Ok(())
    }
}

/// The file or its reader is wrong, and not single records. Nothing of it is stored, so what is wrong is said here.
pub(super) fn too_many(document: &Document, found: &Found, bad: u64, all: Option<u64>) -> Failure {
    let of = all.map_or(String::new(), |all| format!(" of {all}"));
    let mut codes: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for reject in found.stages.iter().flat_map(|stage| &stage.rejected) {
        codes.entry(reject.code).or_insert((0, &reject.detail)).0 += 1;
    }
    let mut codes: Vec<_> = codes.into_iter().collect();
    codes.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let most: Vec<String> = codes
        .iter()
        .take(3)
        .map(|(code, (count, detail))| format!("{count} {code}, like \"{}\"", clean(detail)))
        .collect();
    Failure::new(Kind::Refused, format!("{}: {bad}{of} records cannot be used: {}", document.shown, most.join("; ")))
        .kept("nothing from it is visible; the database is as before")
        .next("export again, and load the new file")
}
