//! Classification, as a user goes.
use crate::place::Place;
use serde_json::Value;
use std::io::Write;
use std::process::Stdio;

/// Opinions of two labels that a word decides, `not` before it turned around.
fn opinions() -> String {
    let (good, bad) = (["fine", "lovely", "great"], ["poor", "dull", "awful"]);
    let line = |item: usize| {
        let (good, bad) = (good[item % 3], bad[item / 2 % 3]);
        let thing = ["film", "plot", "cast", "song", "play"][item % 5];
        let (text, label) = match item % 4 {
            0 => (format!("the {thing} was {good}"), "up"),
            1 => (format!("a {thing} that was {bad}"), "down"),
            2 => (format!("not {bad}, that {thing}"), "up"),
            _ => (format!("the {thing} is not {good}"), "down"),
        };
        format!("{item},\"{text}\",{label}\n")
    };
    "id,review,sentiment\n".to_owned() + &(0..240).map(line).collect::<String>()
}

fn tiny(more: &str) -> Vec<&str> {
    let small = "train classify reviews.csv --hidden 16 --embed 16 --batch 8 --epochs 12 --lr 1e-2 --warmup 5 --out run";
    small.split(' ').chain(more.split_whitespace()).collect()
}

fn trained() -> Place {
    let place = Place::new();
    place.write("reviews.csv", opinions());
    place.gruvy(&tiny("")).success();
    place
}

/// The probability of a label for a text.
fn p(json: &Value, label: &str) -> f64 {
    let top = json["top"].as_array().unwrap();
    let found = top.iter().find(|entry| entry["label"] == label).unwrap();
    found["probability"].as_f64().unwrap()
}

