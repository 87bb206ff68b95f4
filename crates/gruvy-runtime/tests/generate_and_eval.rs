//! Text out of a model, and text measured by it.
#![allow(clippy::unwrap_used)] // Helpers of tests stop at the first surprise, as tests do.

mod common;
use common::{char_model, model, network, spec, text_codec, tokenizer_json};
use gruvy_runtime::{
    Cell, Error,
    model::{ModelFile, Session},
    text::{Generator, Sampling, TextCodec, TextMetrics, evaluate_text},
};
use std::ops::ControlFlow;

fn seeded(seed: u64) -> Sampling {
    Sampling { seed, ..Default::default() }
}

/// What `samples` texts of `length` tokens say after `prompt`.
fn texts(model: &ModelFile, seed: u64, prompt: &str, length: usize, samples: usize) -> Vec<String> {
    let mut generator =
        Generator::new(network(model), text_codec(model), &seeded(seed), samples).unwrap();
    generator.prompt(prompt).unwrap();
    let mut texts = vec![String::new(); samples];
    let drawn = generator.generate(length, |row, text| {
        texts[row].push_str(text);
        ControlFlow::Continue(())
    });
    assert_eq!(drawn.unwrap(), length);
    texts
}

#[test]
fn the_same_seed_gives_the_same_text() {
    let model = char_model();
    let text = texts(&model, 5, "abc", 60, 1);
    assert_eq!(text[0].chars().count(), 60);
    assert_eq!(texts(&model, 5, "abc", 60, 1), text);
    assert_ne!(texts(&model, 6, "abc", 60, 1), text);
    // One seed may draw the same after two prompts, but not each of ten.
    let after = |prompt| (0..10).map(|seed| texts(&model, seed, prompt, 60, 1)).collect::<Vec<_>>();
    assert_ne!(after("abc"), after("bcd"));
}

#[test]
fn what_is_not_known_is_never_written() {
    let mut model = char_model();
    // A model that likes nothing better than unknown characters.
    model.tensors.get_mut("head.bias").unwrap().data[0] = 9.0;
    for (temperature, top_k) in [(1.0, None), (0.0, None), (1.0, Some(1))] {
        let sampling = Sampling { temperature, top_k, seed: 3, ..Default::default() };
        let mut generator =
            Generator::new(network(&model), text_codec(&model), &sampling, 2).unwrap();
        generator.prompt("ab").unwrap();
        for _ in 0..50 {
            assert!(generator.next_tokens().unwrap().iter().all(|token| *token != 0));
        }
    }
    // What is measured is the model as it is.
    let metrics = evaluate_text(&network(&model), text_codec(&model), "abcabc").unwrap();
    assert!(metrics.loss_nats > 5.0, "{}", metrics.loss_nats);
}

#[test]
fn samples_side_by_side_are_those_of_the_following_seeds() {
    let model = char_model();
    let together = texts(&model, 5, "abc", 40, 3);
    for (i, text) in together.iter().enumerate() {
        assert_eq!(&texts(&model, 5 + i as u64, "abc", 40, 1)[0], text);
    }
}

#[test]
fn greedy_text_follows_the_logits() {
    let model = char_model();
    let codec = text_codec(&model);
    let greedy = Sampling { temperature: 0.0, ..Default::default() };
    let mut generator = Generator::new(network(&model), codec, &greedy, 1).unwrap();
    generator.prompt("ab").unwrap();
    let mut history = codec.encode("ab").unwrap();
    for _ in 0..10 {
        let mut session = Session::new(network(&model), 1).unwrap();
        let logits = session.feed(&history).unwrap();
        let best = (1..12u32).max_by(|a, b| logits[*a as usize].total_cmp(&logits[*b as usize]));
        let token = generator.next_tokens().unwrap()[0];
        assert_eq!(Some(token), best);
        history.push(token);
    }
}

