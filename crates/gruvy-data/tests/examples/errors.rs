//! What cannot be right: each error says where, what, and what to do.
use crate::{folder, format, read, read_in, refused};
use gruvy_data::examples::Examples;

fn tried(name: &str, text: &str) -> Result<Examples, String> {
    read(name, text, &format("{}"))
}

#[test]
fn an_empty_file() {
    for name in ["a.csv", "a.tsv", "a.jsonl", "a.txt", "stdin"] {
        for text in ["", "\n\n", "\u{feff}", " \r\n"] {
            refused(tried(name, text), name, &["the file is empty"]);
        }
    }
    for layout in ["table", "json-lines", "fast-text", "lines", "sequences"] {
        let asked = format(&format!(r#"{{"file_format":"{layout}"}}"#));
        refused(read("a", "", &asked), "a", &["the file is empty"]);
    }
    refused(tried("a.csv", "text,label\n"), "a.csv", &["a header and no row below it"]);
}

#[test]
fn no_column_that_looks_like_text() {
    refused(
        tried("a.csv", "said,by,mood\nx,y,z\n"),
        "a.csv",
        &["no column looks like the text", "`said`, `by`, `mood`", "the setting `text_column`"],
    );
    refused(tried("a.csv", "1,2\n3,4\n"), "a.csv", &["no column looks like the text", "`1`, `2`"]);
    refused(tried("a.csv", "rate\n1\n2\n"), "a.csv", &["no column looks like the text", "`1`"]);
    refused(
        tried("a.jsonl", "{\"said\":\"x\",\"by\":\"y\"}"),
        "a.jsonl, line 1",
        &["no key looks like the text", "`by`, `said`", "the setting `text_column`"],
    );
}

#[test]
fn a_column_that_is_not_there() {
    for asked in [
        r#"{"text_column":"said"}"#,
        r#"{"label_column":["said"]}"#,
        r#"{"id_column":"said"}"#,
        r#"{"step_column":"said"}"#,
        r#"{"feature_columns":["said"]}"#,
        r#"{"ignore_columns":["said"]}"#,
    ] {
        let result = read("a.csv", "text,label\na,b\n", &format(asked));
        refused(result, "a.csv", &["no column `said`", "there are `text`, `label`"]);
        let result = read("a.jsonl", "{\"text\":\"a\",\"label\":\"b\"}", &format(asked));
        refused(result, "a.jsonl, line 1", &["no key `said`", "there are `label`, `text`"]);
    }
}

#[test]
fn a_column_that_is_two_things() {
    let asked = format(r#"{"text_column":"text","label_column":["text"]}"#);
    refused(
        read("a.csv", "text,label\na,b\n", &asked),
        "a.csv",
        &["`text` is named twice", "the setting `label_column`"],
    );
    refused(tried("a.csv", "text,text\na,b\n"), "a.csv", &["two columns are named `text`"]);
}

#[test]
fn columns_where_there_are_none() {
    for (name, text) in [("a.txt", "__label__a b"), ("a.npz", "PK\x03\x04.npy")] {
        let result = read(name, text, &format(r#"{"text_column":"said"}"#));
        refused(
            result,
            name,
            &["has no column `said` (the setting `text_column`)", "the setting `file_format`"],
        );
    }
}

#[test]
fn a_quote_that_stays_open() {
    refused(tried("a.csv", "text,label\na,1\n\"b,2\nc,3\n"), "a.csv, line 3", &["never closed"]);
}

#[test]
fn a_row_of_another_width() {
    refused(
        tried("a.csv", "text,label\na,1\n\nb,c,1\n"),
        "a.csv, line 4",
        &["3 cells, the header 2", "quotes"],
    );
    refused(tried("a.tsv", "a\t1\nb\n"), "a.tsv, line 2", &["1 cells, the first row 2", "a blank"]);
    refused(tried("a.csv", "one\ntwo, three\n"), "a.csv, line 2", &["`file_format=lines`"]);
}

#[test]
fn a_line_that_is_no_object() {
    for (line, parts) in [
        ("{\"text\": \"a\"", ["not valid JSON", "an object per line"]),
        ("7", ["`7` is no object", "expected"]),
        ("[1]", ["a JSON array", "an object per line"]),
        ("{\"text\": 5}", ["`text` is `5`", "expected a string"]),
        ("{\"label\": \"b\"}", ["no key `text`", "`label`"]),
        ("{\"text\": \"a\", \"label\": {}}", ["`label` is `{}`", "expected a string"]),
        ("{\"text\": \"a\", \"label\": \" \"}", ["`label` is empty", "label is missing"]),
        ("{\"text\": \"a\"}", ["the label is missing", "label every item"]),
        ("{\"text\": \"a\", \"label\": null}", ["the label is missing", "label every item"]),
    ] {
        let json = ["{\"text\": \"x\", \"label\": \"y\"}\n\n", line, "\n"].concat();
        refused(tried("a.jsonl", &json), "a.jsonl, line 3", &parts);
    }
    let deep = "[".repeat(100_000);
    refused(tried("a.jsonl", &deep), "a.jsonl, line 1", &["not valid JSON"]);
    refused(
        tried("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\",\"label\":1}"),
        "a.jsonl, line 1",
        &["the label is missing"],
    );
    let asked = format(r#"{"id_column":"n"}"#);
    let problem = read("a.jsonl", "{\"text\":\"a\",\"n\":1}\n{\"text\":\"b\"}", &asked);
    refused(problem, "a.jsonl, line 2", &["(the setting `id_column`) is missing"]);
}

#[test]
fn a_label_that_is_missing() {
    refused(
        tried("a.csv", "text,label\na,1\nb, \nc,1\n"),
        "a.csv, line 3",
        &["column `label`", "the label is missing", "label every item"],
    );
    refused(tried("a.txt", "__label__a x\n__label__ y\n"), "a.txt, line 2", &["without a name"]);
}

#[test]
fn a_folder_without_anything() {
    let none: [(&str, &str); 0] = [];
    let read = |folder: &tempfile::TempDir, asked: &str| read_in(folder, &[""], &format(asked));
    refused(read(&folder(&none), "{}"), "folder", &["nothing to read", "a folder per label"]);
    refused(read(&folder(&[("a.md", "x")]), "{}"), "folder", &["nothing to read"]);
    let folders = r#"{"file_format":"folders"}"#;
    refused(read(&folder(&[("a.csv", "x")]), folders), "folder", &["no folder to read"]);
    let half = folder(&[("pos/a.txt", "x"), ("neg/.b", "y")]);
    refused(read(&half, "{}"), "neg", &["the folder has no file", "`ignore_columns`"]);
    refused(tried_as("a.csv", "text\n", folders), "a.csv", &["expected a folder"]);
}

fn tried_as(name: &str, text: &str, asked: &str) -> Result<Examples, String> {
    read(name, text, &format(asked))
}

#[cfg(not(feature = "npz"))]
#[test]
fn arrays_without_the_feature() {
    refused(tried("a.npz", ""), "a.npz", &["the feature `npz`"]);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_parquet_file_without_parquet() {
    refused(tried("a.parquet", "PAR1"), "a.parquet", &["the feature `parquet`"]);
}
