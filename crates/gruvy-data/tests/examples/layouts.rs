//! What kind of file it is: by its name, else by its first lines.
use crate::{are, folder, format, guessed, lines, noted, read, read_in, refused, texts};

#[test]
fn a_table_with_usual_names() {
    for (name, csv) in [
        ("films.csv", "sentence,label\n\"fine, really\",pos\nbad,neg\n"),
        ("films.csv", "Sentence;Label\n\"fine, really\";pos\nbad;neg\n"),
        ("films.csv", "sentence\tlabel\nfine, really\tpos\nbad\tneg\n"),
        ("films.tsv", "label\tsentence\npos\tfine, really\r\nneg\t bad \r\n"),
        ("stdin", "sentence,label\n\"fine, really\",pos\nbad,neg\n"),
        ("films.txt", "label\tsentence\npos\tfine, really\nneg\tbad\n"),
    ] {
        let examples = guessed(name, csv);
        are(&examples, &[("fine, really", "pos"), ("bad", "neg")]);
        assert_eq!(lines(&examples), [Some(2), Some(3)]);
        assert_eq!(examples.places.get(1).to_string(), format!("{name}, line 3"));
        assert_eq!(examples.ids, None);
    }
    noted(&guessed("a.csv", "review,class\na,b\n"), &["text in column `review`, label in `class`"]);
}

#[test]
fn lines_with_a_tab_and_no_header() {
    for name in ["train.tsv", "train.txt", "stdin"] {
        let examples = guessed(name, "no , not much\t0\na \"fine\" film\t1\n\"bad\t0\n");
        are(&examples, &[("no , not much", "0"), ("a \"fine\" film", "1"), ("\"bad", "0")]);
        assert_eq!(lines(&examples), [Some(1), Some(2), Some(3)]);
        noted(&examples, &["no header"]);
        noted(&examples, &["text in column `1`, label in `2`"]);
    }
}

#[test]
fn separators_at_the_ends_of_lines() {
    let rows = "ham,hello there,,,\nspam,\"win money, now\",,,\nham,see you,,,\n";
    for header in ["v1,v2,,,\n", "v1,v2\n", "label,text,\n", "label,text,,,,\n"] {
        let examples = guessed("spam.csv", [header, rows].concat());
        are(&examples, &[("hello there", "ham"), ("win money, now", "spam"), ("see you", "ham")]);
        assert!(!examples.notes.iter().any(|note| note.why.contains("``")), "{:?}", examples.notes);
    }
    // What stands there is not lost without a word.
    let more = "v1,v2,,\nham,hello,,\nspam,win,money,\nham,see,,\n";
    noted(&guessed("spam.csv", more), &["columns left out: ``"]);
    refused(
        read("a.csv", "v1,v2\nham,hello,,x\nspam,win\n", &format("{}")),
        "a.csv, line 2",
        &["4 cells, the header 2"],
    );
}

#[test]
fn a_separator_that_the_first_line_names() {
    for (separator, end) in [(";", "\n"), ("\t", "\r\n"), ("|", "\n")] {
        let lines = [
            format!("sep={separator}"),
            format!("text{separator}label"),
            format!("a, fine film{separator}up"),
            format!("b; c{separator}down").replace("; c;", " c;"),
        ];
        let examples = guessed("a.csv", lines.join(end));
        assert_eq!(examples.labels, [["up"], ["down"]], "{separator:?}");
        assert_eq!((texts(&examples)[0], lines_of(&examples)), ("a, fine film", vec![3, 4]));
    }
}

fn lines_of(examples: &gruvy_data::examples::Examples) -> Vec<u64> {
    lines(examples).into_iter().flatten().collect()
}

#[test]
fn tabs_in_quoted_cells() {
    let tsv = "text\tlabel\n\"a\tfine \"\"film\"\"\"\tup\nno\tdown\n";
    for name in ["a.tsv", "a.txt", "stdin"] {
        are(&guessed(name, tsv), &[("a\tfine \"film\"", "up"), ("no", "down")]);
    }
}

