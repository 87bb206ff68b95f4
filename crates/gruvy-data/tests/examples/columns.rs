//! Which column is what.
use crate::{are, format, guessed, noted, read, refused, texts};

#[test]
fn columns_that_are_asked_for() {
    let csv = "nr,said,by,mood\n7,fine,ann,good\n8,bad,bob,sad\n";
    let asked = format(r#"{"text_column":"said","label_column":["mood"],"id_column":"nr"}"#);
    let examples = read("a.csv", csv, &asked).unwrap();
    are(&examples, &[("fine", "good"), ("bad", "sad")]);
    assert_eq!(examples.ids, Some(vec!["7".to_owned(), "8".to_owned()]));
    noted(&examples, &["columns left out: `by`"]);
    let asked = format(r#"{"text_column":"2","label_column":["4"]}"#);
    let bare = csv.split_once('\n').unwrap().1;
    are(&read("a.csv", bare, &asked).unwrap(), &[("fine", "good"), ("bad", "sad")]);
}

#[test]
fn usual_names_come_first() {
    let csv = ",id,title,text,category,label,votes\n0,a,t,x,c,l,3\n1,b,t,y,c,m,4\n";
    let examples = guessed("a.csv", csv);
    are(&examples, &[("x", "l"), ("y", "m")]);
    assert_eq!(examples.ids, Some(vec!["a".to_owned(), "b".to_owned()]));
    noted(&examples, &["columns left out: ``, `title`, `category`, `votes`"]);
}

#[test]
fn of_two_columns_the_one_that_looks_like_text() {
    let expected = [("a fine film", "good"), ("hm", "sad"), ("bad, bad", "sad")];
    for csv in [
        "mood\tsaid\ngood\ta fine film\nsad\thm\nsad\tbad, bad\n",
        "said\tmood\na fine film\tgood\nhm\tsad\nbad, bad\tsad\n",
        // No name is usual, and `good` comes again.
        "good\ta fine film\nsad\thm\nsad\tbad, bad\n\ngood\tx\n",
    ] {
        let examples = guessed("a.tsv", csv);
        assert_eq!(texts(&examples)[..3], expected.map(|(text, _)| text));
        assert_eq!(examples.labels[..3], expected.map(|(_, label)| vec![label.to_owned()]));
    }
    // Numbers are labels, however short the texts.
    are(
        &guessed("a.csv", "1000,a\n2000,b\n1000,c\n"),
        &[("a", "1000"), ("b", "2000"), ("c", "1000")],
    );
    // Four texts differ, two long labels do not.
    let long =
        "a,extremely positive\nb,extremely negative\nc,extremely positive\nd,extremely negative\n";
    assert_eq!(texts(&guessed("a.csv", long)), ["a", "b", "c", "d"]);
}

#[test]
fn a_table_without_labels() {
    for csv in [
        "text\none\n\"two, three\"\n",
        "one\n\"two, three\"\n",
        "id,text\n1,one\n2,\"two, three\"\n",
    ] {
        let examples = guessed("a.csv", csv);
        are(&examples, &[("one", ""), ("two, three", "")]);
        assert_eq!(examples.labels.len(), 0);
        noted(&examples, &["no label"]);
    }
    let empty = guessed("a.csv", "text,label\none,\n\"two, three\",\n");
    assert_eq!(empty.labels.len(), 0);
    noted(&empty, &["column `label` is empty"]);
    // A column that never says the same twice has no labels, unless it is told to.
    let rows: String = (0..30).map(|row| format!("text {row},key{row}\n")).collect();
    let csv = ["text,key\n", &rows].concat();
    assert_eq!(guessed("a.csv", &csv).labels.len(), 0);
    assert_eq!(
        read("a.csv", &csv, &format(r#"{"label_column":["key"]}"#)).unwrap().labels.len(),
        30
    );
}

#[test]
fn whether_there_is_a_header_can_be_said() {
    let csv = "fine,good\nbad,sad\n";
    assert_eq!(texts(&guessed("a.csv", csv)), ["bad"]);
    let bare = read("a.csv", csv, &format(r#"{"header":false}"#)).unwrap();
    are(&bare, &[("fine", "good"), ("bad", "sad")]);
    let headed =
        read("a.csv", "x,0\ny,0\n", &format(r#"{"header":true,"label_column":["0"]}"#)).unwrap();
    are(&headed, &[("y", "0")]);
    assert_eq!(texts(&guessed("a.csv", "fine,good\n")), ["fine"]);
}

#[test]
fn several_labels() {
    let asked = format(r#"{"label_separator":"|"}"#);
    let csv = "text,labels\na, x | y |x\nb,\nc,1.0\n";
    are(&read("a.csv", csv, &asked).unwrap(), &[("a", "x y"), ("b", ""), ("c", "1")]);
    let asked = format(r#"{"label_column":["rude","loud"]}"#);
    let csv = "text,rude,loud\na,1,True\nb,0,false\nc,0.0,1.0\n";
    are(&read("a.csv", csv, &asked).unwrap(), &[("a", "rude loud"), ("b", ""), ("c", "loud")]);
    let problem = read("a.csv", "text,rude,loud\na,1,0\nb,2,0\n", &asked);
    refused(problem, "a.csv, line 3", &["column `rude` is `2`", "0 or 1"]);
}

#[test]
fn a_sequence_of_letters_is_text() {
    are(&guessed("a.csv", "sequence,class\nACGT,0\nTTGA,1\n"), &[("ACGT", "0"), ("TTGA", "1")]);
}

#[test]
fn labels_are_trimmed_and_whole() {
    let csv = "text,label\na, good film \nb,1.0\nc,1.50\n";
    let labels = guessed("a.csv", csv).labels;
    assert_eq!(labels, [["good film"], ["1"], ["1.50"]]);
}