#[test]
fn it_stops_exactly_and_can_go_on() {
    let model = char_model();
    let whole = &texts(&model, 9, "a", 30, 1)[0];
    let mut generator = Generator::new(network(&model), text_codec(&model), &seeded(9), 1).unwrap();
    generator.prompt("a").unwrap();
    let (mut text, mut calls) = (String::new(), 0);
    let drawn = generator.generate(30, |_, piece| {
        text.push_str(piece);
        calls += 1;
        if calls == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((drawn.unwrap(), calls), (7, 7));
    let rest = generator.generate(23, |_, piece| {
        text.push_str(piece);
        ControlFlow::Continue(())
    });
    assert_eq!(rest.unwrap(), 23);
    assert_eq!(&text, whole);
}

#[test]
fn a_prompt_may_be_empty_or_unseen_or_come_in_parts() {
    let model = char_model();
    assert_eq!(texts(&model, 1, "", 20, 1), texts(&model, 1, "\n", 20, 1));
    assert_eq!(texts(&model, 1, "Ω", 20, 1), texts(&model, 1, "Ж", 20, 1));
    let mut generator = Generator::new(network(&model), text_codec(&model), &seeded(1), 1).unwrap();
    generator.prompt("ab").unwrap();
    generator.prompt("cd").unwrap();
    let mut text = String::new();
    generator
        .generate(20, |_, piece| {
            text.push_str(piece);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!([text], *texts(&model, 1, "abcd", 20, 1));
}

#[test]
fn bytes_are_given_out_as_characters() {
    let codec = TextCodec::byte();
    let spec = spec(&codec, Cell::Gru, 1, false);
    let model = model(codec.clone(), spec);
    let mut generator = Generator::new(network(&model), &codec, &seeded(3), 1).unwrap();
    let mut tokens = Vec::new();
    for _ in 0..50 {
        tokens.push(generator.next_tokens().unwrap()[0] as u8);
    }
    assert_eq!(texts(&model, 3, "", 50, 1), [String::from_utf8_lossy(&tokens)]);
}

#[test]
fn a_generator_needs_its_own_codec_and_one_direction() {
    let model = char_model();
    let other = TextCodec::char("ab");
    let error = Generator::new(network(&model), &other, &seeded(0), 1).unwrap_err();
    assert!(matches!(error, Error::Spec { .. }));
    let both = spec(text_codec(&model), Cell::Gru, 1, true);
    let both = common::model(text_codec(&model).clone(), both);
    let mut generator = Generator::new(network(&both), text_codec(&both), &seeded(0), 1).unwrap();
    assert!(matches!(generator.prompt("a"), Err(Error::Bidirectional { .. })));
    assert!(matches!(generator.next_tokens(), Err(Error::Bidirectional { .. })));
    let error = evaluate_text(&network(&both), text_codec(&both), "abc").unwrap_err();
    assert!(matches!(error, Error::Bidirectional { .. }));
}

/// The mean of −ln p by plain steps and loops.
fn plain_loss(model: &ModelFile, tokens: &[u32]) -> f64 {
    let mut session = Session::new(network(model), 1).unwrap();
    let mut nats = 0.0;
    for pair in tokens.windows(2) {
        let logits = session.step(&pair[..1]).unwrap();
        let sum: f64 = logits.iter().map(|l| f64::from(*l).exp()).sum();
        nats -= (f64::from(logits[pair[1] as usize]).exp() / sum).ln();
    }
    nats / (tokens.len() - 1) as f64
}

#[test]
fn the_state_is_carried_through_the_whole_text() {
    let model = char_model();
    // More than two chunks.
    let text: String = (0..1300).map(|i| ['a', 'b', 'é', '\n', 'h', 'x'][i * i % 11 % 6]).collect();
    let tokens = text_codec(&model).encode(&text).unwrap();
    let metrics = evaluate_text(&network(&model), text_codec(&model), &text).unwrap();
    let loss = plain_loss(&model, &tokens);
    assert!((metrics.loss_nats - loss).abs() < 1e-6, "{} {loss}", metrics.loss_nats);
    assert!((metrics.perplexity - loss.exp()).abs() < 1e-5);
    assert!((metrics.bits_per_char - loss / 2f64.ln()).abs() < 1e-5);
    assert_eq!((metrics.tokens, metrics.chars), (1299, 1299));
}

#[test]
fn bits_are_counted_per_character_in_every_unit() {
    let bpe = TextCodec::bpe(&tokenizer_json(&[("a", "b"), ("Ã", "©")]).to_string()).unwrap();
    // "ab" is one token, and so is "é".
    for (codec, tokens, chars) in [(TextCodec::byte(), 6, 4), (bpe, 3, 4)] {
        let spec = spec(&codec, Cell::Gru, 1, false);
        let model = model(codec.clone(), spec);
        let text = "xéabé";
        let metrics = evaluate_text(&network(&model), &codec, text).unwrap();
        assert_eq!((metrics.tokens, metrics.chars), (tokens, chars));
        let nats = plain_loss(&model, &codec.encode(text).unwrap()) * tokens as f64;
        assert!((metrics.bits_per_char - nats / 2f64.ln() / chars as f64).abs() < 1e-5);
    }
}

#[test]
fn a_character_split_by_the_first_token_is_predicted() {
    let codec = TextCodec::byte();
    let spec = spec(&codec, Cell::Gru, 1, false);
    let network = network(&model(codec.clone(), spec));
    assert_eq!(evaluate_text(&network, &codec, "é").unwrap().chars, 1);
    assert_eq!(evaluate_text(&network, &codec, b"a\xff").unwrap().chars, 1);
}

#[test]
fn a_uniform_model_has_the_entropy_of_its_vocabulary() {
    let mut model = char_model();
    for name in ["head.weight", "head.bias"] {
        model.tensors.get_mut(name).unwrap().data.fill(0.0);
    }
    let metrics = evaluate_text(&network(&model), text_codec(&model), "abcabc").unwrap();
    assert!((metrics.loss_nats - 12f64.ln()).abs() < 1e-12);
    assert!((metrics.perplexity - 12.0).abs() < 1e-9);
    assert_eq!(metrics, TextMetrics::new(metrics.loss_nats * 5.0, 5, 5));
}

#[test]
fn a_text_below_two_tokens_is_too_short() {
    let model = char_model();
    for (text, got) in [("", 0), ("a", 1)] {
        match evaluate_text(&network(&model), text_codec(&model), text) {
            Err(Error::TooShort { expected: 2, got: there }) => assert_eq!(there, got),
            other => panic!("{other:?}"),
        }
    }
}
