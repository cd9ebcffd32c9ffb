//! One file from its first look to its publication. The order is what makes a kill harmless: known files are told by
//! their digest before anything is written; rows gather in a temporary stage while the document is read; one
//! transaction then makes all of it visible (docs/ARCHITECTURE.md).

use std::time::Instant;

use postgres::{Client, GenericClient, Transaction};
use serde_json::json;

use super::archive::{Digests, Document};
use super::beside::Companions;
use super::feed::{Mode, Words};
use super::ledger::{self, Entry, Same};
use super::look::Look;
use super::progress::Waiting;
use super::reading::{Read, Reading, too_many};
use super::report::{self, Imported, Known, Published};
use super::{Input, Options, summary, undo};
use crate::commands::Context;
use crate::db::{self, Sql, transaction};
use crate::failpoint::failpoint;
use crate::failure::{Blame, Exit, Failure, Kind};
use crate::load::typed::{Brought, Came, Merged};
use crate::load::{bulk, reject, typed};
use crate::run::{Account, Connection, Person, Run, RunEnd, RunKind};
use crate::source::{self, Bulk, Files, Held, Source};
use crate::transform::{self, Upserted};
use crate::zones;

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
    let (began, _whole) = (Instant::now(), crate::signals::from_the_start());
    let document = Document::find(input, (source, files), options.allow_truncated)?;
    let (_, mut client) = db::open(ctx)?;
    let person = Person::find(&mut client, ctx)?;
    let account = Account::find(&mut client, &person, source, ACCOUNT)?;
    let look = Look { document: &document, files, account: account.as_ref(), options };
    let (digests, companions, known) = look.take(&mut client)?;
    let now = ctx.config.clock.now();
    if let (Some(entry), Some(account)) = (known, &account) {
        let held_back = ledger::held_back(&mut client, (account.user_id, account.account_id), entry)?;
        let models = catch_up(ctx, &mut client, source, account, options)?;
        return Ok(report::known(ctx, source, &document, &Known { entry, held_back, models }));
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
        Outcome::Known(known) => Ok(report::known(ctx, source, &import.document, &known)),
        Outcome::Published(published) => {
            Ok(report::published(ctx, source, &import.document, &published, began.elapsed()))
        }
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
    Known(Known),
    Published(Published),
}

/// How a document came in, before its models.
enum Loaded {
    Known(Entry),
    Published(Box<(Read, Merged)>),
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

impl Import<'_> {
    fn run(&mut self, client: &mut Client, options: Options) -> Result<Outcome, Failure> {
        if let Some(digests) = self.digests.clone()
            && let Some(known) = self.begin(client, Some(&digests), options.again())?
        {
            return self.was_known(client, known, options); // published while we looked
        }
        failpoint!("import.begun");
        // What is read once more, or only in part, is compared row by row.
        let is_plain = !self.document.is_stream() && !options.force && !options.allow_truncated;
        let bulk = self.files.bulk().filter(|_| is_plain);
        if let Some(bulk) = bulk {
            transaction(client, |t| {
                typed::hold(t, &self.run)?;
                bulk::drop_empty_table(t, bulk, &self.run)
            })?;
        }
        let outcome = match bulk {
            Some(bulk) if !bulk::has_table(client, bulk, &self.run)? => self.first(client, bulk, options)?,
            Some(bulk) if bulk::has_digests(client, bulk, &self.run)? => self.compared(client, bulk, options)?,
            _ => self.staged(client, options)?,
        };
        let (read, merged) = match outcome {
            Loaded::Known(known) => return self.was_known(client, known, options),
            Loaded::Published(published) => *published,
        };
        failpoint!("import.published");
        self.was_published = true;
        let kinds = summary::by_kind(self.files, &read.found, &merged);
        let rejected = read.found.stages.into_iter().flat_map(|stage| stage.rejected).collect();
        if !options.raw_only {
            typed::take_statistics(client, self.source, self.files, &merged)?;
        }
        let waiting = Waiting::begin(&self.ctx.out, &self.document.shown, "making canonical rows");
        let models = self.models(client, options)?;
        drop(waiting);
        if !options.raw_only {
            undo::forget(client, &self.run, self.source, self.files)?;
        }
        let (entry, held_back, rewritten) = (self.entry()?, merged.held_back, merged.rewritten);
        Ok(Outcome::Published(Published { entry, about: read.about, kinds, rejected, held_back, rewritten, models }))
    }

    fn was_known(&self, client: &mut Client, entry: Entry, options: Options) -> Result<Outcome, Failure> {
        let held_back = ledger::held_back(client, (self.run.user_id, self.run.account_id), entry)?;
        let models = self.models(client, options)?;
        Ok(Outcome::Known(Known { entry, held_back, models }))
    }

