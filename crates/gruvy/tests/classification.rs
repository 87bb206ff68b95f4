//! Class probabilities judged as scikit-learn does, beside a bag of words.
#![allow(clippy::unwrap_used)]

use gruvy::classify::judge::{
    Answers, Baseline, BaselineData, JudgeConfig, Judgement, Logistic, Mistake, Problem, Rows,
    judge,
};
use gruvy_runtime::items::Items;
use serde_json::Value;

fn golden(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn sets(value: &Value) -> Vec<Vec<u32>> {
    let set = |v: &Value| numbers(v).iter().map(|label| *label as u32).collect();
    value.as_array().unwrap().iter().map(set).collect()
}

fn floats(value: &Value) -> Vec<f32> {
    numbers(value).iter().map(|p| *p as f32).collect()
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|k| format!("label {k}")).collect()
}

/// Two classes, one label an item.
fn judged(truth: &[u32], probabilities: &[f32]) -> Judgement {
    let truth: Vec<Vec<u32>> = truth.iter().map(|label| vec![*label]).collect();
    let labels = names(probabilities.len() / truth.len());
    let answers = Answers { labels: &labels, multi_label: false, truth: &truth, probabilities };
    judge(&answers, &JudgeConfig::default()).unwrap()
}

#[test]
fn every_measure_is_that_of_scikit_learn() {
    for case in golden(include_str!("../../../testdata/classification/answers.json")) {
        let name = case["name"].as_str().unwrap();
        let labels: Vec<String> = serde_json::from_value(case["labels"].clone()).unwrap();
        let (truth, probabilities) = (sets(&case["truth"]), floats(&case["probabilities"]));
        let answers = Answers {
            labels: &labels,
            multi_label: case["multi_label"].as_bool().unwrap(),
            truth: &truth,
            probabilities: &probabilities,
        };
        let judgement = judge(&answers, &JudgeConfig::default()).unwrap();
        let mut found = judgement.metrics.to_map();
        found.remove("calibration_error").unwrap();
        let expected = case["metrics"].as_object().unwrap();
        assert_eq!(found.len(), expected.len(), "{name}: {found:?}");
        for (key, value) in expected {
            let (found, expected) = (found[key], value.as_f64().unwrap());
            assert!((found - expected).abs() < 1e-9, "{name}: {key} {found}, expected {expected}");
        }
        for (row, expected) in judgement.classes.iter().zip(case["classes"].as_array().unwrap()) {
            let found = [row.precision, row.recall, row.f1, row.support as f64];
            for (found, key) in found.iter().zip(["precision", "recall", "f1", "support"]) {
                let expected = expected[key].as_f64().unwrap();
                assert!((found - expected).abs() < 1e-12, "{name}, {}: {key}", row.label);
            }
        }
        let confusion = case.get("confusion").map_or(Vec::new(), sets);
        let found: Vec<Vec<u32>> = judgement
            .confusion
            .iter()
            .map(|row| row.iter().map(|count| *count as u32).collect())
            .collect();
        assert_eq!(found, confusion, "{name}");
    }
}

#[test]
fn calibration_is_what_it_is_by_hand() {
    // Confidences 0.8, 0.8 and 0.6; one of the first two is wrong.
    let judgement = judged(&[0, 0, 1], &[0.8, 0.2, 0.2, 0.8, 0.4, 0.6]);
    let bins = &judgement.calibration;
    assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [1, 2]);
    // 0.6 is the upper end of the ninth of 15 bins, and in it but for rounding.
    assert!(bins[0].from < 0.6001 && 0.5999 < bins[0].to, "{:?}", bins[0]);
    assert_eq!((bins[0].accuracy, bins[1].accuracy), (1.0, 0.5));
    let expected = (2.0 * 0.3 + 0.4) / 3.0;
    assert!((judgement.metrics.calibration_error - expected).abs() < 1e-6);
    assert!((bins[1].confidence - 0.8).abs() < 1e-6);
}

