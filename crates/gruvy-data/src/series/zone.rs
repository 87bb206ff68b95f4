//! Named time zones: `2024-10-27T02:30:00+02:00[Europe/Berlin]`, as RFC 9557 has it.
use super::stamps::offset_text;
use gruvy_runtime::series::{Stamp, WallClock};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// A cell without its zone, and the zone's name, if it has one.
pub(super) fn split(cell: &str) -> (&str, Option<&str>) {
    let cell = cell.trim();
    let named = cell.strip_suffix(']').and_then(|cell| cell.split_once('['));
    match named {
        Some((time, name)) => (time.trim_end(), Some(name.strip_prefix('!').unwrap_or(name))),
        None => (cell, None),
    }
}

/// The zone of a name.
///
/// # Errors
/// For a name that no zone has, with one that is like it.
pub(super) fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        let asked = name.to_ascii_lowercase().replace(' ', "_");
        let like = |known: &str| {
            let known = known.to_ascii_lowercase();
            let city = known.rsplit('/').next().unwrap_or_default();
            strsim::jaro_winkler(&known, &asked).max(strsim::jaro_winkler(city, &asked))
        };
        let known = jiff::tz::db().available().map(|known| known.as_str().to_owned());
        let near = known.map(|known| (like(&known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
        let near = near.filter(|(like, _)| *like > 0.9).map(|(_, known)| known);
        let near = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
        format!(
            "there is no time zone `{name}`{near}; expected a name such as Europe/Berlin, \
             America/New_York or UTC"
        )
    })
}

/// The one zone of a column: the one that is `asked` for, else the one that its cells name, which
/// is that of the model, if there is one.
///
/// # Errors
/// The place of a cell, of another that says something else, and what is wrong.
pub(super) fn of_column(
    cells: &[&str],
    asked: Option<&str>,
    model: Option<&str>,
) -> Result<Option<TimeZone>, (usize, Option<usize>, String)> {
    if let Some(asked) = asked {
        return zone(asked).map(Some).map_err(|problem| (0, None, problem));
    }
    let mut known: Option<(usize, &str)> = None;
    let names = cells.iter().enumerate().filter_map(|(at, cell)| Some((at, split(cell).1?)));
    for (at, name) in names {
        let (first, one) = *known.get_or_insert((at, name));
        if !one.eq_ignore_ascii_case(name) {
            let problem = format!(
                "some stamps of this column are in {one} and some in {name}; write all in one time \
                 zone, or say with the setting `time_zone` which one all are moved to"
            );
            return Err((at, Some(first), problem));
        }
    }
    match (known, model) {
        (Some((at, name)), Some(model)) if !name.eq_ignore_ascii_case(model) => {
            let problem = format!(
                "the stamps are in {name}, those that the model was trained on in {model}; the \
                 setting `time_zone={model}` moves these there"
            );
            Err((at, None, problem))
        }
        (Some((at, name)), _) => zone(name).map(Some).map_err(|problem| (at, None, problem)),
        (None, model) => Ok(model.and_then(|model| zone(model).ok())),
    }
}

/// The instant of a time in the zone that is `named` beside it, else in `zone`; at the offset that
/// is written, in seconds ahead of UTC, or at that of the zone. Of a time that is there twice, as an
/// hour in autumn, the first.
///
/// # Errors
/// For a time that clocks skip, and for an offset that the zone that is named does not have then.
pub(super) fn instant(
    zone: &TimeZone,
    time: DateTime,
    offset: Option<i32>,
    named: Option<&str>,
) -> Result<Timestamp, String> {
    let other = named
        .filter(|name| !zone.iana_name().is_some_and(|known| known.eq_ignore_ascii_case(name)));
    let other = other.map(self::zone).transpose()?;
    let zone = other.as_ref().unwrap_or(zone);
    let name = || zone.iana_name().unwrap_or_default().to_owned();
    let far = |_| format!("{time} is out of the range of time zones");
    let Some(offset) = offset else {
        let at = zone.to_ambiguous_timestamp(time);
        if matches!(at.offset(), AmbiguousOffset::Gap { .. }) {
            return Err(format!(
                "{} {} is no time in {}: clocks skip it; correct it, or write the offset from UTC",
                time.date(),
                time.time(),
                name()
            ));
        }
        return at.compatible().map_err(far);
    };
    let instant = Offset::from_seconds(offset).and_then(|by| by.to_timestamp(time)).map_err(far)?;
    let right = zone.to_offset(instant).seconds();
    if named.is_some() && offset != 0 && right != offset {
        return Err(format!(
            "the offset {} is not that of {} at {} {}, which is {}; correct one of them",
            offset_text(offset),
            name(),
            time.date(),
            time.time(),
            offset_text(right)
        ));
    }
    Ok(instant)
}