#[test]
fn train_predict_eval_explain_info() {
    let place = Place::new();
    place.write("reviews.csv", opinions());
    let trained = place.gruvy(&tiny("--json")).json();
    let judged = &trained["report"]["judgement"];
    assert!(judged["model"]["metrics"]["accuracy"].as_f64().unwrap() > 0.9, "{judged}");
    assert!(judged["baseline"]["metrics"]["accuracy"].is_f64() && judged["verdict"].is_string());
    assert!(place.read("run/report.html").contains("bag of words"));
    assert!(place.read("run/confusion.svg").contains("</svg>"));

    // The same answer from every door: a text, a file, stdin, another order of a batch.
    let text = "the song was not awful";
    let one = place.gruvy(&["predict", "run", "--text", text, "--json"]).json();
    place.write("new.csv", format!("review\nthe film was fine\n{text}\n"));
    let rows = place.gruvy(&["predict", "run", "new.csv", "--top-k", "2", "--json"]).json();
    let row = &rows["rows"][1];
    assert_eq!(row["id"], "2");
    let label = row["label"].as_str().unwrap();
    assert_eq!(one["labels"][0], label);
    assert!((row["probability"].as_f64().unwrap() - p(&one, label)).abs() < 1e-6);
    let mut child = place.piped(&["predict", "run", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{text}\n\nunheard of\n").as_bytes()).unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines[0], lines.len()), ("id,label,probability", 4), "{said}");
    assert!(lines[1].starts_with(&format!("1,{label},")), "{said}");

    let lines = place.gruvy(&["predict", "run", "new.csv", "--jsonl"]).success().out;
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["label"], "up");
    place.gruvy(&["predict", "run", "new.csv", "-o", "out.jsonl"]).success();
    assert_eq!(place.read("out.jsonl").trim_end(), lines.trim_end());

    let measured = place.gruvy(&["eval", "run", "reviews.csv", "--json"]).json();
    assert_eq!(measured["model"]["items"], 240);
    assert!(measured["baseline"].is_object());
    let screen = place.gruvy(&["eval", "run", "reviews.csv", "-o", "page.html"]).success().out;
    for want in ["240 items", "bag of words", "precision", "true \\ predicted"] {
        assert!(screen.contains(want), "{want}: {screen}");
    }
    assert!(place.read("page.html").contains("<svg"));
    let alone = place.gruvy(&["eval", "run/model.safetensors", "reviews.csv"]).success();
    assert!(alone.err.contains("no baseline"), "{}", alone.err);

    let explained =
        place.gruvy(&["explain", "run", "--text", text, "--label", "up", "--json"]).json();
    assert_eq!(explained["words"][4]["word"], "awful");
    assert_eq!(explained["label"], "up");
    assert!((explained["probability"].as_f64().unwrap() - p(&one, "up")).abs() < 1e-6);
    // A file is read as all files are: here UTF-16 with its mark.
    let wide = "\u{feff}".to_owned() + text;
    place.write("wide.txt", wide.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    let of_file = place.gruvy(&["explain", "run", "wide.txt", "--label", "up", "--json"]).json();
    assert_eq!(of_file, explained);
    let screen = place.gruvy(&["explain", "run", "--text", text, "-o", "why.html"]).success();
    assert!(screen.out.contains("awful") && !screen.out.contains('\x1b'), "{}", screen.out);
    assert!(place.read("why.html").contains("awful"));

    let info = place.gruvy(&["info", "run", "--json"]).json();
    assert_eq!(info["codec"]["labels"], serde_json::json!(["down", "up"]));
    let info = place.gruvy(&["info", "run"]).success().out;
    assert!(
        info.contains("word to one of: down, up") && info.contains("max over the steps"),
        "{info}"
    );
}

#[test]
fn a_classifier_can_be_looked_into() {
    let place = trained();
    let text = ["inspect", "run", "--text", "the unheard film was fine", "--json"];
    let report = place.gruvy(&text).json();
    assert_eq!(report["labels"], serde_json::json!(["the", "unheard", "film", "was", "fine"]));
    assert_eq!(report["layers"].as_array().unwrap().len(), 2, "both directions");
    assert_eq!(report["layers"][0]["norms"].as_array().unwrap().len(), 5);
    place.write("new.csv", "note,review\n1,the film\n2,was fine\n");
    let said = place.gruvy(&["inspect", "run", "new.csv", "--svg", "p.svg"]).success();
    assert!(said.err.contains("answers once"), "{}", said.err);
    assert!(place.read("run/inspect.html").contains("\"labels\":[\"the\",\"film\"]"));
    assert!(place.read("p.svg").ends_with("</svg>\n"));
}

#[test]
fn columns_are_those_of_the_training_data() {
    let place = Place::new();
    let step = |item: usize, t: usize| {
        let (x, label) = if item.is_multiple_of(2) { (t, "up") } else { (9 - t, "down") };
        format!("s{item},{t},{x},{},{label}\n", item % 3)
    };
    let rows: String = (0..60).map(|at| step(at / 3, at % 3)).collect();
    place.write("strokes.csv", format!("stroke_id,t,x,y,label\n{rows}"));
    let train = "train classify strokes.csv --hidden 4 --epochs 2 --out s -q --id-column stroke_id";
    place.gruvy(&train.split(' ').collect::<Vec<_>>()).success();
    // Without the labels, `y` is the only column with a name that labels have.
    place.write("new.csv", "stroke_id,t,y,x,more\na,0,1,2,0\na,1,2,3,0\n");
    let said = place.gruvy(&["predict", "s", "new.csv"]).success();
    assert!(said.err.contains("columns left out: `more`"), "{}", said.err);
    place.write("less.csv", "stroke_id,t,x\na,0,1\n");
    place.gruvy(&["predict", "s", "less.csv"]).error(&["less.csv", "no column `y`"]);
}

#[test]
fn folds_are_trained_one_after_the_other_and_gone_on_with() {
    let place = Place::new();
    place.write("reviews.csv", opinions());
    let first = place.gruvy(&tiny("--folds 3 --epochs 3 --json")).json();
    assert_eq!(first["folds"].as_array().unwrap().len(), 3);
    assert!(first["model"]["accuracy"]["mean"].as_f64().unwrap() > 0.5);
    let tested: u64 = first["folds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["judgement"]["model"]["items"].as_u64().unwrap())
        .sum();
    assert_eq!(tested, 240, "every item is tested on once");
    let again = place.gruvy(&tiny("--folds 3 --epochs 3 --json")).json();
    assert_eq!(again["model"], first["model"]);
    place.gruvy(&tiny("--folds 3 --epochs 4")).error(&["other settings", "--force"]);
}

#[test]
fn labels_after_every_step_need_one_direction() {
    let place = trained();
    place.gruvy(&["predict", "run", "--text", "fine", "--every-step"]).error(&["bidirectional"]);
    place.gruvy(&tiny("--bidirectional false --pool mean --force")).success();
    let text = "the film was fine";
    let steps = place.gruvy(&["predict", "run", "--text", text, "--every-step"]).success().out;
    let lines: Vec<&str> = steps.lines().collect();
    assert_eq!((lines[0], lines.len()), ("id,step,label,probability", 5), "{steps}");
    let whole = place.gruvy(&["predict", "run", "--text", text, "--json"]).json();
    let last: f64 = lines[4].rsplit(',').next().unwrap().parse().unwrap();
    let label = whole["labels"][0].as_str().unwrap();
    assert!((last - p(&whole, label)).abs() < 1e-6);
}

#[test]
fn compare_puts_cells_side_by_side() {
    let place = Place::new();
    place.write("reviews.csv", opinions());
    let args = "compare classify reviews.csv --cells gru,rnn --hidden 8 --embed 8 --epochs 1 --out c --json";
    let compared = place.gruvy(&args.split(' ').collect::<Vec<_>>()).json();
    assert!(compared.to_string().contains("rnn"));
}

#[test]
fn wrong_questions_get_clear_answers() {
    let place = trained();
    place.gruvy(&["predict", "run", "--text", "x", "--top-k", "3"]).error(&["--top-k", "1 to 2"]);
    place.gruvy(&["explain", "run", "--text", "x", "--label", "sideways"]).error(&["down, up"]);
    place.gruvy(&["predict", "run", "missing.csv"]).error(&["missing.csv"]);
    place.write("other.csv", "review,sentiment\nfine,sideways\n");
    place.gruvy(&["eval", "run", "other.csv"]).error(&[
        "other.csv, line 2",
        "`sideways`",
        "down, up",
    ]);
    place.gruvy(&["eval", "run"]).error(&["classifier", "labelled"]);
    place.write("broken.csv", "review,sentiment\n\"fine,up\nfine,down\n");
    place.gruvy(&["train", "classify", "broken.csv"]).error(&["broken.csv, line 2", "quote"]);
    place.write("one.csv", "review,sentiment\nfine,up\nlovely,up\n");
    place.gruvy(&["train", "classify", "one.csv"]).error(&["same label, up", "at least two"]);
    place.gruvy(&["inspect", "run"]).error(&["classifier", "--text"]);
    place.gruvy(&["generate", "run"]).error(&["classify", "text"]);
}
