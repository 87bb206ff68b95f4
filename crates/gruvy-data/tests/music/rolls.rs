//! Piano rolls in JSON.
use gruvy_data::Input;
use gruvy_data::music::{Content, MusicFile, Rolls, Verdict, read_music};

fn file(json: &str) -> MusicFile {
    read_music(&[Input::bytes("rolls.json", json.as_bytes())]).unwrap().files.remove(0)
}

fn rolls(json: &str) -> (Rolls, Vec<String>) {
    let file = file(json);
    let Some(Content::Rolls(rolls)) = file.content else { panic!("{:?}", file.reasons) };
    (rolls, file.reasons)
}

fn refused(json: &str, parts: &[&str]) {
    let file = file(json);
    assert_eq!((file.verdict(), file.reasons.len()), (Verdict::Refused, 1));
    for part in parts {
        assert!(file.reasons[0].contains(part), "{part}: {}", file.reasons[0]);
    }
}

#[test]
fn parts_pieces_steps_keys() {
    let (rolls, mended) =
        rolls(r#"{"train": [[[3, 1], [3], [], [3]], [[87, 0]]], "test": [[[5]]]}"#);
    assert_eq!(mended, [""; 0]);
    assert_eq!((rolls.train.len(), rolls.valid.len(), rolls.test.len()), (2, 0, 1));
    let roll = &rolls.train[0];
    let frames: Vec<Vec<(u8, bool)>> =
        roll.frames.iter().map(|f| f.iter().map(|s| (s.key, s.onset)).collect()).collect();
    assert_eq!(frames, [vec![(1, true), (3, true)], vec![(3, false)], vec![], vec![(3, true)]]);
    assert_eq!((roll.name.as_str(), roll.onsets, roll.steps_per_quarter), ("train 1", false, 0));
    assert_eq!(rolls.test[0].name, "test 1");
}

#[test]
fn nothing_in_places_is_passed_over() {
    let (rolls, mended) =
        rolls(r#"{"train": [null, [], [[1, null, 1], null]], "valid": null, "test": []}"#);
    assert_eq!((rolls.train.len(), rolls.train[0].frames.len()), (1, 2));
    assert_eq!(rolls.train[0].name, "train 3");
    assert!(mended[0].contains("2 pieces"), "{mended:?}");
    assert!(mended[1].contains("1 steps of null"), "{mended:?}");
    assert!(mended[2].contains("2 keys"), "{mended:?}");
}

#[test]
fn what_is_wrong_is_named_with_piece_and_step() {
    refused(r#"{"valid": [[[1]], [[1], [60, 88]]]}"#, &["`valid 2`, step 2", "key 88", "0 to 87"]);
    refused(r#"{"train": [[[-1]]]}"#, &["`train 1`, step 1", "key -1"]);
    refused(r#"{"train": [[[1.5]]]}"#, &["`train 1`, step 1", "whole numbers"]);
    refused(r#"{"train": [[[1], 2]]}"#, &["`train 1`, step 2", "list of keys"]);
    refused(r#"{"train": [[], "a"]}"#, &["`train 2`", "list of steps"]);
    refused(r#"{"training": [[[1]]]}"#, &["unknown part `training`", "train, valid, test"]);
    refused(r#"{"train": []}"#, &["no piece with a step"]);
    refused(r#"{"train": [[[1]"#, &["no JSON", "line 1", "expected"]);
    refused("[]", &["no JSON", "expected"]);
}
