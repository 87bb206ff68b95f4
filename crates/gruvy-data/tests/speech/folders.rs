//! Folders of recordings.
use crate::{folder, notes, read, refused, says};
use gruvy_data::speech::{Layout, Like, SpeechFormat, read_clips_like};

#[test]
fn a_folder_per_label() {
    let folder = folder(&["no/b.wav", "yes/a.wav", "yes/ann/c.WAV"], &[("yes/notes.md", "x")]);
    let clips = read(folder.path(), "{}");
    says(&folder, &clips, &[("no/b.wav", "no"), ("yes/a.wav", "yes"), ("yes/ann/c.WAV", "yes")]);
    assert_eq!(notes(&clips), ["a folder per label: `no` (1), `yes` (2)"]);
    assert_eq!(clips.format.layout, Layout::Folders);
}

#[test]
fn names_by_a_pattern() {
    let sounds = ["0_george_0.wav", "0_george_1.wav", "7_theo_0.wav"];
    let folder = folder(&sounds, &[]);
    let clips = read(folder.path(), r#"{"pattern": "{label}_{speaker}_{index}.wav"}"#);
    says(&folder, &clips, &[(sounds[0], "0"), (sounds[1], "0"), (sounds[2], "7")]);
    assert_eq!(clips.clips[2].speaker.as_deref(), Some("theo"));
    let said = "what is said stands in the names of recordings: 0_george_0.wav says `0`";
    assert_eq!(notes(&clips), [said]);
    let problem = refused(&folder, "", r#"{"pattern": "{speaker}-{text}"}"#);
    assert!(
        problem.starts_with("0_george_0.wav: `0_george_0.wav` is not as the setting"),
        "{problem}"
    );
}

#[test]
fn names_of_codes() {
    let folder = folder(&["0_1_1.wav", "1_0.wav"], &[("README", "one is yes")]);
    let clips = read(folder.path(), r#"{"pattern": "{text}.wav", "words": ["0=no", "1=yes"]}"#);
    says(&folder, &clips, &[("0_1_1.wav", "no yes yes"), ("1_0.wav", "yes no")]);
    let problem = refused(&folder, "", r#"{"pattern": "{text}.wav", "words": ["1=yes"]}"#);
    assert!(problem.contains("`0` in `0_1_1` is none of the setting `words`"), "{problem}");
}

#[test]
fn texts_beside() {
    let texts = [("a.txt", "good\nmorning\n"), ("in/b.lab", "bye"), ("other.txt", "x")];
    let folder = folder(&["a.wav", "in/b.flac", "c.mp3"], &texts);
    let clips = read(folder.path(), "{}");
    says(&folder, &clips, &[("a.wav", "good morning"), ("in/b.flac", "bye")]);
    let said = notes(&clips);
    assert_eq!(said[0], "what is said stands in texts beside the recordings");
    assert_eq!(said[1], "left out 1 recordings without a text beside them: `c.mp3`");
    let alone = read(&folder.path().join("a.wav"), "{}");
    says(&folder, &alone, &[("a.wav", "good morning")]);
    let problem = refused(&folder, "c.mp3", "{}");
    assert!(problem.starts_with("c.mp3: a recording without a text"), "{problem}");
}

#[test]
fn libri_speech() {
    let lines = "84-12-0000 GOOD MORNING\n84-12-0001 BYE\n";
    let sounds = ["84/12/84-12-0000.flac", "84/12/84-12-0001.flac"];
    let folder = folder(&sounds, &[("84/12/84-12.trans.txt", lines)]);
    let clips = read(folder.path(), "{}");
    says(&folder, &clips, &[(sounds[0], "GOOD MORNING"), (sounds[1], "BYE")]);
    assert!(clips.clips.iter().all(|clip| clip.speaker.as_deref() == Some("84")));
}

#[test]
fn folders_that_say_nothing() {
    let sounds = folder(&["a.wav", "b.wav"], &[]);
    let problem = refused(&sounds, "", "{}");
    for part in
        ["nothing says what is said in 2 recordings", "a.wav", ".txt", "`pattern`", "`path`"]
    {
        assert!(problem.contains(part), "{problem}");
    }
    let one = folder(&["recordings/a.wav", "recordings/b.wav"], &[]);
    assert!(refused(&one, "", "{}").contains("nothing says what is said"));
    let nothing = folder(&[], &[("a.md", "x")]);
    assert!(refused(&nothing, "", "{}").contains("no recordings; expected files that end in .wav"));
    let lists =
        folder(&["clips/a.mp3"], &[("dev.tsv", "path\tsentence\n"), ("train.tsv", "x\ty\n")]);
    let problem = refused(&lists, "", r#"{"layout": "table"}"#);
    assert!(
        problem.contains("several lists; give one of them: `dev.tsv`, `train.tsv`"),
        "{problem}"
    );
    let problem = refused(&sounds, "", r#"{"layout": "names"}"#);
    assert!(problem.contains("the setting `pattern`"), "{problem}");
    let problem = refused(&sounds, "", r#"{"layout": "folders"}"#);
    assert!(problem.contains("no folder with recordings"), "{problem}");
    // Where no text is needed, as of background, there is none.
    let format = SpeechFormat::default();
    let like = Like { known: &format, asked: &format, labelled: false };
    let clips = read_clips_like(&[sounds.path().into()], &like).unwrap();
    says(&sounds, &clips, &[("a.wav", ""), ("b.wav", "")]);
}
