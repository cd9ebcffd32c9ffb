//! The vocabulary of endpoints: where records are in a reply, what they are known by, how time and pages move. Types and
//! `const` setters only.

use super::{Call, Each, PageToken, Slice};

/// An endpoint, the raw table it fills, and how time moves through it.
#[derive(Clone, Copy)]
pub(crate) struct Resource {
    /// `<source>_raw.<name>`, and the word on the command line.
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    /// The scope that opens it, or several with `|` between them, each of which does; empty where none is needed.
    pub(crate) scope: &'static str,
    /// JSON pointer to the provider's id of the person, where this resource alone says it: such a resource is read before
    /// all others. Empty: as in [`super::Api::owner`].
    pub(crate) owner: &'static str,
    /// JSON pointer to the day on which the person's account at the provider began, text or an object of year, month and day,
    /// where this resource says it: such a resource is read before the others. Empty: it does not. What comes of it is
    /// [`Early`].
    pub(crate) first_day: &'static str,
    /// How time before that day is asked for.
    pub(crate) early: Early,
    pub(crate) window: Window,
    /// A year before which there is nothing, where a first load starts; 1970: not known.
    pub(crate) begins: i32,
    pub(crate) paging: Paging,
    /// JSON pointer to the records in a reply; empty: the reply is the record.
    pub(crate) records: &'static str,
    /// Whether the reply itself is the array of records.
    pub(crate) is_list: bool,
    /// What stands there.
    pub(crate) holds: Holds,
    /// JSON pointers inside a record; none: a snapshot, stored when it differs from the last one. Where `at` is one of them,
    /// the instant counts and not how it is written. A pointer behind a question mark may lead to nothing: then "-" stands
    /// for it.
    pub(crate) key: &'static [&'static str],
    /// JSON pointer to the record's time (text, or seconds since 1970), or to its day where windows are days ([`Stamp::Days`]), text or an object of year, month and day; empty: never retired for
    /// being absent.
    pub(crate) at: &'static str,
    /// JSON pointer to an instant near the record's place in time, for records without a time of their own.
    pub(crate) near: &'static str,
    /// JSON pointer to the record's end. A provider may leave out of a window what is not wholly inside it, so a record is
    /// missing only from a window that holds it wholly: it begins in it and ends before its end. Empty: `at` is all there is.
    pub(crate) ends: &'static str,
    /// JSON pointer to the time of the record's version; a stored version never yields to an older one. Empty: none.
    pub(crate) version: &'static str,
    /// How many days of covered time are read again: scores change after the fact.
    pub(crate) lookback_days: u16,
    /// How many days are read again once a week, by the first run of it: what is edited or analysed again later. 0: no more
    /// than the lookback.
    pub(crate) weekly_days: u16,
    /// The parameter, in seconds since 1970, that lists what came or changed since, whatever time it is of; empty: there is
    /// none. Then each run asks for that first, and lists all times anew once in a while for what was deleted.
    pub(crate) changed_since: &'static str,
    /// Another resource that tells where in time there is anything to be read here; empty: nobody tells. It is read before,
    /// and windows in whose neighbourhood it lists nothing are not asked for.
    pub(crate) led_by: &'static str,
    /// Set where requests are POST forms: the fields that all of them have.
    pub(crate) form: Option<&'static [(&'static str, &'static str)]>,
    /// What marks a record that the provider has not finished with; it holds coverage back (docs/adr/09).
    pub(crate) provisional: &'static [Provisional],
    /// Whether the provider answers 204, 404 or something like it when it has nothing.
    pub(crate) may_be_absent: bool,
    /// Whether it is left out without a word where its scope was not granted: not everybody wants to give that.
    pub(crate) may_be_withheld: bool,
    /// Its records are asked for one by one; `{id}` in the path or in a parameter stands for the id.
    pub(crate) each: Option<Each>,
    /// After so many days all that is held is read again, for what changed or went behind the lookback; 0: never.
    pub(crate) sweep_days: u16,
    /// How a slice and a page token become a request; the way out for odd providers.
    pub(crate) call: fn(&Resource, &Slice, Option<&PageToken>) -> Call,
}

