//! Long tables of sequences: a step per row.
use crate::{format, guessed, lines, noted, read, refused, sequences, texts};

const STROKES: &str = "label,sequence_id,step,x,y2\n\
                       up,a,1,0.5,-1\n\
                       down,b,0,9,9e1\n\
                       up,a,0,0,3\n\
                       up,a,10,7,8\n";

#[test]
fn rows_are_put_together_and_in_order() {
    let examples = guessed("strokes.csv", STROKES);
    let all = sequences(&examples);
    assert_eq!(all.features, ["x", "y2"]);
    assert_eq!((all.len(), &all.offsets[..]), (2, &[0, 3, 4][..]));
    assert_eq!(all.item(0), [0.0, 3.0, 0.5, -1.0, 7.0, 8.0]);
    assert_eq!(all.item(1), [9.0, 90.0]);
    assert_eq!(examples.labels, [["up"], ["down"]]);
    assert_eq!(examples.ids.as_ref().unwrap(), &["a", "b"]);
    assert_eq!(lines(&examples), [Some(2), Some(3)]);
    noted(&examples, &["by `sequence_id` in the order of `step`", "`x`, `y2`", "label in `label`"]);
}

#[test]
fn without_a_step_the_order_of_the_rows_counts() {
    let examples = guessed("a.tsv", "id\tx\n1\t5\n2\t6\n1\t4\n");
    assert_eq!(sequences(&examples).item(0), [5.0, 4.0]);
    assert_eq!(examples.labels.len(), 0);
    noted(&examples, &["in the order of the rows", "no label"]);
}

#[test]
fn columns_that_are_asked_for() {
    let csv = "who,when,u,v,note,mood\nann,2,1,2,q,glad\nann,1,3,4,r,glad\n";
    let asked = format(
        r#"{"id_column":"who","step_column":"when","label_column":["mood"],"ignore_columns":["note"]}"#,
    );
    let examples = read("a.csv", csv, &asked).unwrap();
    assert_eq!(sequences(&examples).features, ["u", "v"]);
    assert_eq!(sequences(&examples).values, [3.0, 4.0, 1.0, 2.0]);
    let asked =
        format(r#"{"id_column":"who","label_column":["mood"],"feature_columns":["v","when"]}"#);
    let examples = read("a.csv", csv, &asked).unwrap();
    assert_eq!(sequences(&examples).features, ["v", "when"]);
    assert_eq!(sequences(&examples).values, [2.0, 2.0, 4.0, 1.0]);
    noted(&examples, &["columns left out: `u`, `note`"]);
    // A sequence of a single step each is one too, if it is said.
    let one = "id,x,label\n1,5,a\n2,6,b\n";
    assert_eq!(
        sequences(&read("a.csv", one, &format(r#"{"file_format":"sequences"}"#)).unwrap()).len(),
        2
    );
    refused(read("a.csv", one, &format("{}")), "a.csv", &["no column looks like the text"]);
    assert_eq!(texts(&guessed("a.csv", "id,text,n\n1,a,1\n1,b,2\n")), ["a", "b"]);
}

#[test]
fn several_labels_of_a_sequence() {
    let csv = "id,x,wet,cold\n1,5,1,0\n1,6,1,0\n2,6,1,1\n2,6,1,1\n";
    let asked = format(r#"{"label_column":["wet","cold"]}"#);
    let examples = read("a.csv", csv, &asked).unwrap();
    assert_eq!(examples.labels, [vec!["wet"], vec!["wet", "cold"]]);
    assert_eq!(sequences(&examples).features, ["x"]);
}

#[test]
fn a_table_of_sentences_is_none() {
    let csv = "user,said,stars,votes\nann,a fine film,5,1\nann,not so good,2,7\nbob,bad one,1,0\n";
    let asked =
        format(r#"{"id_column":"user","label_column":["stars"],"ignore_columns":["votes"]}"#);
    assert_eq!(texts(&read("a.csv", csv, &asked).unwrap()).len(), 3);
    let asked = format(r#"{"id_column":"user","label_column":["stars"]}"#);
    refused(
        read("a.csv", csv, &asked),
        "a.csv",
        &["no column looks like the text", "the setting `text_column`"],
    );
}

#[test]
fn one_odd_cell_does_not_hide_a_column() {
    let csv = "id,t,x,label\na,1,1,up\na,2,many,up\nb,1,3,up\n";
    let problem = read("a.csv", csv, &format("{}"));
    refused(
        problem,
        "a.csv, line 3, sequence `a`",
        &["column `x` is `many`", "`ignore_columns=x`"],
    );
    let csv = "id,t,x,label\na,1,1,up\na,soon,2,up\nb,1,3,up\n";
    let problem = read("a.csv", csv, &format("{}"));
    refused(problem, "a.csv, line 3, sequence `a`", &["column `t` is `soon`"]);
}

fn tried(csv: &str) -> Result<gruvy_data::examples::Examples, String> {
    read("a.csv", csv, &format(r#"{"file_format":"sequences"}"#))
}

#[test]
fn a_label_that_changes() {
    refused(
        tried("sequence_id,step,x,label\na,2,1,up\nb,1,1,up\na,1,1,down\n"),
        "a.csv, line 4, sequence `a`",
        &["the label is `down`, in line 2 it is `up`", "`id_column`"],
    );
    refused(
        tried("id,x,label\na,1,up\na,1,\n"),
        "a.csv, line 3",
        &["`label`: the label is missing"],
    );
}

#[test]
fn a_step_that_is_there_twice_or_no_number() {
    refused(
        tried("id,step,x\na,1,1\nb,1,1\na,2,1\na,1.0,4\n"),
        "a.csv, line 5, sequence `a`",
        &["step 1.0 (column `step`) is there twice, first in line 2"],
    );
    let asked = format(r#"{"id_column":"id","step_column":"day"}"#);
    let problem = read("a.csv", "id,day,x\na,1,1\na,monday,2\n", &asked);
    refused(problem, "a.csv, line 3, sequence `a`", &["column `day` is `monday`"]);
    refused(
        tried("id,step,x\na,1,1\na,,2\n"),
        "a.csv, line 3, sequence `a`",
        &["column `step` is ``"],
    );
}

#[test]
fn values_that_are_missing_or_too_large() {
    for missing in ["", "NA", "nan", "NaN", "?"] {
        refused(
            tried(&format!("id,x,v\na,1,2\na,{missing},2\n")),
            "a.csv, line 3, sequence `a`",
            &["column `x` has no value", "`ignore_columns=x`"],
        );
    }
    for large in ["inf", "-Infinity", "1e39"] {
        refused(
            tried(&format!("id,x\na,1\na,{large}\n")),
            "a.csv, line 3, sequence `a`",
            &["column `x` is `", "finite number that fits in 32 bits"],
        );
    }
    let asked = format(r#"{"feature_columns":["x"]}"#);
    let problem = read("a.csv", "id,x\na,1\na,many\n", &asked);
    refused(problem, "a.csv, line 3, sequence `a`", &["column `x` is `many`; expected a number"]);
}

#[test]
fn no_sequence_or_nothing_in_it() {
    refused(
        tried("who,x\na,1\n"),
        "a.csv",
        &["which sequence a row belongs to", "`who`, `x`", "the setting `id_column`"],
    );
    refused(
        tried("id,x\na,b\n"),
        "a.csv",
        &["no column is left that holds the numbers", "the setting `feature_columns`"],
    );
    refused(tried("id,x\na,1\n,2\n"), "a.csv, line 3", &["column `id` is empty"]);
}
