//! JSON Lines, CSV, TSV.
use crate::{folder, notes, read, refused, says};
use gruvy_data::speech::Layout;

#[test]
fn a_json_object_per_recording() {
    let list = r#"{"audio_filepath": "a.wav", "duration": 1.5, "text": "good morning", "speaker": 7}

{"audio_filepath": "in/b.flac", "offset": 0.25, "duration": 2, "text": " bye "}"#;
    let folder = folder(&["a.wav", "in/b.flac"], &[("list.jsonl", list)]);
    let clips = read(&folder.path().join("list.jsonl"), "{}");
    says(&folder, &clips, &[("a.wav", "good morning"), ("in/b.flac", "bye")]);
    let [a, b] = &clips.clips[..] else { panic!() };
    assert_eq!((a.offset_s, a.duration_s, a.speaker.as_deref()), (None, Some(1.5), Some("7")));
    assert_eq!((b.offset_s, b.duration_s, &b.speaker), (Some(0.25), Some(2.0), &None));
    assert_eq!(clips.places.get(1).line, Some(3));
    let said = "recording in key `audio_filepath`, text in `text`, speaker in `speaker`, begin in \
                `offset`, length in `duration`";
    assert_eq!(notes(&clips), [said]);
    assert_eq!(clips.format.layout, Layout::JsonLines);
    // An array of them, and other names.
    let array =
        r#"[{"path": "a.wav", "sentence": "one"}, {"path": "in/b.flac", "sentence": "two"}]"#;
    std::fs::write(folder.path().join("list.json"), array).unwrap();
    says(
        &folder,
        &read(&folder.path().join("list.json"), "{}"),
        &[("a.wav", "one"), ("in/b.flac", "two")],
    );
}

#[test]
fn tables() {
    let voice = "client_id\tpath\tsentence\tup_votes\nx9\ta.mp3\tSay \"yes\", he said.\t2\n\
                 x8\tb.mp3\tNo.\t3\n";
    let sounds = ["clips/a.mp3", "clips/b.mp3"];
    let folder = folder(&sounds, &[("train.tsv", voice)]);
    let clips = read(&folder.path().join("train.tsv"), "{}");
    says(&folder, &clips, &[("clips/a.mp3", "Say \"yes\", he said."), ("clips/b.mp3", "No.")]);
    assert_eq!(clips.clips[0].speaker.as_deref(), Some("x9"));
    assert!(notes(&clips).contains(&"2 recordings lie in the folder `clips`"));

    let own = "was,file,words\n1,clips/a.mp3,\"yes, no\"\n2,clips/b.mp3,\n";
    std::fs::write(folder.path().join("own.csv"), own).unwrap();
    let clips = read(&folder.path().join("own.csv"), r#"{"text_column": "words"}"#);
    says(&folder, &clips, &[("clips/a.mp3", "yes, no"), ("clips/b.mp3", "")]);
    assert_eq!(clips.format.audio_column.as_deref(), Some("file"));
    let empty = "1 of 2 recordings have an empty text, the first is ";
    let said = notes(&clips).pop().unwrap().to_owned();
    assert!(said.starts_with(empty) && said.ends_with("own.csv, line 3"), "{said}");
}

#[test]
fn a_folder_with_one_list_is_the_list() {
    let list = "path,text\nb.wav,two\na.wav,one\n";
    let folder = folder(&["a.wav", "b.wav"], &[("list.csv", list), ("README", "read me")]);
    let clips = read(folder.path(), "{}");
    says(&folder, &clips, &[("b.wav", "two"), ("a.wav", "one")]);
    assert!(notes(&clips).contains(&"the list of the folder is list.csv"));
}

#[test]
fn recordings_that_are_not_there_are_named_at_once() {
    let list: String =
        (0..20).map(|at| format!("{{\"path\":\"{at}.wav\",\"text\":\"x\"}}\n")).collect();
    let folder = folder(&["3.wav"], &[("list.jsonl", &list)]);
    let problem = refused(&folder, "list.jsonl", "{}");
    let begins =
        "list.jsonl, line 1: 19 of 20 recordings are not there: 0.wav, 1.wav, 2.wav, 4.wav, ";
    assert!(problem.starts_with(begins), "{problem}");
    assert!(problem.contains(", …; paths are meant from the folder of the list, `"), "{problem}");
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let folder = folder(&["a.wav"], &[]);
    for (name, list, asked, expected) in [
        ("a.jsonl", "", "{}", "a.jsonl: the file is empty"),
        ("a.jsonl", "{\"path\":\"a.wav\"\n", "{}", "a.jsonl, line 1: not valid JSON"),
        (
            "a.jsonl",
            "{\"path\":\"a.wav\",\"text\":[1]}",
            "{}",
            "line 1: key `text` is `[1]`; expected a string",
        ),
        (
            "a.jsonl",
            "{\"text\":\"x\"}",
            "{}",
            "no key looks like the path of the recording; there are `text`",
        ),
        ("a.jsonl", "{\"path\":\"a.wav\"}", "{}", "no key looks like the text; there are `path`"),
        ("a.csv", "path,text\na.wav,x\n,y\n", "{}", "a.csv, line 3: there is no recording"),
        (
            "a.csv",
            "path,text,duration\na.wav,x,long\n",
            "{}",
            "line 2: column `duration` is `long`; expected seconds",
        ),
        (
            "a.csv",
            "path,text,offset\na.wav,x,-1\n",
            "{}",
            "line 2: column `offset` is `-1`; expected seconds",
        ),
        ("a.csv", "path,text\na.wav,\n", "{}", "1 of 1 recordings have an empty text"),
        (
            "a.csv",
            "path,text\na.wav,x\n",
            r#"{"text_column":"y"}"#,
            "no column `y` (the setting `text_column`); there are `path`, `text`",
        ),
        ("a.csv", "path,text\na.wav,x\n", r#"{"layout":"folders"}"#, "a file; expected a folder"),
        ("a.txt", "hello\n", "{}", "a.txt: "),
    ] {
        std::fs::write(folder.path().join(name), list).unwrap();
        let problem = refused(&folder, name, asked);
        assert!(problem.contains(expected), "{list}: {problem}");
    }
}
