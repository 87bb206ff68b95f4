//! Clocks that are put forward and back.
use super::calendar::{DAY, Stamp};
use jiff::{SignedDuration, civil::DateTime};
use serde::{Deserialize, Serialize};

/// What the clocks on the wall show where stamps are on one clock all year: a power grid counts
/// every hour once, and people get up by the other clock.
///
/// Before the first change, and without any, both clocks show the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallClock {
    /// From each stamp on, seconds that the clocks on the wall are ahead. The stamps rise.
    pub changes: Vec<(DateTime, i32)>,
}

impl WallClock {
    /// Whether both clocks always show the same.
    pub fn is_none(&self) -> bool {
        self.changes.is_empty()
    }

    /// What the clocks on the wall show at a stamp.
    pub fn at(&self, stamp: Stamp) -> Stamp {
        let Stamp::Time(time) = stamp else { return stamp };
        let changes = self.changes.partition_point(|(from, _)| *from <= time);
        match changes.checked_sub(1).map(|last| self.changes[last].1) {
            Some(ahead) => {
                Stamp::Time(time.saturating_add(SignedDuration::from_secs(ahead.into())))
            }
            None => stamp,
        }
    }

    /// Whether the changes rise, and none is by more than a day.
    pub(crate) fn is_possible(&self) -> bool {
        self.changes.is_sorted_by(|a, b| a.0 < b.0)
            && self.changes.iter().all(|(_, ahead)| ahead.unsigned_abs() <= DAY)
    }
}
