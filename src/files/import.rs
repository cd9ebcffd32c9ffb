//! One file from its first look to its publication. The order is what makes a kill harmless: known files are told by
//! their digest before anything is written; rows gather in a temporary stage while the document is read; one
//! transaction then makes all of it visible (docs/ARCHITECTURE.md).

use std::io::BufReader;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use postgres::Client;
use serde_json::json;

use super::archive::{Digests, Document, Hashing};
use super::beside::Companions;
use super::feed::{Feed, Found, MOST_REJECTS, Words};
use super::ledger::{self, Entry, Same};
use super::progress::{Progress, Waiting};
use super::report::{self, Imported, Published};
use super::{Input, Options, summary, undo};
use crate::commands::Context;
use crate::db::{self, transaction};
use crate::failpoint::failpoint;
use crate::failure::{Blame, Exit, Failure, Kind};
use crate::load::{reject, typed};
use crate::run::{Account, Connection, Person, Run, RunEnd, RunKind};
use crate::source::{About, Files, Reading, Source};
use crate::transform::{self, Upserted};
use crate::zones;

/// Batches between reader and loader: with the one in each hand, six of about 1 MiB.
const CHANNEL: usize = 4;
const BLOCK: usize = 256 << 10;
/// The account of a source's files.
pub(super) const ACCOUNT: &str = "default";

/// Takes in one file.
pub(super) fn one(
    ctx: &Context,
    source: &'static Source,
    files: &'static Files,
    input: &Input,
    options: Options,
) -> Result<Imported, Failure> {
    let began = Instant::now();
    let document = Document::find(input, files)?;
    let (_, mut client) = db::open(ctx)?;
    let person = Person::find(&mut client, &ctx.config)?;
    let account = Account::find(&mut client, &person, source, ACCOUNT)?;
    let look = Look { document: &document, files, account: account.as_ref(), options };
    let (digests, companions, known) = look.take(&mut client)?;
    let now = ctx.config.clock.now();
    if let (Some(entry), Some(account)) = (known, &account) {
        let models = catch_up(ctx, &mut client, source, account, options)?;
        return Ok(report::known(ctx, source, &document, entry, &models));
    }
    if options.dry_run {
        return Ok(report::would_read(ctx, source, &document, digests.as_ref()));
    }
    let account = match account {
        Some(account) => account,
        None => Account::ensure(&mut client, &person, source, ACCOUNT, Connection::File, now)?,
    };
    let run = Run::open(&mut client, &account, RunKind::Import, now)?;
    let (entry, was_published) = (None, false);
    let mut import = Import { ctx, source, files, document, companions, digests, run, entry, was_published };
    let result = import.run(&mut client, options);
    import.end(&mut client, &result)?;
    match result? {
        Outcome::Known(entry, models) => Ok(report::known(ctx, source, &import.document, entry, &models)),
        Outcome::Published(published) => {
            Ok(report::published(ctx, source, &import.document, &published, began.elapsed()))
        }
    }
}

/// The first look at a document: who it is, before anything is written.
struct Look<'a> {
    document: &'a Document,
    files: &'a Files,
    account: Option<&'a Account>,
    options: Options,
}

impl Look<'_> {
    /// Its digests, none for standard input, the files beside it, and its place in the ledger where it is published
    /// already. A known archive is told by its own digest, without looking into it; of a folder that says too little.
    fn take(&self, client: &mut Client) -> Result<(Option<Digests>, Companions, Option<Entry>), Failure> {
        let Some(file) = self.document.file_digest()? else { return Ok((None, Companions::none(), None)) };
        if !self.document.is_of_folder()
            && let Some(entry) = self.known(client, &Same::File(&file.0))?
        {
            return Ok((None, Companions::none(), Some(entry)));
        }
        let companions = match &self.files.beside {
            Some(beside) => Companions::find(self.document, beside)?,
            None => Companions::none(),
        };
        let digests = match self.document.digests(file, companions.digest.clone()) {
            // What there is of it is known once it has been read, as with standard input.
            Err(_) if self.options.allow_truncated => return Ok((None, companions, None)),
            digests => digests?,
        };
        let known = self.known(client, &Same::Content(&digests))?;
        Ok((Some(digests), companions, known))
    }

    fn known(&self, client: &mut Client, same: &Same) -> Result<Option<Entry>, Failure> {
        let Some(account) = self.account.filter(|_| !self.options.again()) else { return Ok(None) };
        ledger::published(client, (account.user_id, account.account_id), same, self.files.parser_version)
    }
}

