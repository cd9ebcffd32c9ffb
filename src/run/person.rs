//! The people whose data a database holds.

use chrono_tz::Tz;
use postgres::Client;

use crate::commands::Context;
use crate::config::Config;
use crate::db::{Sql, transaction};
use crate::failure::{Failure, Kind};
use crate::output::clean;

/// One person.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) user_id: i64,
    pub(crate) label: String,
}

impl Person {
    /// The person that `--person` names, else the first. The person's own zone counts from here on; a setting that says
    /// another one would mix two zones in one history, so it is named and not followed.
    pub(crate) fn find(client: &mut Client, ctx: &Context) -> Result<Self, Failure> {
        let config = &ctx.config;
        let (wanted, now) = (config.person.as_deref(), config.clock.now());
        let row = client.query_opt(include_str!("sql/person.sql"), &[&wanted, &now]).sql()?;
        let row = row.ok_or_else(|| match wanted {
            Some(name) => Failure::new(Kind::Config, format!("nobody here is called \"{}\"", clean(name)))
                .next("leave --person out for the first person"),
            None => Failure::new(Kind::Schema, "the database knows no person yet").next("health migrate"),
        })?;
        let person = Self { user_id: row.get(0), label: row.get(1) };
        let zone = |place| {
            let name: String = row.get(place);
            name.parse::<Tz>().map_err(|_| {
                let what = format!("the database holds \"{}\" as a zone, which is no time zone", clean(&name));
                Failure::new(Kind::Config, what).next("health doctor")
            })
        };
        let stored = zone(2)?;
        if let Some((other, origin)) = config.home.learn(stored, zone(3)?) {
            let day = now.with_timezone(&other).date_naive();
            ctx.out.write_stderr(&format!(
                "warning: {origin} says {other}, but the home zone of {} is {stored} and stays so. \
                 After a move: health zones set {other} --from {day}; else unset {origin}",
                clean(&person.label)
            ));
        }
        Ok(person)
    }

    /// The first person, made where there is none; keeps an existing one as it is.
    pub(crate) fn ensure_first(client: &mut Client, config: &Config) -> Result<(), Failure> {
        let name = config.person_name.as_deref().or(config.person.as_deref()).unwrap_or("me");
        let zone = config.home.zone().name();
        transaction(client, |t| {
            t.execute(include_str!("sql/first_person.sql"), &[&name, &zone]).sql()?;
            Ok(())
        })
    }
}