#[test]
fn calibration_of_several_labels_asks_each_by_itself() {
    let labels = names(2);
    let answers = Answers {
        labels: &labels,
        multi_label: true,
        truth: &[vec![0], vec![]],
        probabilities: &[0.75, 0.25, 0.25, 0.25],
    };
    let judgement = judge(&answers, &JudgeConfig { bins: 2, ..JudgeConfig::default() }).unwrap();
    let bins: Vec<_> =
        judgement.calibration.iter().map(|bin| (bin.count, bin.confidence, bin.accuracy)).collect();
    assert_eq!(bins, [(3, 0.25, 0.0), (1, 0.75, 1.0)]);
    assert_eq!(judgement.metrics.calibration_error, 0.25);
    assert!(judgement.confusion.is_empty());
}

#[test]
fn the_most_confident_mistakes_come_first() {
    let probabilities = [0.9, 0.1, 0.6, 0.4, 0.05, 0.95, 0.7, 0.3];
    let judgement = judged(&[0, 1, 0, 1], &probabilities);
    assert_eq!(judgement.mistakes.iter().map(|m| m.item).collect::<Vec<_>>(), [2, 3, 1]);
    let worst = &judgement.mistakes[0];
    let expected = Mistake {
        item: 2,
        truth: vec![0],
        predicted: vec![1],
        probability: f64::from(0.95f32),
        truth_probability: f64::from(0.05f32),
    };
    assert_eq!(*worst, expected);

    let labels = names(3);
    let answers = Answers {
        labels: &labels,
        multi_label: true,
        truth: &[vec![2, 0], vec![1], vec![0]],
        probabilities: &[0.75, 0.25, 0.125, 0.25, 0.5, 0.75, 0.5, 0.0, 0.0],
    };
    let judgement = judge(&answers, &JudgeConfig { mistakes: 1, bins: 15 }).unwrap();
    assert_eq!(judgement.metrics.accuracy, 1.0 / 3.0);
    let [mistake] = &judgement.mistakes[..] else { panic!("one was asked for") };
    assert_eq!(
        (mistake.item, &mistake.truth[..], &mistake.predicted[..]),
        (0, &[0, 2][..], &[0][..])
    );
    assert_eq!((mistake.probability, mistake.truth_probability), (0.875, 0.125));
}

#[test]
fn one_class_alone_and_classes_that_never_occur_are_judged() {
    let judgement = judged(&[0, 0], &[1.0, 0.0, 1.0, 0.0]);
    let metrics = &judgement.metrics;
    assert_eq!((metrics.accuracy, metrics.macro_f1, metrics.roc_auc), (1.0, 1.0, None));
    assert_eq!((judgement.classes[1].f1, judgement.classes[1].support), (0.0, 0));
    assert!(metrics.log_loss < 1e-6 && judgement.mistakes.is_empty());
    let judgement = judged(&[1], &[1.0, 0.0]);
    assert!(judgement.metrics.log_loss.is_finite());
    assert_eq!(judged(&[0], &[1.0]).confusion, [[1]]);
}

#[test]
fn wrong_answers_to_the_question_are_refused_with_the_item() {
    let labels = names(2);
    let error = |truth: &[Vec<u32>], probabilities: &[f32], multi_label| {
        let answers = Answers { labels: &labels, multi_label, truth, probabilities };
        judge(&answers, &JudgeConfig::default()).unwrap_err().to_string()
    };
    assert!(error(&[], &[], false).contains("nothing to judge"));
    let text = error(&[vec![0]], &[0.5], false);
    assert_eq!(text, "1 probabilities, expected 1 items × 2 labels = 2");
    let fine = [0.5, 0.5, 0.5, 0.5];
    let text = error(&[vec![0], vec![2]], &fine, false);
    assert_eq!(text, "item 1: true label 2, expected an index below 2");
    assert_eq!(error(&[vec![0], vec![]], &fine, false), "item 1: 0 true labels, expected one");
    assert_eq!(error(&[vec![1, 1], vec![]], &fine, true), "item 0: true label 1 is there twice");
    let text = error(&[vec![0]], &[0.5, 0.25], false);
    assert_eq!(text, "item 0: the probabilities sum to 0.75, expected 1");
    let text = error(&[vec![0]], &[f32::NAN, 0.25], true);
    assert_eq!(text, "item 0: the probability of label 0 is NaN, expected 0 to 1");
    let answers = Answers {
        labels: &labels,
        multi_label: true,
        truth: &[vec![]],
        probabilities: &[0.1, 0.2],
    };
    let config = JudgeConfig { bins: 0, ..JudgeConfig::default() };
    assert!(judge(&answers, &config).unwrap_err().to_string().starts_with("bins = 0"));
}

