//! The first look at a document: who it is, before anything is written. What can be told without reading the document is
//! told so.

use postgres::Client;

use super::Options;
use super::archive::{Digests, Document};
use super::beside::Companions;
use super::ledger::{self, Entry, Same};
use crate::failure::Failure;
use crate::run::Account;
use crate::source::Files;

pub(super) struct Look<'a> {
    pub(super) document: &'a Document,
    pub(super) files: &'a Files,
    pub(super) account: Option<&'a Account>,
    pub(super) options: Options,
}

impl Look<'_> {
    /// Its digests, none for standard input, the files beside it, and its place in the ledger where it is published
    /// already. A known archive is told by its own digest, without looking into it; of a folder that says too little.
    /// Only a document that looks like a known one in another archive is read for its digest.
    pub(super) fn take(&self, client: &mut Client) -> Result<(Option<Digests>, Companions, Option<Entry>), Failure> {
        let Some(looked) = self.document.look()? else { return Ok((None, Companions::none(), None)) };
        if !self.document.is_of_folder()
            && let Some(entry) = self.known(client, &Same::File(&looked.file))?
        {
            return Ok((None, Companions::none(), Some(entry)));
        }
        let companions = match &self.files.beside {
            Some(beside) => Companions::find(self.document, beside)?,
            None => Companions::none(),
        };
        if self.document.torn_at().is_some() {
            return Ok((None, companions, None)); // what there is of it is known once it has been read
        }
        let mut digests = match self.document.outline(looked, companions.digest.clone()) {
            Err(_) if self.options.allow_truncated => return Ok((None, companions, None)),
            digests => digests?,
        };
        if digests.document.is_none() && (self.options.allow_truncated || self.is_like_a_known_one(client, &digests)?) {
            digests.document = match self.document.digest() {
                // What there is of it is known once it has been read, as with standard input.
                Err(_) if self.options.allow_truncated => return Ok((None, companions, None)),
                digest => Some(digest?),
            };
        }
        let known = match &digests.document {
            Some(_) => self.known(client, &Same::Content(&digests))?,
            None => None,
        };
        Ok((Some(digests), companions, known))
    }

    fn is_like_a_known_one(&self, client: &mut Client, digests: &Digests) -> Result<bool, Failure> {
        let Some(account) = self.account else { return Ok(false) };
        let account = (account.user_id, account.account_id);
        ledger::is_like_a_published_one(client, account, digests, self.files.parser_version)
    }

    fn known(&self, client: &mut Client, same: &Same) -> Result<Option<Entry>, Failure> {
        let Some(account) = self.account.filter(|_| !self.options.again()) else { return Ok(None) };
        ledger::published(client, (account.user_id, account.account_id), same, self.files.parser_version)
    }
}