/// Models that did not get to read a published file, because the process was killed in between. Nothing is written
/// where there are none.
fn catch_up(
    ctx: &Context,
    client: &mut Client,
    source: &'static Source,
    account: &Account,
    options: Options,
) -> Result<Vec<Upserted>, Failure> {
    let (user_id, account_id, now) = (account.user_id, account.account_id, ctx.config.clock.now());
    if options.raw_only || options.dry_run || transform::behind(client, source, (user_id, account_id))?.is_empty() {
        return Ok(Vec::new());
    }
    let run = Run::open(client, account, RunKind::Transform, now)?;
    let models = transform::transform(client, &db::another(ctx), source, &run, false);
    let exit = models.as_ref().map_or_else(Failure::exit, |models| report::models_exit(models));
    let error = models.as_ref().err().map(|failure| failure.error.to_string());
    let counts = json!({"models": report::models_json(models.as_deref().unwrap_or_default())});
    let end = RunEnd { exit, fenced: exit == Exit::from(Kind::Busy), error, complete_scope: json!([]), counts };
    run.close(client, &end, ctx.config.clock.now())?;
    models
}

enum Outcome {
    /// The same document is published already; of raw nothing was written.
    Known(Entry, Vec<Upserted>),
    Published(Published),
}

/// An import that holds its account.
struct Import<'a> {
    ctx: &'a Context,
    source: &'static Source,
    files: &'static Files,
    document: Document,
    companions: Companions,
    digests: Option<Digests>,
    run: Run,
    entry: Option<Entry>,
    /// The file counts already and is read again: failing now must not hide it.
    was_published: bool,
}

/// What a reader brought.
struct Read {
    about: About,
    /// Rows of the document that could not be made; those of files beside it are not among them.
    rejected: u64,
    found: Found,
    digests: Digests,
}