fn rows(value: &Value) -> Rows {
    let entry = |entry: &Value| {
        let [column, value] = numbers(entry)[..] else { panic!("expected a pair") };
        (column as u32, value as f32)
    };
    let row = |row: &Value| row.as_array().unwrap().iter().map(entry).collect::<Vec<_>>();
    Rows::new(value.as_array().unwrap().iter().map(row))
}

#[test]
fn the_baseline_learns_what_scikit_learns_regression_does() {
    for case in golden(include_str!("../../../testdata/classification/logistic.json")) {
        let name = case["name"].as_str().unwrap();
        let (rows, truth) = (rows(&case["rows"]), sets(&case["truth"]));
        let weights = case["class_weights"].as_array().map(|_| floats(&case["class_weights"]));
        let classes = case["classes"].as_u64().unwrap() as usize;
        let problem = Problem {
            rows: &rows,
            truth: &truth,
            classes,
            width: case["features"].as_u64().unwrap() as usize,
            multi_label: case["multi_label"].as_bool().unwrap(),
            weights: weights.as_deref(),
            c: case["c"].as_f64().unwrap(),
        };
        let found = Logistic::fit(&problem).probabilities(&rows);
        let expected = floats(&case["probabilities"]);
        assert_eq!(found.len(), expected.len());
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!((found - expected).abs() < 1e-5, "{name}, {at}: {found}, expected {expected}");
        }
    }
}

#[test]
fn the_baselines_gradient_is_that_of_finite_differences() {
    let rows = Rows::new([vec![(0, 1.5), (2, -0.5)], vec![(1, 2.0)], vec![], vec![(2, 1.0)]]);
    for (classes, multi_label) in [(2, false), (3, false), (3, true)] {
        let truth = match multi_label {
            true => vec![vec![0, 2], vec![], vec![1], vec![0, 1, 2]],
            false => [0, 1, 1, classes as u32 - 1].map(|label| vec![label]).to_vec(),
        };
        let weights = [0.5, 2.0, 1.5];
        let weights = Some(&weights[..classes]);
        let problem =
            Problem { rows: &rows, truth: &truth, classes, width: 3, multi_label, weights, c: 0.7 };
        let columns = if classes == 2 { 1 } else { classes };
        let w: Vec<f64> = (0..4 * columns).map(|at| (at as f64 * 1.7).sin()).collect();
        let (_, gradient) = problem.at(&w);
        for at in 0..w.len() {
            let moved = |by: f64| {
                let mut w = w.clone();
                w[at] += by;
                problem.at(&w).0
            };
            let expected = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!((gradient[at] - expected).abs() < 1e-8, "{} {expected}", gradient[at]);
        }
    }
}

#[test]
fn words_and_pairs_tell_texts_apart_and_what_is_strange_is_answered() {
    let texts = ["good film", "not good film", "good plot", "not good plot", "", "unheard"];
    let items = Items::Text(texts.map(String::from).to_vec());
    let truth: Vec<Vec<u32>> = [1, 0, 1, 0, 1, 1].map(|label| vec![label]).to_vec();
    let labels = ["bad".to_owned(), "fine".to_owned()];
    let data = BaselineData {
        items: &items,
        truth: &truth,
        train: &[0, 1, 2, 3],
        valid: &[],
        labels: &labels,
        multi_label: false,
        weights: None,
    };
    let baseline = Baseline::fit(&data).unwrap();
    let p = baseline.probabilities(&items, &[0, 1, 2, 3, 4, 5]);
    for (item, label) in [0, 1, 2, 3].into_iter().zip([1, 0, 1, 0]) {
        assert!(p[item * 2 + label] > 0.5, "{p:?}");
    }
    assert_eq!(p[8..10], p[10..12], "of nothing and of the unheard it knows the same");
    assert!(p.chunks(2).all(|pair| (pair[0] + pair[1] - 1.0).abs() < 1e-6));
}
