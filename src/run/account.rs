//! The accounts of a person: one login at a source, or its files.

use chrono::{DateTime, Utc};
use postgres::Client;
use serde_json::Value;

use super::Person;
use crate::db::{Sql, transaction};
use crate::failure::Failure;
use crate::source::Source;

/// One account, as its row said when it was read.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) user_id: i64,
    pub(crate) account_id: i64,
    pub(crate) source_system: String,
    pub(crate) label: String,
    /// The provider's id of the person, once known.
    pub(crate) external_user_id: Option<String>,
    /// No request before this instant.
    pub(crate) not_before: Option<DateTime<Utc>>,
    /// When the person accepted what the source's terms say; none: not, or it has none.
    pub(crate) terms_accepted_at: Option<DateTime<Utc>>,
}

/// The state of a connection; the word in `meta.source_accounts.status`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Connection {
    Active,
    NeedsAuth,
    Retired,
    File,
}

impl Connection {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NeedsAuth => "needs_auth",
            Self::Retired => "retired",
            Self::File => "file",
        }
    }
}

impl Account {
    /// The account of `source` called `label`, made where there is none.
    pub(crate) fn ensure(
        client: &mut Client,
        person: &Person,
        source: &Source,
        label: &str,
        kind: Connection,
        now: DateTime<Utc>,
    ) -> Result<Self, Failure> {
        if let Some(found) = Self::find(client, person, source, label)? {
            return Ok(found);
        }
        transaction(client, |t| {
            t.query_one(include_str!("sql/lock_person.sql"), &[&person.user_id]).sql()?;
            t.execute(include_str!("sql/new_account.sql"), &[&person.user_id, &source.id, &label, &kind.word(), &now])
                .sql()?;
            Ok(())
        })?;
        Self::find(client, person, source, label)?.ok_or_else(|| {
            Failure::new(crate::failure::Kind::Database, "the account could not be written").next("health doctor")
        })
    }

    pub(crate) fn find(
        client: &mut Client,
        person: &Person,
        source: &Source,
        label: &str,
    ) -> Result<Option<Self>, Failure> {
        let row = client.query_opt(include_str!("sql/account.sql"), &[&person.user_id, &source.id, &label]).sql()?;
        Ok(row.map(|row| Self {
            user_id: person.user_id,
            account_id: row.get(0),
            source_system: source.id.to_owned(),
            label: label.to_owned(),
            external_user_id: row.get(1),
            not_before: row.get(2),
            terms_accepted_at: row.get(3),
        }))
    }

    /// All accounts of the person at `source`.
    pub(crate) fn all(client: &mut Client, person: &Person, source: &Source) -> Result<Vec<Self>, Failure> {
        let rows = client.query(include_str!("sql/accounts.sql"), &[&person.user_id, &source.id]).sql()?;
        let of = |row: &postgres::Row| Self {
            user_id: person.user_id,
            account_id: row.get(0),
            source_system: source.id.to_owned(),
            label: row.get(4),
            external_user_id: row.get(1),
            not_before: row.get(2),
            terms_accepted_at: row.get(3),
        };
        Ok(rows.iter().map(of).collect())
    }

    /// Mirrors the state of the connection, and until when the provider asked to be left alone.
    pub(crate) fn note_state(
        &self,
        client: &mut Client,
        state: Connection,
        not_before: Option<DateTime<Utc>>,
    ) -> Result<(), Failure> {
        client
            .execute(
                include_str!("sql/account_state.sql"),
                &[&self.user_id, &self.account_id, &state.word(), &not_before],
            )
            .sql()?;
        Ok(())
    }

    /// Writes down that the person accepted the source's terms, where they had not before.
    pub(crate) fn accept_terms(&self, client: &mut Client, now: DateTime<Utc>) -> Result<(), Failure> {
        client.execute(include_str!("sql/accept_terms.sql"), &[&self.user_id, &self.account_id, &now]).sql()?;
        Ok(())
    }

    /// What an earlier run knew of the provider's quotas; null: nothing.
    pub(crate) fn quotas(&self, client: &mut Client) -> Result<Value, Failure> {
        let row = client.query_opt(include_str!("sql/quotas.sql"), &[&self.user_id, &self.source_system]).sql()?;
        let told: Option<Value> = row.and_then(|row| row.get(0));
        Ok(told.unwrap_or(Value::Null))
    }

    /// Keeps them for the next run; an empty list is none.
    pub(crate) fn note_quotas(&self, client: &mut Client, quotas: &Value) -> Result<(), Failure> {
        if quotas.as_array().is_some_and(|all| !all.is_empty()) {
            client.execute(include_str!("sql/note_quotas.sql"), &[&self.user_id, &self.account_id, quotas]).sql()?;
        }
        Ok(())
    }
}
