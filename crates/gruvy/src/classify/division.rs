//! Items divided into what is learned from, validated and tested on.
//!
//! Every label is in every part in the same share, as far as it has items enough; a label that
//! appears once is learned from. Which item goes where depends on the items alone, so that runs
//! with other seeds are measured on the same ones.
use super::config::ClassifyConfig;
use crate::train::task::Part;
use gruvy_runtime::random::mix;
use std::collections::BTreeMap;

/// What the division is drawn from.
const SEED: u64 = 0xd1f1de;

/// The items of each part, as indices.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Division {
    pub train: Vec<usize>,
    pub valid: Vec<usize>,
    pub test: Vec<usize>,
}

/// A share of every group. What rounding leaves of one goes to the next, so that the share of the
/// whole is right.
struct Share {
    share: f64,
    owed: f64,
}

impl Share {
    /// In percent; nothing where a file stands for the part.
    fn new(percent: f64, file: bool) -> Self {
        Self { share: if file { 0.0 } else { percent / 100.0 }, owed: 0.0 }
    }

    /// Takes its share of `of` items off the end of `group`, but for one.
    fn take(&mut self, group: &mut Vec<usize>, of: usize) -> Vec<usize> {
        self.owed += self.share * of as f64;
        let count = (self.owed.round() as usize).min(group.len().saturating_sub(1));
        self.owed -= count as f64;
        group.split_off(group.len() - count)
    }
}

impl Division {
    /// Divides the items, each with its labels, as the settings say; of those to learn from, only
    /// the share `fraction` is kept. Validation and test data that stand by themselves take no
    /// share.
    pub fn new(task: &ClassifyConfig, truth: &[Vec<u32>], fraction: f64) -> Self {
        let mut groups: BTreeMap<&[u32], Vec<usize>> = BTreeMap::new();
        for (item, labels) in truth.iter().enumerate() {
            groups.entry(labels).or_default().push(item);
        }
        let mut valid = Share::new(task.split.valid, task.valid.is_some());
        let mut test = Share::new(task.split.test, task.test.is_some());
        let (mut division, mut before) = (Self::default(), 0);
        for mut rest in groups.into_values() {
            rest.sort_by_key(|item| mix(SEED, *item as u64));
            let mut of = rest.len();
            if task.folds > 0 {
                let first = before;
                let in_fold = |at: usize| (first + at) % task.folds + 1 == task.fold.max(1);
                before += of;
                let numbered = rest.into_iter().enumerate();
                let (fold, others) = numbered.partition::<Vec<_>, _>(|(at, _)| in_fold(*at));
                division.test.extend(fold.into_iter().map(|(_, item)| item));
                rest = others.into_iter().map(|(_, item)| item).collect();
                of = rest.len();
            } else {
                division.test.extend(test.take(&mut rest, of));
            }
            division.valid.extend(valid.take(&mut rest, of));
            rest.truncate((rest.len() as f64 * fraction).ceil() as usize);
            division.train.extend(rest);
        }
        for part in [&mut division.train, &mut division.valid, &mut division.test] {
            part.sort_unstable();
        }
        division
    }

    pub fn of(&self, part: Part) -> &[usize] {
        match part {
            Part::Train => &self.train,
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::split::Split;

    /// 60 items of label 0, 30 of 1, 9 of 2, one of 3.
    fn truth() -> Vec<Vec<u32>> {
        let label = |item: u32| match item {
            0..60 => 0,
            60..90 => 1,
            90..99 => 2,
            _ => 3,
        };
        (0..100).map(|item| vec![label(item)]).collect()
    }

    fn counts(part: &[usize], truth: &[Vec<u32>]) -> [usize; 4] {
        let mut counts = [0; 4];
        part.iter().for_each(|item| counts[truth[*item][0] as usize] += 1);
        counts
    }

    #[test]
    fn labels_are_in_all_parts_alike() {
        let truth = truth();
        let split = Split { train: 70.0, valid: 20.0, test: 10.0 };
        let task = ClassifyConfig { split, ..ClassifyConfig::default() };
        let division = Division::new(&task, &truth, 1.0);
        assert_eq!(counts(&division.test, &truth), [6, 3, 1, 0]);
        assert_eq!(counts(&division.valid, &truth), [12, 6, 2, 0]);
        assert_eq!(counts(&division.train, &truth), [42, 21, 6, 1]);
        let mut all = [division.train, division.valid, division.test].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        let less = Division::new(&task, &truth, 0.5);
        assert_eq!(counts(&less.train, &truth), [21, 11, 3, 1]);
        assert_eq!(counts(&less.test, &truth), [6, 3, 1, 0]);
    }

    #[test]
    fn every_item_is_in_one_fold() {
        let truth = truth();
        let mut tested = Vec::new();
        for fold in 1..=10 {
            let task = ClassifyConfig { folds: 10, fold, ..ClassifyConfig::default() };
            let division = Division::new(&task, &truth, 1.0);
            assert_eq!(counts(&division.test, &truth)[..2], [6, 3]);
            assert_eq!(division.train.len() + division.valid.len() + division.test.len(), 100);
            assert!(division.test.iter().all(|item| !division.train.contains(item)));
            tested.extend(division.test);
        }
        tested.sort_unstable();
        assert_eq!(tested, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn files_of_their_own_take_no_share() {
        let task = ClassifyConfig { test: Some("t".into()), ..ClassifyConfig::default() };
        let division = Division::new(&task, &truth(), 1.0);
        assert_eq!((division.test.len(), division.valid.len()), (0, 10));
    }
}