impl Resource {
    /// A GET that answers with one record, asked for every time.
    pub(crate) const fn get(name: &'static str, path: &'static str) -> Self {
        Self {
            name,
            path,
            scope: "",
            owner: "",
            first_day: "",
            early: Early::Windows,
            window: Window::Snapshot,
            begins: 1970,
            paging: Paging::Single,
            records: "",
            is_list: false,
            holds: Holds::List,
            key: &[],
            at: "",
            near: "",
            ends: "",
            version: "",
            lookback_days: 0,
            weekly_days: 0,
            changed_since: "",
            led_by: "",
            form: None,
            provisional: &[],
            may_be_absent: false,
            may_be_withheld: false,
            each: None,
            sweep_days: 0,
            call: crate::extract::paging::standard_call,
        }
    }
    /// The same by a POST of a form, in which `fields` always stand.
    pub(crate) const fn post(
        name: &'static str,
        path: &'static str,
        fields: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { form: Some(fields), ..Self::get(name, path) }
    }
    /// Whether it can be read with these scopes; none: which were granted is not known.
    pub(crate) fn is_open_to(&self, granted: &[String]) -> bool {
        let opens = |one: &String| self.scope.split('|').any(|scope| scope == one);
        self.scope.is_empty() || granted.is_empty() || granted.iter().any(opens)
    }
    pub(crate) const fn scope(mut self, scope: &'static str) -> Self {
        self.scope = scope;
        self
    }
    pub(crate) const fn owner(mut self, pointer: &'static str) -> Self {
        self.owner = pointer;
        self
    }
    pub(crate) const fn first_day(mut self, pointer: &'static str) -> Self {
        self.first_day = pointer;
        self
    }
    pub(crate) const fn early(mut self, early: Early) -> Self {
        self.early = early;
        self
    }
    pub(crate) const fn begins(mut self, year: i32) -> Self {
        self.begins = year;
        self
    }
    pub(crate) const fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }
    pub(crate) const fn paging(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }
    pub(crate) const fn records(mut self, pointer: &'static str) -> Self {
        self.records = pointer;
        self
    }
    /// The reply itself is the array of records.
    pub(crate) const fn list(mut self) -> Self {
        self.is_list = true;
        self
    }
    pub(crate) const fn holds(mut self, holds: Holds) -> Self {
        self.holds = holds;
        self
    }
    pub(crate) const fn changed_since(mut self, parameter: &'static str) -> Self {
        self.changed_since = parameter;
        self
    }
    pub(crate) const fn led_by(mut self, resource: &'static str) -> Self {
        self.led_by = resource;
        self
    }
    pub(crate) const fn key(mut self, pointers: &'static [&'static str]) -> Self {
        self.key = pointers;
        self
    }
    pub(crate) const fn at(mut self, pointer: &'static str) -> Self {
        self.at = pointer;
        self
    }
    pub(crate) const fn near(mut self, pointer: &'static str) -> Self {
        self.near = pointer;
        self
    }
    pub(crate) const fn ends(mut self, pointer: &'static str) -> Self {
        self.ends = pointer;
        self
    }
    pub(crate) const fn version(mut self, pointer: &'static str) -> Self {
        self.version = pointer;
        self
    }
    pub(crate) const fn lookback(mut self, days: u16) -> Self {
        self.lookback_days = days;
        self
    }
    pub(crate) const fn weekly(mut self, days: u16) -> Self {
        self.weekly_days = days;
        self
    }
    pub(crate) const fn sweep(mut self, days: u16) -> Self {
        self.sweep_days = days;
        self
    }
    pub(crate) const fn call(mut self, call: fn(&Self, &Slice, Option<&PageToken>) -> Call) -> Self {
        self.call = call;
        self
    }
    pub(crate) const fn provisional(mut self, marks: &'static [Provisional]) -> Self {
        self.provisional = marks;
        self
    }
    pub(crate) const fn may_be_absent(mut self) -> Self {
        self.may_be_absent = true;
        self
    }
    pub(crate) const fn may_be_withheld(mut self) -> Self {
        self.may_be_withheld = true;
        self
    }
}

/// What stands where a reply has its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holds {
    /// An array of them.
    List,
    /// The same, left out where it is empty, as protobuf's JSON has it.
    Sparse,
    /// The same, of readings that come by the thousand. Those of one hour at Greenwich and of one origin are one record, keyed
    /// by the hour and the origin, dated by the hour: each as it was sent, in the order of their times. The first part of the
    /// key is their time, the rest is their origin. Newest first, they pass through without being held.
    Readings,
    /// One, or an empty array where there is none.
    One,
    /// An object whose names are instants in seconds since 1970, or an empty array. What belongs to one hour at Greenwich is
    /// one record, keyed and dated by the hour: its members, each as it was sent, in the order of their names.
    Hours,
}

/// How time before the account's first day is asked for. Few have anything there: what was imported, or entered for long ago.
/// Where no resource says that day, or it could not be read, there is no such time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Early {
    /// As all other time.
    Windows,
    /// By one question, where the longest window is our choice and not the provider's. Has the answer a second page, then in
    /// windows all the same.
    Once,
    /// In windows, near what this resource lists of that time, which is read before. Where it cannot be read: in all windows.
    Near(&'static str),
}

/// A mark of a record that will change: a JSON pointer, and what stands there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Provisional {
    /// Absent or null: the record has not ended.
    Missing(&'static str),
    /// This text: a score is still to come.
    Says(&'static str, &'static str),
}

/// How a slice of time becomes parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Window {
    /// Small, whole, every time.
    Snapshot,
    /// A start and an end parameter, at most `max_days` apart.
    Range { start: &'static str, end: &'static str, format: Stamp, max_days: Option<u16> },
}

/// How an instant is written in a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stamp {
    Rfc3339,
    /// Seconds since 1970.
    Epoch,
    /// The same, for windows that are whole days at Greenwich: a record is of a whole window, and a part of one would replace it.
    EpochDays,
    /// A calendar day. The provider reads it in the person's own zone, and compares it with a time of the record that need
    /// not be `at`: so many days more are asked for at either end.
    Days {
        before: u8,
        after: u8,
    },
}

/// How the next page follows from this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Paging {
    Single,
    /// A token at JSON pointer `at` of the reply goes into parameter `param`; absent, null and "" end the list.
    Token {
        at: &'static str,
        param: &'static str,
        size: Option<(&'static str, u16)>,
    },
    /// Pages have numbers, from 1 on: the number goes into parameter `page`, how many records one may have into `size`. A
    /// page may be short while more follow, so an empty one ends the list.
    Number {
        page: &'static str,
        size: (&'static str, u16),
    },
    /// While `more` is true or not 0, the number at JSON pointer `at` goes into parameter `param`.
    Offset {
        more: &'static str,
        at: &'static str,
        param: &'static str,
    },
    /// The address of the next page at JSON pointer `at`; it must be of the same origin.
    #[allow(dead_code, reason = "for providers that page by address, as FHIR servers do; WHOOP pages by token")]
    NextLink {
        at: &'static str,
    },
}
