//! The model file says the same numbers as the model that was trained.
use super::*;
use burn::{module::Module, tensor::Device};
use gruvy::train::{Task, untrained};
use gruvy_runtime::{
    Codec,
    model::{ModelFile, Network},
    text::{TextUnit, evaluate_text},
};

#[test]
fn the_runtime_gives_the_training_models_numbers() {
    for (unit, tied, layers) in
        [(TextUnit::Char, false, 1), (TextUnit::Byte, true, 2), (TextUnit::Bpe, false, 2)]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut run = small();
        run.task.unit = unit;
        run.task.tied = tied;
        run.task.vocab_size = 300;
        run.task.seq_len = 10;
        run.train.layers = layers;
        run.train.epochs = 1;
        if tied {
            run.task.embed = run.train.hidden;
        }
        // One row, as the runtime runs: below 2048 tokens.
        let text = words(2000).replace("pure", "pür€");
        let outcome = train_in(folder.path(), &run, &text, &mut Watch::default()).unwrap();
        let valid = Corpus::divide(&run, text.as_bytes(), None, None).valid;

        let file = ModelFile::open(folder.path()).unwrap();
        let Codec::Text(codec) = &file.codec else { panic!("{:?}", file.codec) };
        let network = Arc::new(Network::new(&file).unwrap());
        let runtime = evaluate_text(&network, codec, &valid).unwrap();
        let ours = outcome.valid.unwrap();
        for (name, value) in [("loss", runtime.loss_nats), ("bits_per_char", runtime.bits_per_char)]
        {
            assert!((ours[name] - value).abs() < 1e-5, "{unit:?} {name}: {} {value}", ours[name]);
        }
        assert_eq!(file.trained.metrics["valid_loss"], ours["loss"]);
        assert_eq!(file.trained.steps, outcome.model_step);
    }
}

#[test]
fn import_is_the_reverse_of_export() {
    let mut run = small();
    run.train.layers = 2;
    let task = task(&run, &words(400));
    let file = untrained(&task, &run.train).unwrap();
    let model = task.import(&file, &Device::flex().autodiff()).unwrap();
    let again = task.export(&model.valid(), file.codec.clone(), file.trained.clone());
    assert_eq!(again.tensors, file.tensors);
    assert_eq!(again.spec, file.spec);
    assert_eq!(file.spec.parameters(), model.num_params());
    let loss = task.validate(&model.valid()).unwrap().metrics.unwrap()["loss"];
    let uniform = (task.codec().vocab_size() as f64).ln();
    assert!((loss - uniform).abs() < 0.3, "an untrained model knows nothing: {loss} {uniform}");
}

#[test]
fn a_file_of_another_shape_is_not_imported() {
    let (mut run, text) = (small(), words(400));
    let file = untrained(&task(&run, &text), &run.train).unwrap();
    run.train.hidden += 1;
    let error = task(&run, &text).import(&file, &Device::flex()).unwrap_err();
    assert!(error.to_string().contains("hidden_size: 33"), "{error}");
}
