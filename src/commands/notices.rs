//! What is announced of sources, as it is shown: from 90 days ahead wherever a person looks, and once a week where a schedule
//! writes a mail. Knows which were shown when (`meta.notices_shown`), not what they say.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::Context;
use crate::db::{self, Sql};
use crate::failure::Failure;
use crate::run::Person;
use crate::source::{Announced, Notice, Source};

/// A notice of a source.
pub(crate) type Announcement = (&'static Source, &'static Notice);

/// The day that counts for notices: the person's own.
pub(crate) fn today(ctx: &Context) -> NaiveDate {
    ctx.config.clock.now().with_timezone(&ctx.config.home.shown()).date_naive()
}

/// What is near or has come, of each of `sources` once, the most pressing first; not what the person has met already.
pub(crate) fn near(ctx: &Context, sources: impl IntoIterator<Item = &'static Source>) -> Vec<Announcement> {
    let mut near = dated(sources, today(ctx));
    near.retain(|announced| !is_met(ctx, announced));
    near
}

/// Whether the person did what a notice asks for: the address in use is the one that it names; or what only subscribers are
/// served was served after its day, as the last runs tell where there is a database that runs.
fn is_met(ctx: &Context, (source, notice): &Announcement) -> bool {
    match notice.kind {
        Announced::Addresses => {
            let used = ctx.config.app(source).ok().and_then(|app| app.base_url.host_str().map(str::to_owned));
            used.is_some_and(|host| notice.text.contains(&host))
        }
        Announced::Subscription if notice.on <= today(ctx) => was_served(ctx, source, notice.on).unwrap_or(false),
        _ => false,
    }
}

/// Whether each account of `source` was served when it was asked last, and one of them since `day`; none: nobody can say.
fn was_served(ctx: &Context, source: &Source, day: NaiveDate) -> Option<bool> {
    let mut client = db::look(ctx)?;
    let person = Person::find(&mut client, ctx).ok()?;
    let row = client.query_one(include_str!("notices/served.sql"), &[&person.user_id, &source.id, &day]).ok()?;
    row.try_get(0).ok()
}

/// What is near or has come on `today`.
fn dated(sources: impl IntoIterator<Item = &'static Source>, today: NaiveDate) -> Vec<Announcement> {
    let mut near: Vec<Announcement> = Vec::new();
    for source in sources {
        if near.iter().all(|(other, _)| other.id != source.id) {
            near.extend(source.notices.iter().filter(|one| one.nearness(today).is_some()).map(|one| (source, one)));
        }
    }
    near.sort_by_key(|(_, notice)| notice.on);
    near
}

/// Two lines: what happens when, and what to do about it.
pub(crate) fn lines((source, notice): &Announcement, today: NaiveDate) -> String {
    of(source.title, notice, today)
}

/// The same of what has the title `title`.
pub(crate) fn of(title: &str, notice: &Notice, today: NaiveDate) -> String {
    format!("notice: {title}, {}\nnext:   {}", notice.said(today), notice.next)
}

/// As in `--json`: `near` is null while the day is more than 90 days away.
pub(crate) fn document((source, notice): &Announcement, today: NaiveDate) -> Value {
    document_of(source.id, notice, today)
}

/// The same of what has the id `id`.
pub(crate) fn document_of(id: &str, notice: &Notice, today: NaiveDate) -> Value {
    json!({"source": id, "kind": notice.kind.word(), "on": notice.on, "days_left": notice.days_left(today),
        "near": notice.nearness(today).map(crate::source::Nearness::word), "text": notice.text, "next": notice.next})
}

/// Shows the notices of `sources` that were not shown for a week, also to a schedule that wants silence (`-q`), and notes
/// that it did. Nothing is connected to where nothing is announced.
///
/// # Errors
/// The database; whoever refreshes has told its own outcome by then.
pub(crate) fn tell_weekly(ctx: &Context, sources: impl IntoIterator<Item = &'static Source>) -> Result<(), Failure> {
    let (now, today) = (ctx.config.clock.now(), today(ctx));
    let near = near(ctx, sources);
    if near.is_empty() {
        return Ok(());
    }
    let (_, mut client) = db::open_to_write(ctx)?;
    let person = Person::find(&mut client, ctx)?;
    for (source, notice) in near {
        let about = (person.user_id, source.id, notice.kind.word(), notice.on);
        let about: [&(dyn postgres::types::ToSql + Sync); 4] = [&about.0, &about.1, &about.2, &about.3];
        let shown: Option<DateTime<Utc>> =
            client.query_opt(include_str!("notices/shown.sql"), &about).sql()?.map(|row| row.get(0));
        if notice.is_due(now, today, shown) {
            ctx.out.write_stderr(&lines(&(source, notice), today));
            let [user, source, kind, on] = about;
            client.execute(include_str!("notices/note.sql"), &[user, source, kind, on, &now]).sql()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::day;

    static NOTICES: &[Notice] = &[
        Notice { kind: Announced::Addresses, on: day(2027, 6, 1), text: "it moves", next: "set it" },
        Notice { kind: Announced::Retirement, on: day(2027, 5, 1), text: "it ends", next: "health sources" },
        Notice { kind: Announced::Subscription, on: day(2029, 1, 1), text: "it costs", next: "pay" },
    ];

    static SOURCE: Source = Source {
        id: "cloud",
        aliases: &[],
        title: "Cloud",
        brings: "",
        needs: "",
        api: None,
        files: None,
        models: &[],
        shown: &[],
        references: &[],
        notices: NOTICES,
    };

    #[test]
    fn what_is_near_comes_once_and_the_most_pressing_first() {
        let on: Vec<_> = dated([&SOURCE, &SOURCE], day(2027, 4, 2)).iter().map(|(_, one)| one.on).collect();
        assert_eq!(on, [day(2027, 5, 1), day(2027, 6, 1)], "two accounts, one notice each; 2029 is far");
        assert!(dated([&SOURCE], day(2026, 11, 20)).is_empty());
    }

    #[test]
    fn a_notice_is_two_lines_and_a_document() {
        let one = (&SOURCE, &NOTICES[0]);
        assert_eq!(lines(&one, day(2027, 5, 25)), "notice: Cloud, in 7 days, on 2027-06-01: it moves\nnext:   set it");
        let document = document(&one, day(2027, 5, 25));
        assert_eq!((&document["near"], &document["days_left"]), (&json!("near"), &json!(7)));
        assert_eq!((&document["kind"], &document["on"]), (&json!("addresses"), &json!("2027-06-01")));
    }
}