    /// The first rows of an account go into a table of their own, in the one transaction that also publishes them.
    fn first(&mut self, client: &mut Client, bulk: &Bulk, options: Options) -> Result<Loaded, Failure> {
        let entry = self.entry()?;
        let mut t = client.transaction().sql()?;
        typed::create_stages(&mut t, self.files)?;
        let own = bulk::create_table(&mut t, bulk, &self.run, entry.file_id)?;
        let words = self.words(&mut t)?;
        let target = format!("{own} ({})", bulk.columns);
        let mut read = self.reading(&mut t, options)?.run(&mut t, words, Mode::Own(Box::default()), Some(&target))?;
        failpoint!("import.staged");
        if let Some(known) = self.met(&mut t, &read)? {
            t.rollback().sql()?;
            return self.known(client, known);
        }
        self.expect_usable(&read)?;
        let waiting = self.waiting();
        typed::hold(&mut t, &self.run)?;
        if read.found.digests.records() > 0 {
            bulk::attach_table(&mut t, bulk, &self.run)?;
        } else {
            bulk::drop_table(&mut t, &own)?;
        }
        let merged = self.write(&mut t, &mut read, Came::Own, options)?;
        t.commit().blame(Kind::Database)?;
        drop(waiting);
        Ok(Loaded::Published(Box::new((read, merged))))
    }

    /// Days whose digest is known are not looked at again; the document is read a second time for the others.
    fn compared(&mut self, client: &mut Client, bulk: &Bulk, options: Options) -> Result<Loaded, Failure> {
        typed::create_stages(client, self.files)?;
        let words = self.words(client)?;
        let reading = self.reading(client, options)?;
        let mut read = reading.run(client, words, Mode::Digests, None)?;
        failpoint!("import.staged");
        if let Some(known) = self.met(client, &read)? {
            return self.known(client, known);
        }
        self.expect_usable(&read)?;
        let compared = bulk::compare(client, bulk, &self.run, &mut read.found.digests)?;
        if !read.found.digests.is_empty() {
            let words = std::mem::take(&mut read.found.words);
            let chosen = Mode::Some(read.found.digests.keys());
            let again = self.reading(client, options)?.run(client, words, chosen, None)?;
            // What lies beside was read the first time.
            let now = Digests { beside: read.digests.beside.clone(), ..again.digests };
            if now != read.digests {
                return Err(self.changed());
            }
            read.found.words = again.found.words;
            failpoint!("import.compared");
        }
        self.publish(client, read, Came::Compared(compared), options)
    }

    /// Everything goes through the stage.
    fn staged(&mut self, client: &mut Client, options: Options) -> Result<Loaded, Failure> {
        typed::create_stages(client, self.files)?;
        let words = self.words(client)?;
        let read = self.reading(client, options)?.run(client, words, Mode::All, None)?;
        failpoint!("import.staged");
        if self.entry.is_some()
            && let Some(known) = self.met(client, &read)?
        {
            return self.known(client, known);
        }
        if self.entry.is_none()
            && let Some(known) = self.begin(client, Some(&read.digests), options.again())?
        {
            return Ok(Loaded::Known(known)); // standard input is known only when it has been read
        }
        self.expect_usable(&read)?;
        self.publish(client, read, Came::Staged, options)
    }

    /// The document has been read: it must be the one that was looked at. Says under which number it was published
    /// before, which for one in an archive is known only now.
    fn met(&self, client: &mut impl GenericClient, read: &Read) -> Result<Option<Entry>, Failure> {
        let (Some(before), now) = (&self.digests, &read.digests) else { return Ok(None) };
        let same_crc = before.crc.is_none() || before.crc == now.crc;
        let same_digest = before.document.is_none() || before.document == now.document;
        if !same_crc || !same_digest || before.bytes != now.bytes {
            return Err(self.changed());
        }
        let account = (self.run.user_id, self.run.account_id);
        let known = ledger::published(client, account, &Same::Content(now), self.files.parser_version)?;
        Ok(known.filter(|known| Some(*known) != self.entry))
    }

    /// The same document is published under another number: this one leads nowhere.
    fn known(&mut self, client: &mut Client, known: Entry) -> Result<Loaded, Failure> {
        let entry = self.entry()?;
        if !self.was_published {
            transaction(client, |t| {
                typed::hold(t, &self.run)?;
                ledger::mark(t, &self.run, entry, "failed")
            })?;
        }
        Ok(Loaded::Known(known))
    }

    fn changed(&self) -> Failure {
        Failure::new(Kind::File, format!("{} changed while it was read", self.document.shown))
            .kept("nothing from it is visible; the database is as before")
            .next("run the same command again when it has been written")
    }

    fn entry(&self) -> Result<Entry, Failure> {
        self.entry.ok_or_else(|| Failure::new(Kind::Bug, "a file without its place in the ledger"))
    }