impl Import<'_> {
    fn run(&mut self, client: &mut Client, options: Options) -> Result<Outcome, Failure> {
        if let Some(digests) = self.digests.clone()
            && let Some(known) = self.begin(client, Some(&digests), options.again())?
        {
            return self.models(client, options).map(|models| Outcome::Known(known, models)); // published while we looked
        }
        failpoint!("import.begun");
        let read = self.stage(client, options.allow_truncated)?;
        failpoint!("import.staged");
        if self.digests.as_ref().is_some_and(|before| before.document != read.digests.document) {
            return Err(Failure::new(Kind::File, format!("{} changed while it was read", self.document.shown))
                .kept("nothing from it is visible; the database is as before")
                .next("run the same command again when it has been written"));
        }
        if self.entry.is_none()
            && let Some(known) = self.begin(client, Some(&read.digests), options.again())?
        {
            // standard input is known only when it has been read
            return self.models(client, options).map(|models| Outcome::Known(known, models));
        }
        self.expect_usable(&read)?;
        let (out, shown) = (&self.ctx.out, &self.document.shown);
        let waiting = Waiting::begin(out, shown, "writing what is new");
        let mut published = self.publish(client, read, options.accept_deletions)?;
        drop(waiting);
        self.was_published = true;
        typed::take_statistics(client, self.source, self.files)?;
        let waiting = Waiting::begin(out, shown, "making canonical rows");
        published.models = self.models(client, options)?;
        drop(waiting);
        if !options.raw_only {
            undo::forget(client, &self.run, self.source, self.files)?;
        }
        Ok(Outcome::Published(published))
    }

    /// Canonical rows, in the same run.
    fn models(&self, client: &mut Client, options: Options) -> Result<Vec<Upserted>, Failure> {
        if options.raw_only {
            return Ok(Vec::new());
        }
        transform::transform(client, &db::another(self.ctx), self.source, &self.run, false)
    }

    /// Enters the file in the ledger; says so where it is published already.
    fn begin(&mut self, client: &mut Client, digests: Option<&Digests>, again: bool) -> Result<Option<Entry>, Failure> {
        let account = (self.run.user_id, self.run.account_id);
        if let Some(digests) = digests
            && let Some(known) = ledger::published(client, account, &Same::Content(digests), self.files.parser_version)?
        {
            self.was_published = true;
            self.entry = Some(known);
            return Ok((!again).then_some(known));
        }
        let (run, version) = (&self.run, self.files.parser_version);
        let entry = transaction(client, |t| {
            typed::hold(t, run)?;
            ledger::begin(t, run, Some(&self.document.shown), digests, version)
        })?;
        self.entry = Some(entry);
        Ok(None)
    }

    /// Reads the document to its end while its rows go to the stage.
    fn stage(&self, client: &mut Client, allow_truncated: bool) -> Result<Read, Failure> {
        let (files, document) = (self.files, &self.document);
        let account = (self.run.user_id, self.run.account_id);
        let words = typed::words(client, self.source, files, account)?;
        let words = words.into_iter().map(Words::new).collect();
        typed::create_stages(client, files)?;
        let zones = zones::load(client, self.run.user_id, self.ctx.config.home_tz)?;
        let reading = Reading { zones, allow_truncated };
        let total = self.digests.as_ref().map(|digests| digests.bytes);
        let mut progress = Progress::new(&self.ctx.out, &document.shown, total);
        let (sender, batches) = sync_channel(CHANNEL);
        let (loaded, read) = std::thread::scope(|scope| {
            let reader = scope.spawn(move || {
                let mut feed = Feed::new(sender, words, files.stages.len());
                let (about, digest) = document.read(|bytes| {
                    let mut hashing = Hashing::new(bytes);
                    let about = (files.read)(&mut BufReader::with_capacity(BLOCK, &mut hashing), &reading, &mut feed);
                    (about, hashing.finish())
                })?;
                let rejected = feed.rejected();
                let beside = match &files.beside {
                    Some(beside) if about.is_ok() => {
                        self.companions.each(document, &mut |file| (beside.read)(file, &reading, &mut feed))?
                    }
                    _ => Ok(()),
                };
                let last = if about.is_ok() { beside.and_then(|()| feed.finish()) } else { Ok(()) };
                Ok::<_, Failure>((about, rejected, last, feed.found(), digest))
            });
            let mut loaded = Ok(());
            for batch in batches {
                failpoint!("import.batch");
                loaded = typed::copy(client, &files.stages[batch.stage], &batch.rows);
                progress.batch(batch.count, batch.at);
                if loaded.is_err() {
                    break; // dropping the channel stops the reader
                }
            }
            (loaded, reader.join())
        });
        progress.end();
        loaded?;
        let (about, rejected, last, found, (document_digest, bytes)) =
            read.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        if found.rejected() > MOST_REJECTS {
            return Err(self.too_many(found.rejected(), None));
        }
        let about = about.map_err(|unreadable| {
            let place = if unreadable.at == 0 { String::new() } else { format!(" (byte {})", unreadable.at) };
            Failure::new(Kind::File, format!("{} {}{place}", self.document.shown, unreadable.why))
                .kept("nothing from it is visible; the database is as before")
                .next(if unreadable.is_cut {
                    let source = self.source.command_name();
                    format!("export again, or load what is there: health ingest {source} FILE --allow-truncated")
                } else {
                    format!("export again; accepted are {}", files.accepts)
                })
        })?;
        last.blame(Kind::Bug)?;
        let file = match &self.digests {
            Some(digests) => digests.file.clone(),
            None => self.document.file_digest()?.map_or_else(|| document_digest.clone(), |(digest, _)| digest),
        };
        let digests = Digests { file, document: document_digest, beside: self.companions.digest.clone(), bytes };
        Ok(Read { about, rejected, found, digests })
    }

    /// More than a fifth of at least fifty records: it is the file or the reader that is wrong (docs/adr/24).
    fn expect_usable(&self, read: &Read) -> Result<(), Failure> {
        let bad = read.rejected;
        if read.about.records >= 50 && bad * 5 > read.about.records {
            return Err(self.too_many(bad, Some(read.about.records)));
        }
        Ok(())
    }

    fn too_many(&self, bad: u64, all: Option<u64>) -> Failure {
        let of = all.map_or(String::new(), |all| format!(" of {all}"));
        Failure::new(Kind::Refused, format!("{}: {bad}{of} records cannot be used", self.document.shown))
            .kept("nothing from it is visible; the database is as before")
            .next("health doctor")
    }

    /// One transaction: words, rows, what is gone, rejects, and the update of the ledger that makes it count.
    fn publish(&self, client: &mut Client, read: Read, accept_deletions: bool) -> Result<Published, Failure> {
        let entry = self.entry.ok_or_else(|| Failure::new(Kind::Bug, "a file without its place in the ledger"))?;
        let (run, files, found) = (&self.run, self.files, &read.found);
        if !self.was_published {
            transaction(client, |t| {
                typed::hold(t, run)?;
                ledger::mark(t, run, entry, "loading")
            })?;
        }
        failpoint!("import.loading");
        let merged = transaction(client, |t| {
            typed::hold(t, run)?;
            let new: Vec<&[(i32, String)]> = found.words.iter().map(|words| words.new.as_slice()).collect();
            typed::add_words(t, run, self.source, files, &new)?;
            let merged = typed::merge(t, run, self.source, files, entry.file_id, &read.about, accept_deletions)?;
            failpoint!("import.merged");
            typed::describe(t, run, files, entry.file_id, &read.about)?;
            typed::follow(t, run, files)?;
            for table in files.tables {
                let rejected = &found.stages[table.stage].rejected;
                reject::store(t, run, table.name, Some(entry.file_id), rejected).map_err(|e| db::failure(&e))?;
            }
            let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            let new = merged.tables.iter().flat_map(|kinds| kinds.values()).map(|kind| kind.new).sum();
            let closing = ledger::Closing {
                digests: &read.digests,
                seen: signed(read.about.records),
                loaded: signed(new),
                rejected: signed(found.rejected()),
                is_cut: read.about.cut.is_some(),
            };
            ledger::publish(t, run, entry, &closing)?;
            failpoint!("import.before_publish");
            Ok(merged)
        })?;
        failpoint!("import.published");
        let kinds = summary::by_kind(files, found, &merged);
        let rejected = read.found.stages.into_iter().flat_map(|stage| stage.rejected).collect();
        let held_back = merged.held_back;
        Ok(Published { entry, about: read.about, kinds, rejected, held_back, models: Vec::new() })
    }

    /// Closes the run, and marks a file that failed. Where the database is gone, the next run does both.
    fn end(&self, client: &mut Client, result: &Result<Outcome, Failure>) -> Result<(), Failure> {
        let (exit, error, counts) = match result {
            Ok(Outcome::Known(_, models)) => {
                (report::models_exit(models), None, json!({"models": report::models_json(models)}))
            }
            Ok(Outcome::Published(published)) => (published.exit(), None, published.counts(self.files)),
            Err(failure) => (failure.exit(), Some(failure.error.to_string()), json!({})),
        };
        let whole = matches!(result, Ok(Outcome::Published(published)) if published.about.cut.is_none());
        let scope: Vec<_> = self.files.tables.iter().map(|table| json!({"resource": table.name})).collect();
        let end = RunEnd {
            exit,
            fenced: exit == Exit::from(Kind::Busy),
            error,
            complete_scope: if whole { json!(scope) } else { json!([]) },
            counts,
        };
        let closed = (|| {
            if let (Err(_), Some(entry), false) = (result, self.entry, self.was_published) {
                transaction(client, |t| {
                    typed::hold(t, &self.run)?;
                    ledger::mark(t, &self.run, entry, "failed")
                })?;
            }
            self.run.close(client, &end, self.ctx.config.clock.now())
        })();
        if result.is_ok() { closed } else { Ok(()) }
    }
}
