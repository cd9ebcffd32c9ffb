//! Which zone counts: that of the call (`--tz`), the one that is set, the system's; and, once a database has said it, the
//! person's own, which was written down when the person was made and follows no setting afterwards. Knows no database.

use std::sync::OnceLock;

use chrono_tz::Tz;

/// The zones of a call.
#[derive(Debug)]
pub(crate) struct Home {
    /// `--tz`: for days that are typed and times that are shown, and for nothing that is stored.
    flag: Option<Tz>,
    /// A setting, and its name for messages.
    named: Option<(Tz, &'static str)>,
    system: Tz,
    /// `meta.users.home_tz`.
    stored: OnceLock<Tz>,
}

impl Home {
    pub(super) fn new(flag: Option<Tz>, named: Option<(Tz, &'static str)>, system: Tz) -> Self {
        Self { flag, named, system, stored: OnceLock::new() }
    }

    /// One zone for everything.
    pub(crate) fn fixed(zone: Tz) -> Self {
        Self::new(None, None, zone)
    }

    /// The person's zone, where a record or an account knows none.
    pub(crate) fn zone(&self) -> Tz {
        let first = || self.flag.or(self.named.map(|(zone, _)| zone)).unwrap_or(self.system);
        self.stored.get().copied().unwrap_or_else(first)
    }

    /// The zone of days that are typed and of times that are shown.
    pub(crate) fn shown(&self) -> Tz {
        self.flag.unwrap_or_else(|| self.zone())
    }

    /// From here on the person's own zone counts. Hands back a setting that says another one, the first time; `now` is
    /// where the person is at present, on a stay or at home.
    pub(crate) fn learn(&self, stored: Tz, now: Tz) -> Option<(Tz, &'static str)> {
        let is_first = self.stored.set(stored).is_ok();
        self.named.filter(|(zone, _)| is_first && *zone != stored && *zone != now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_zone_wins_and_a_setting_that_differs_is_told_once() {
        let (utc, tokyo, lima) = (Tz::UTC, Tz::Asia__Tokyo, Tz::America__Lima);
        let home = Home::new(None, Some((tokyo, "HEALTH_TZ")), lima);
        assert_eq!((home.zone(), home.shown()), (tokyo, tokyo));
        assert_eq!(home.learn(utc, utc), Some((tokyo, "HEALTH_TZ")));
        assert_eq!((home.zone(), home.shown()), (utc, utc));
        assert_eq!(home.learn(utc, utc), None);
        assert_eq!(Home::new(None, Some((tokyo, "HEALTH_TZ")), lima).learn(utc, tokyo), None); // a move that is known
        assert_eq!(Home::new(None, None, lima).learn(utc, utc), None); // the system's zone is no setting
        let flagged = Home::new(Some(lima), None, tokyo);
        flagged.learn(utc, utc);
        assert_eq!((flagged.zone(), flagged.shown()), (utc, lima));
    }
}
