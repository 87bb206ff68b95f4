//! Where the steps of a series begin.
use gruvy_runtime::series::{Frequency, Stamp, seconds};
use std::collections::BTreeMap;

/// The first step: on the grid on which most of the stamps lie, the step that the first stands for.
pub(super) fn start(stamps: &[Stamp], frequency: Frequency) -> Stamp {
    let by = match frequency {
        Frequency::Seconds(by) => i64::from(by),
        Frequency::Steps(by) => by.try_into().unwrap_or(i64::MAX),
        _ => return frequency.at(stamps[0], 0),
    };
    let place = |stamp: Stamp| match stamp {
        Stamp::Index(index) => index,
        Stamp::Time(time) => seconds(time),
    };
    let mut counts = BTreeMap::<i64, usize>::new();
    for stamp in stamps {
        *counts.entry(place(*stamp).rem_euclid(by)).or_default() += 1;
    }
    // The place in a step that most stamps have; of several the first.
    let usual = counts.iter().max_by_key(|(place, count)| (**count, -**place));
    let ahead = usual.map_or(0, |(usual, _)| usual - place(stamps[0]).rem_euclid(by));
    // Half a step ahead is as near as half a step back, which is where a stamp then belongs.
    let ahead = match ahead {
        far if far >= by - by / 2 => far - by,
        far if -far > by / 2 => far + by,
        near => near,
    };
    match stamps[0] {
        Stamp::Index(index) => Stamp::Index(index.saturating_add(ahead)),
        Stamp::Time(time) => {
            Stamp::Time(time.saturating_add(jiff::SignedDuration::from_secs(ahead)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(frequency: &str, stamps: &[&str]) -> String {
        let time = |text: &&str| {
            let text =
                if text.len() == 10 { format!("{text}T00:00") } else { text.replace(' ', "T") };
            Stamp::Time(text.parse().unwrap())
        };
        let stamps: Vec<Stamp> = stamps.iter().map(time).collect();
        start(&stamps, frequency.parse().unwrap()).to_string()
    }

    #[test]
    fn the_grid_is_that_of_most_stamps() {
        let fridays = ["2024-03-21", "2024-03-28", "2024-04-05", "2024-04-12", "2024-04-19"];
        assert_eq!(of("W", &fridays), "2024-03-22");
        assert_eq!(of("W", &["2024-04-02", "2024-04-08", "2024-04-15"]), "2024-04-01");
        let hours = ["2024-01-01 00:00:02", "2024-01-01 00:59:59", "2024-01-01 01:59:59"];
        assert_eq!(of("h", &hours), "2023-12-31 23:59:59");
        assert_eq!(of("D", &["2024-01-01 12:00:00", "2024-01-03", "2024-01-04"]), "2024-01-01");
        assert_eq!(of("BWE", &["2024-03-28", "2024-04-05"]), "2024-03-29");
        let positions = [1, 10, 21, 30].map(Stamp::Index);
        assert_eq!(start(&positions, Frequency::Steps(10)), Stamp::Index(0));
    }
}