#[test]
fn an_array_of_objects() {
    let json =
        " [\n {\"text\": \"a ] film\", \"label\": \"up\"},\n {\"label\": 2,\n\"text\": \"b\"}\n]\n";
    for name in ["a.json", "a.jsonl", "a.txt", "stdin"] {
        let examples = guessed(name, json);
        are(&examples, &[("a ] film", "up"), ("b", "2")]);
        assert_eq!(lines_of(&examples), [2, 3]);
    }
    for (json, line, want) in [
        ("[{\"text\":\"a\"}\n{\"text\":\"b\"}]", 2, "a comma or the end"),
        ("[\n{\"text\":\"a\"},\n7]", 3, "`7` is no object"),
        ("[{\"text\":\"a\"},\n", 2, "no end"),
        ("[{\"text\":\"a\"}]\n[1]", 2, "more behind"),
        ("[\n{\"text\": 5}]", 2, "`text` is `5`"),
    ] {
        refused(read("a.json", json, &format("{}")), &format!("a.json, line {line}"), &[want]);
    }
    refused(read("a.json", "[]", &format("{}")), "a.json", &["empty"]);
}

#[test]
fn json_lines() {
    let json =
        "{\"text\": \" fine \\n film\", \"label\": \"pos\"}\n\n{\"label\": 1, \"text\": \"bad\"}\n";
    for name in ["a.jsonl", "a.ndjson", "a.json", "a.txt", "stdin"] {
        let examples = guessed(name, json);
        are(&examples, &[("fine \n film", "pos"), ("bad", "1")]);
        assert_eq!(lines(&examples), [Some(1), Some(3)]);
        noted(&examples, &["text in key `text`, label in `label`"]);
    }
}