    fn waiting(&self) -> Waiting {
        Waiting::begin(&self.ctx.out, &self.document.shown, "writing what is new")
    }

    fn words(&self, client: &mut impl GenericClient) -> Result<Vec<Words>, Failure> {
        let account = (self.run.user_id, self.run.account_id);
        let words = typed::words(client, self.source, self.files, account)?;
        Ok(words.into_iter().map(Words::new).collect())
    }

    fn reading(&self, client: &mut impl GenericClient, options: Options) -> Result<Reading<'_>, Failure> {
        let zones = zones::load(client, self.run.user_id, self.ctx.config.home.zone())?;
        let beside = self.files.beside.as_ref().filter(|_| !options.force && !self.companions.is_empty());
        let held = match beside {
            Some(beside) => typed::held(client, &self.run, beside, self.files.parser_version)?,
            None => Held::new(),
        };
        Ok(Reading {
            out: &self.ctx.out,
            source: self.source,
            files: self.files,
            document: &self.document,
            companions: &self.companions,
            held,
            digests: self.digests.as_ref(),
            rules: source::Reading { zones, allow_truncated: options.allow_truncated, for_models: !options.raw_only },
            now: self.ctx.config.clock.now(),
        })
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
        let same = digests.and_then(|digests| match (&digests.document, &digests.file) {
            (Some(_), _) => Some(Same::Content(digests)),
            (None, file) => file.as_deref().map(Same::File),
        });
        if let Some(same) = same
            && let Some(known) = ledger::published(client, account, &same, self.files.parser_version)?
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

    /// More than a fifth of at least fifty records: it is the file or the reader that is wrong (docs/adr/24).
    fn expect_usable(&self, read: &Read) -> Result<(), Failure> {
        let bad = read.rejected;
        if read.about.records >= 50 && bad * 5 > read.about.records {
            return Err(too_many(&self.document, &read.found, bad, Some(read.about.records)));
        }
        Ok(())
    }

    /// One transaction from the stages to publication.
    fn publish(
        &mut self,
        client: &mut Client,
        mut read: Read,
        came: Came,
        options: Options,
    ) -> Result<Loaded, Failure> {
        let (entry, waiting) = (self.entry()?, self.waiting());
        if !self.was_published {
            transaction(client, |t| {
                typed::hold(t, &self.run)?;
                ledger::mark(t, &self.run, entry, "loading")
            })?;
        }
        failpoint!("import.loading");
        let merged = transaction(client, |t| {
            typed::hold(t, &self.run)?;
            self.write(t, &mut read, came, options)
        })?;
        drop(waiting);
        Ok(Loaded::Published(Box::new((read, merged))))
    }

    /// Words, rows, what is gone, rejects, and the update of the ledger that makes it count.
    fn write(&self, t: &mut Transaction, read: &mut Read, came: Came, options: Options) -> Result<Merged, Failure> {
        let (run, files, entry, found) = (&self.run, self.files, self.entry()?, &mut read.found);
        let new: Vec<&[(i32, String)]> = found.words.iter().map(|words| words.new.as_slice()).collect();
        typed::add_words(t, run, self.source, files, &new)?;
        let mut brought = Brought {
            came,
            file_id: entry.file_id,
            about: &read.about,
            seen: found.stages.iter().map(|stage| &stage.seen).collect(),
            digests: &mut found.digests,
            accept_deletions: options.accept_deletions,
        };
        let merged = typed::merge(t, run, self.source, files, &mut brought)?;
        failpoint!("import.merged");
        typed::describe(t, run, files, entry.file_id, &read.about)?;
        typed::follow_import(t, run, files, (came, &merged), !options.raw_only)?;
        for (table, is_proved) in files.tables.iter().zip(&merged.proved) {
            let rejected = &found.stages[table.stage].rejected;
            reject::store(t, run, table.name, Some(entry.file_id), rejected).map_err(|e| db::failure(&e))?;
            if *is_proved {
                reject::close(t, run, table.name).map_err(|e| db::failure(&e))?;
            }
        }
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let new = merged.tables.iter().flat_map(|kinds| kinds.values()).map(|kind| kind.new).sum();
        let closing = ledger::Closing {
            digests: &read.digests,
            seen: signed(read.about.records),
            loaded: signed(new),
            rejected: signed(found.rejected()),
            held_back: signed(merged.held_back),
            is_cut: read.about.cut.is_some(),
        };
        ledger::publish(t, run, entry, &closing)?;
        failpoint!("import.before_publish");
        Ok(merged)
    }

    /// Closes the run, and marks a file that failed. Where the database is gone, the next run does both.
    fn end(&self, client: &mut Client, result: &Result<Outcome, Failure>) -> Result<(), Failure> {
        let (exit, error, counts) = match result {
            Ok(Outcome::Known(known)) => (known.exit(), None, json!({"models": report::models_json(&known.models)})),
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
