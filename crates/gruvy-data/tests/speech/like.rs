//! Other recordings are read as the first ones were.
use crate::{folder, format, read, says};
use gruvy_data::speech::{Like, read_clips_like};
use gruvy_data::{from_source, to_source};

#[test]
fn names_say_what_names_said() {
    let sounds = ["0_1.wav", "1_1.wav"];
    let folder = folder(&sounds, &[]);
    let found = read(folder.path(), r#"{"pattern": "{text}.wav", "words": ["0=no", "1=yes"]}"#);
    // What a model keeps of how its data were read.
    let known = from_source(&to_source(&found.format));
    assert_eq!(known, found.format);
    let like = Like { known: &known, asked: &format("{}"), labelled: true };
    let clips = read_clips_like(&[folder.path().into()], &like).unwrap();
    says(&folder, &clips, &[("0_1.wav", "no yes"), ("1_1.wav", "yes yes")]);
    assert_eq!(clips.format, found.format);
}

#[test]
fn columns_are_those_that_were() {
    let both = "path,text,said\na.wav,x,one\n";
    let usual = "path,text\na.wav,two\n";
    let folder = folder(&["a.wav"], &[("both.csv", both), ("usual.csv", usual)]);
    let found = read(&folder.path().join("both.csv"), r#"{"text_column": "said"}"#);
    let asked = format("{}");
    let like = Like { known: &found.format, asked: &asked, labelled: true };
    let of = |name: &str| read_clips_like(&[folder.path().join(name).into()], &like).unwrap();
    says(&folder, &of("both.csv"), &[("a.wav", "one")]);
    // Where the column is not there, one of a usual name is.
    says(&folder, &of("usual.csv"), &[("a.wav", "two")]);
}
