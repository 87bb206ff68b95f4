//! Several files become one set of examples.
use crate::{are, folder, format, noted, read_in, refused, sequences};

#[test]
fn files_are_joined_in_their_order() {
    let folder = folder(&[
        ("one.csv", "text,label\na,1\nb,2\n"),
        ("two.tsv", "c\t1\nd\t1\n"),
        ("sub/pos/1.txt", "e"),
        ("three.csv", "text,label\nf,3\n"),
    ]);
    let names = ["two.tsv", "one.csv", "sub", "three.csv"];
    let examples = read_in(&folder, &names, &format("{}")).unwrap();
    are(&examples, &[("c", "1"), ("d", "1"), ("a", "1"), ("b", "2"), ("e", "pos"), ("f", "3")]);
    let place = |i: usize| examples.places.get(i).to_string();
    assert!(place(3).ends_with("one.csv, line 3"), "{}", place(3));
    assert!(place(4).ends_with("1.txt"), "{}", place(4));
    assert!(place(5).ends_with("three.csv, line 2"), "{}", place(5));
    let sentences = gruvy_runtime::Remark::sentences(&examples.notes);
    let said = |note: &&&str| note.contains("text in column `text`");
    assert_eq!(sentences.iter().filter(said).count(), 1);
}

#[test]
fn sequences_are_joined_too() {
    let folder = folder(&[
        ("one.csv", "sequence_id,step,u,v,label\na,0,1,2,x\na,1,3,4,x\nb,0,5,6,y\n"),
        ("two.csv", "sequence_id,step,u,v,label\na,1,7,8,y\na,0,9,10,y\n"),
        ("three.csv", "sequence_id,step,u,w,label\na,0,1,2,x\na,1,3,4,x\n"),
    ]);
    let examples = read_in(&folder, &["one.csv", "two.csv"], &format("{}")).unwrap();
    let joined = sequences(&examples);
    assert_eq!(joined.offsets, [0, 2, 3, 5]);
    assert_eq!(joined.item(2), [9.0, 10.0, 7.0, 8.0]);
    assert_eq!(examples.ids.as_ref().unwrap(), &["a", "b", "a"]);
    let problem = read_in(&folder, &["one.csv", "three.csv"], &format("{}"));
    refused(problem, "three.csv", &["the features are `u`, `w`; in one.csv they are `u`, `v`"]);
}

#[test]
fn labels_in_some_files_only() {
    let folder = folder(&[("one.csv", "text,label\na,1\n"), ("two.csv", "text\nb\n")]);
    let read = |names: [&str; 2]| read_in(&folder, &names, &format("{}"));
    refused(read(["one.csv", "two.csv"]), "two.csv", &["has no labels, and one.csv has"]);
    refused(read(["two.csv", "one.csv"]), "one.csv", &["has labels, and two.csv has none"]);
}

#[test]
fn texts_and_sequences() {
    let folder = folder(&[
        ("one.csv", "text,label\na,1\n"),
        ("two.csv", "sequence_id,u,label\na,1,x\na,3,x\n"),
    ]);
    let read = |names: [&str; 2]| read_in(&folder, &names, &format("{}"));
    refused(read(["one.csv", "two.csv"]), "two.csv", &["holds sequences, and one.csv texts"]);
    refused(read(["two.csv", "one.csv"]), "one.csv", &["holds texts, and two.csv sequences"]);
}

#[test]
fn names_of_items_in_some_files_only() {
    let folder = folder(&[("one.csv", "id,text\n1,a\n"), ("two.csv", "text\nb\n")]);
    let examples = read_in(&folder, &["one.csv", "two.csv"], &format("{}")).unwrap();
    assert_eq!(examples.ids, None);
    noted(&examples, &["names of items are left out"]);
}
