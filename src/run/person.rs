//! The people whose data a database holds.

use postgres::Client;

use crate::config::Config;
use crate::db::{Sql, transaction};
use crate::failure::{Failure, Kind};

/// One person.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) user_id: i64,
    pub(crate) label: String,
}

impl Person {
    /// The person that `--person` names, else the first.
    pub(crate) fn find(client: &mut Client, config: &Config) -> Result<Self, Failure> {
        let wanted = config.person.as_deref();
        let row = client.query_opt(include_str!("sql/person.sql"), &[&wanted]).sql()?;
        let row = row.ok_or_else(|| match wanted {
            Some(name) => {
                Failure::new(Kind::Config, format!("nobody here is called \"{}\"", crate::output::clean(name)))
                    .next("leave --person out for the first person")
            }
            None => Failure::new(Kind::Schema, "the database knows no person yet").next("health migrate"),
        })?;
        Ok(Self { user_id: row.get(0), label: row.get(1) })
    }

    /// The first person, made where there is none; keeps an existing one as it is.
    pub(crate) fn ensure_first(client: &mut Client, config: &Config) -> Result<(), Failure> {
        let name = config.person_name.as_deref().or(config.person.as_deref()).unwrap_or("me");
        let zone = config.home_tz.name();
        transaction(client, |t| {
            t.execute(include_str!("sql/first_person.sql"), &[&name, &zone]).sql()?;
            Ok(())
        })
    }
}