/// The zone's offset without summer time in the year of an instant, in seconds.
pub(super) fn winter(zone: &TimeZone, at: Timestamp) -> i32 {
    let year = zone.to_datetime(at).year();
    let offset = |month| {
        let day = DateTime::new(year, month, 1, 0, 0, 0, 0).ok()?;
        zone.to_ambiguous_timestamp(day).compatible().ok().map(|at| zone.to_offset(at).seconds())
    };
    [offset(1), offset(7)].into_iter().flatten().min().unwrap_or(0)
}

/// What the clocks of a zone show beside one at an offset, between two times of that.
pub(super) fn wall_clock(name: &str, offset: i32, from: DateTime, to: DateTime) -> WallClock {
    let instant = |time: DateTime| Offset::from_seconds(offset).ok()?.to_timestamp(time).ok();
    let (Ok(zone), Some(first), Some(last)) = (zone(name), instant(from), instant(to)) else {
        return WallClock::default();
    };
    let change = |at: Timestamp, of_zone: Offset| (clock(at, offset), of_zone.seconds() - offset);
    let later = zone.following(first).take_while(|change| change.timestamp() <= last);
    let changes = std::iter::once(change(first, zone.to_offset(first)))
        .chain(later.map(|of| change(of.timestamp(), of.offset())));
    let mut changes: Vec<(DateTime, i32)> = changes.collect();
    // Some changes are of a zone's name alone.
    changes.dedup_by_key(|(_, ahead)| *ahead);
    match changes[..] {
        [(_, 0)] => WallClock::default(),
        _ => WallClock { changes },
    }
}

/// The time of an instant on a clock at an offset.
pub(super) fn clock(at: Timestamp, offset: i32) -> DateTime {
    Offset::from_seconds(offset).unwrap_or(Offset::UTC).to_datetime(at)
}

/// A stamp as it is written in a zone. `offset`: of the clock that the stamp is on, in seconds;
/// none: that of the zone.
pub(super) fn written(name: &str, offset: Option<i32>, stamp: Stamp) -> Option<String> {
    let Stamp::Time(time) = stamp else { return None };
    let zone = zone(name).ok()?;
    let instant = match offset {
        Some(offset) => Offset::from_seconds(offset).ok()?.to_timestamp(time).ok()?,
        // A day whose midnight clocks skip begins at the first time that there is.
        None => zone.to_ambiguous_timestamp(time).compatible().ok()?,
    };
    let (time, offset) = (zone.to_datetime(instant), zone.to_offset(instant).seconds());
    let offset = if offset == 0 { "+00:00".to_owned() } else { offset_text(offset) };
    Some(format!("{} {}{offset}[{name}]", time.date(), time.time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_brackets() {
        assert_eq!(split("2024-10-27T02:30+02:00[Europe/Berlin]").1, Some("Europe/Berlin"));
        assert_eq!(split(" 2024-10-27 [!UTC] "), ("2024-10-27", Some("UTC")));
        assert_eq!(split("2024-10-27"), ("2024-10-27", None));
        assert_eq!(split("a]"), ("a]", None));
    }

    #[test]
    fn names_that_no_zone_has_are_told_with_one_that_is_like_them() {
        assert!(zone("europe/berlin").is_ok());
        for (name, near) in [("Berlin", "`Europe/Berlin`"), ("New York", "`America/New_York`")] {
            let problem = zone(name).unwrap_err();
            assert!(problem.contains(near) && problem.contains(name), "{problem}");
        }
        let problem = zone("+02:00").unwrap_err();
        assert!(problem.contains("expected a name such as Europe/Berlin"), "{problem}");
    }

    #[test]
    fn a_time_is_an_instant_of_its_zone() {
        let berlin = zone("Europe/Berlin").unwrap();
        let at = |text: &str, offset| {
            instant(&berlin, text.parse().unwrap(), offset, Some("europe/berlin"))
        };
        assert_eq!(at("2024-10-27T02:30", Some(7200)), at("2024-10-27T02:30", None));
        let hour = at("2024-10-27T02:30", Some(3600)).unwrap().as_second()
            - at("2024-10-27T02:30", None).unwrap().as_second();
        assert_eq!(hour, 3600);
        let problem = at("2024-03-31T02:30", None).unwrap_err();
        assert!(problem.contains("2024-03-31 02:30:00 is no time in Europe/Berlin"), "{problem}");
        let problem = at("2024-07-01T02:30", Some(3600)).unwrap_err();
        assert!(problem.contains("+01:00") && problem.contains("+02:00"), "{problem}");
        let london =
            instant(&berlin, "2024-07-01T01:30".parse().unwrap(), None, Some("Europe/London"));
        assert_eq!(london, at("2024-07-01T02:30", None));
        // `Z` says the instant, whatever the zone.
        assert_eq!(at("2024-07-01T00:30", Some(0)), at("2024-07-01T02:30", None));
        assert_eq!(winter(&berlin, at("2024-07-01T00:30", None).unwrap()), 3600);
        let sydney = zone("Australia/Sydney").unwrap();
        assert_eq!(winter(&sydney, at("2024-01-01T00:30", None).unwrap()), 36_000);
    }
}