#[test]
fn json_lines_with_other_keys_and_labels() {
    let several = guessed(
        "a.jsonl",
        "{\"text\":\"x\",\"labels\":[\"a\",2.0,\"a\"]}\n{\"text\":\"y\",\"labels\":[]}",
    );
    are(&several, &[("x", "a 2"), ("y", "")]);
    let asked = format(r#"{"text_column":"said","label_column":["mood"],"id_column":"n"}"#);
    let examples = read("a.jsonl", "{\"said\":\"x\",\"mood\":true,\"n\":7}", &asked).unwrap();
    are(&examples, &[("x", "true")]);
    assert_eq!(examples.ids, Some(vec!["7".to_owned()]));
    let asked = format(r#"{"label_column":["good","long"]}"#);
    let json =
        "{\"said\":\"x\",\"good\":1,\"long\":false}\n{\"said\":\"y\",\"good\":true,\"long\":1.0}";
    are(&read("a.jsonl", json, &asked).unwrap(), &[("x", "good"), ("y", "good long")]);
    let asked = format(r#"{"label_separator":"|"}"#);
    are(&read("a.jsonl", "{\"text\":\"x\",\"label\":\"a|b\"}", &asked).unwrap(), &[("x", "a b")]);
    let bare =
        guessed("a.jsonl", "{\"id\":\"n1\",\"text\":\"x\"}\n{\"text\":\"y\",\"label\":null}");
    are(&bare, &[("x", ""), ("y", "")]);
    assert_eq!((bare.labels.len(), bare.ids), (0, None));
}

#[test]
fn fast_text() {
    let text = "__label__pos a fine film\n__label__neg\t__label__short  bad \n\nnothing said\n";
    for name in ["train.txt", "stdin", "train"] {
        let examples = guessed(name, text);
        are(&examples, &[("a fine film", "pos"), ("bad", "neg short"), ("nothing said", "")]);
        assert_eq!(lines(&examples), [Some(1), Some(2), Some(4)]);
        noted(&examples, &["1 of 3 lines have no label"]);
        noted(&examples, &["blank lines left out: 1"]);
    }
    let bare = read("a.txt", "one\ntwo\n", &format(r#"{"file_format":"fast-text"}"#)).unwrap();
    are(&bare, &[("one", ""), ("two", "")]);
    assert_eq!(bare.labels.len(), 0);
}

#[test]
fn plain_lines_stay_documents_even_if_empty() {
    let text = "one, two\n\n  \"three\"  \r\nfour";
    for name in ["a.txt", "stdin"] {
        let examples = guessed(name, text);
        are(&examples, &[("one, two", ""), ("", ""), ("\"three\"", ""), ("four", "")]);
        assert_eq!((examples.labels.len(), lines(&examples)[3]), (0, Some(4)));
    }
    // A sentence that ends with a usual name is no header, nor is a single word; and a comma makes
    // no table.
    for text in ["no good text, label\nb, c\n", "review\nb, c\n", "my text, label it\nb, c\n"] {
        assert_eq!(texts(&guessed("a.txt", text)).len(), 2, "{text}");
    }
    let asked = format(r#"{"file_format":"lines"}"#);
    are(&read("a.csv", "text,label\na,b", &asked).unwrap(), &[("text,label", ""), ("a,b", "")]);
}

#[test]
fn a_folder_per_label() {
    let folder = folder(&[
        ("pos/2.txt", " fine\nfilm \n"),
        ("pos/10.txt", "good"),
        ("neg/1.txt", "bad"),
        ("neg/.hidden", "x"),
        (".git/a", "x"),
        ("unsup/a.txt", "?"),
        ("README", "y"),
        ("neg/more/a.txt", "x"),
    ]);
    let examples = read_in(&folder, &[""], &format(r#"{"ignore_columns":["unsup"]}"#)).unwrap();
    are(&examples, &[("bad", "neg"), ("good", "pos"), ("fine\nfilm", "pos")]);
    noted(&examples, &["a folder per label: `neg` (1), `pos` (2)"]);
    noted(&examples, &["left out `README`, `neg/more`"]);
    let place = examples.places.get(2);
    assert!(place.file.ends_with("pos/2.txt") && place.line.is_none());
    let problem = read_in(&folder, &[""], &format(r#"{"ignore_columns":["none"]}"#));
    refused(problem, "folder", &["no folder `none`", "there are `neg`, `pos`, `unsup`"]);
}

#[test]
fn a_folder_of_files() {
    let files = [
        ("b.csv", "text,label\nx,1\n"),
        ("a.jsonl", "{\"text\":\"y\",\"label\":2}\n"),
        ("notes.md", "nothing"),
        (".c.csv", "text,label\nz,1\n"),
    ];
    let examples = read_in(&folder(&files), &[""], &format("{}")).unwrap();
    are(&examples, &[("y", "2"), ("x", "1")]);
    noted(&examples, &["left out `notes.md`"]);
    assert!(examples.places.get(1).to_string().ends_with("b.csv, line 2"));
}

#[cfg(feature = "parquet")]
#[test]
fn a_table_of_parquet() {
    use parquet::{
        data_type::{ByteArray, ByteArrayType, DoubleType},
        file::{properties::WriterProperties, writer::SerializedFileWriter},
        schema::parser::parse_message_type,
    };
    let schema = "message table { REQUIRED BINARY sentence (UTF8); REQUIRED DOUBLE label; }";
    let schema = std::sync::Arc::new(parse_message_type(schema).unwrap());
    let properties = std::sync::Arc::new(WriterProperties::builder().build());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let texts = [" a \"fine\",\nfilm", "bad"].map(ByteArray::from);
    column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&[1.0, 0.0], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    let bytes = file.into_inner().unwrap();
    for name in ["a.parquet", "stdin"] {
        are(&guessed(name, &bytes), &[("a \"fine\",\nfilm", "1"), ("bad", "0")]);
    }
    assert!(read("a.parquet", &bytes[..bytes.len() - 9], &format("{}")).is_err());
}
