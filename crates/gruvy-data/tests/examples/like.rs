//! Data that are like others: what was found in those is looked for in these, by name.
use crate::{are, format, guessed, noted, refused, sequences};
use gruvy_data::examples::{ExampleFormat, Examples, Like, read_examples_like};
use gruvy_data::{Input, from_source, to_source};

fn like(
    known: &Examples,
    name: &str,
    text: &str,
    asked: &str,
    labelled: bool,
) -> Result<Examples, String> {
    // As it goes through a model file.
    let known: ExampleFormat = from_source(&to_source(&known.format));
    let like = Like { known: &known, asked: &format(asked), labelled };
    read_examples_like(&[Input::bytes(name, text.as_bytes())], &like).map_err(|e| e.to_string())
}

const STROKES: &str = "stroke,t,y,x,label\na,1,1,2,up\na,0,3,4,up\nb,0,5,6,down\n";

fn strokes() -> Examples {
    let asked = r#"{"id_column":"stroke","label_column":["label"]}"#;
    let known = crate::read("strokes.csv", STROKES, &format(asked)).unwrap();
    assert_eq!(sequences(&known).features, ["y", "x"]);
    known
}

#[test]
fn a_feature_with_the_name_of_a_label_stays_a_feature() {
    // Without its labels, `y` would be taken for them.
    let found =
        like(&strokes(), "new.csv", "stroke,t,y,x\nc,1,7,8\nc,0,9,1\n", "{}", false).unwrap();
    assert_eq!(sequences(&found).features, ["y", "x"]);
    assert_eq!(sequences(&found).values, [9.0, 1.0, 7.0, 8.0]);
    assert_eq!(found.labels.len(), 0);
}

#[test]
fn columns_are_found_by_name_and_others_are_said() {
    let text = "note,x,label,stroke,y,id,t\n,2,,a,1,1,1\n,4,,a,3,2,0\n";
    let found = like(&strokes(), "new.csv", text, "{}", false).unwrap();
    assert_eq!(sequences(&found).features, ["y", "x"]);
    assert_eq!(sequences(&found).values, [3.0, 4.0, 1.0, 2.0]);
    noted(&found, &["columns left out: `note`, `label`, `id`"]);
}

#[test]
fn what_is_missing_is_named() {
    let known = strokes();
    for (gone, setting) in [
        ("stroke", "id_column"),
        ("t", "step_column"),
        ("y", "feature_columns"),
        ("label", "label_column"),
    ] {
        let text = STROKES.replace(gone, "new");
        let text = if gone == "t" { STROKES.replace(",t,", ",new,") } else { text };
        let place = format!("there is no column `{gone}`, which the training data had");
        refused(like(&known, "new.csv", &text, "{}", true), "new.csv", &[&place, setting, "`new`"]);
    }
    let reviews = guessed("a.csv", "said,sentiment,id\nfine,up,1\npoor,down,2\nbad,down,3\n");
    refused(
        like(&reviews, "new.csv", "text,id\nfine,1\n", "{}", false),
        "new.csv",
        &["no column `said`", "`text`, `id`", "the setting `text_column`"],
    );
    let found =
        like(&reviews, "new.csv", "text\nfine\n", r#"{"text_column":"text"}"#, false).unwrap();
    are(&found, &[("fine", "")]);
    noted(&found, &["no column `id`"]);
    refused(
        like(&reviews, "new.jsonl", "{\"text\":\"fine\"}", "{}", false),
        "new.jsonl, line 1",
        &["no key `said`", "`text`"],
    );
}

#[test]
fn labels_may_be_missing_or_be_there_for_some() {
    let reviews = guessed("a.csv", "said,sentiment\nfine,up\npoor,down\nbad,down\n");
    for (name, text) in [
        ("new.csv", "said\nfine\nhm\n"),
        ("new.csv", "sentiment,said\nup,fine\n,hm\n"),
        // A usual name for labels is none of theirs.
        ("new.csv", "said,label\nfine,4\nhm,5\n"),
        ("new.jsonl", "{\"said\":\"fine\",\"sentiment\":\"up\"}\n{\"said\":\"hm\"}"),
        ("new.txt", "fine\nhm\n"),
        ("stdin", "said\nfine\nhm\n"),
        ("stdin", "said;more\nfine;a\nhm;b\n"),
        ("new.txt", "__label__up fine\n__label__up hm\n"),
        ("new.csv", "fine\nhm\n"),
    ] {
        let expected: &[(&str, &str)] = match (name, text.starts_with("said\n")) {
            ("stdin", true) => &[("said", ""), ("fine", ""), ("hm", "")][1..],
            _ => &[("fine", ""), ("hm", "")],
        };
        are(&like(&reviews, name, text, "{}", false).unwrap(), expected);
    }
    refused(
        like(&reviews, "new.csv", "said,label\nfine,up\n", "{}", true),
        "new.csv",
        &["no column `sentiment`", "the setting `label_column`"],
    );
    let labelled = like(&reviews, "new.csv", "x,sentiment,said\n1,up,fine\n", "{}", true).unwrap();
    are(&labelled, &[("fine", "up")]);
}

#[test]
fn columns_without_a_header_go_by_number() {
    let known = guessed("a.tsv", "1\tfine film\n0\tpoor film\n1\tgood film\n");
    assert_eq!(
        (known.format.header, known.format.text_column.as_deref()),
        (Some(false), Some("2"))
    );
    are(
        &like(&known, "b.tsv", "0\tgood film\n0\tfine\n", "{}", true).unwrap(),
        &[("good film", "0"), ("fine", "0")],
    );
    are(
        &like(&known, "b.tsv", "good film\nfine\n", "{}", false).unwrap(),
        &[("good film", ""), ("fine", "")],
    );
    are(
        &like(&known, "b.csv", "text,label\ngood film,1\nfine,0\n", "{}", true).unwrap(),
        &[("good film", "1"), ("fine", "0")],
    );
}

#[test]
fn what_was_found_is_kept() {
    let latin = guessed("a.csv", b"said,mood\ncaf\xe9 au lait,a\nthe,b\nwater,b\n");
    assert_eq!(
        to_source(&latin.format),
        serde_json::json!({
            "file_format": "table", "text_column": "said", "label_column": ["mood"], "header": true,
            "feature_columns": [], "ignore_columns": [], "encoding": "latin-1",
        })
    );
    // That one file was Latin-1 makes no other an error, nor its characters others.
    are(&like(&latin, "b.csv", "said\ncafé\n", "{}", false).unwrap(), &[("café", "")]);
    assert_eq!(
        to_source(&strokes().format),
        serde_json::json!({
            "file_format": "sequences", "id_column": "stroke", "step_column": "t", "feature_columns": ["y", "x"],
            "label_column": ["label"], "header": true, "ignore_columns": [], "encoding": "auto",
        })
    );
}

#[test]
fn what_a_model_of_before_knows_is_a_help() {
    let known = format(r#"{"feature_columns":["x","y"]}"#);
    let asked = ExampleFormat::default();
    let read = |text: &str| {
        let like = Like { known: &known, asked: &asked, labelled: false };
        read_examples_like(&[Input::bytes("a.csv", text.as_bytes())], &like).unwrap()
    };
    let found = read("id,t,x,y\na,1,2,3\na,2,4,5\n");
    assert_eq!(sequences(&found).values, [2.0, 3.0, 4.0, 5.0]);
}
