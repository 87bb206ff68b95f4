//! Classification as the training loop sees it.
use super::{
    choose::{Shape, enough_labels, shape, told, weights, without_empty, word_dropout},
    config::{ClassifyConfig, ClassifyRun, Unit},
    data::Labelled,
    division::Division,
    parts,
    reader::{self, Chosen},
    vectors::Vectors,
};
use crate::{
    classify::judge::{
        answers::Answers,
        judgement::{JudgeConfig, judge},
        temperature::temperature,
    },
    error::{Error, Result},
    nn::{
        key::Key,
        loss::{binary_cross_entropy, cross_entropy},
        model::SequenceModel,
    },
    settings::run::{Metric, TaskConfig},
    train::{
        batches,
        config::{MOST_RUNS, TrainConfig, at_most},
        report::Metrics,
        size::Size,
        task::{Carry, Part, Position, Task, Validated},
    },
};
use burn::tensor::{Device, Int, Tensor, TensorData};
use gruvy_data::examples::{ExampleFormat, Examples, Like, read_examples, read_examples_like};
use gruvy_data::settings::{Setting, Settings};
use gruvy_data::to_source;
use gruvy_runtime::Remark;
use gruvy_runtime::{
    Codec, TaskName,
    classify::{Classifier, ClassifyCodec, Encoded, PaddedSteps},
    items::Items,
    model::{Head, Input, ModelFile, Network, Pool, Spec, Trained},
    random::mix,
};
use serde_json::Value;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// The items of each batch of an epoch.
type Batches = Vec<Vec<usize>>;

/// Labelled items ready to learn from.
#[derive(Debug)]
pub struct ClassifyTask {
    run: ClassifyRun,
    codec: ClassifyCodec,
    /// How the items were read.
    format: ExampleFormat,
    data: Labelled,
    encoded: Encoded,
    division: Division,
    vectors: Option<Vectors>,
    word_dropout: f64,
    bidirectional: bool,
    pool: Pool,
    /// `[K]` what an item of each class counts; with several labels, what a yes counts.
    weights: Option<Vec<f32>>,
    notes: Vec<Remark>,
    /// The batches of the epoch of this seed.
    epoch: Mutex<Option<(u64, Arc<Batches>)>>,
}

impl ClassifyTask {
    pub(super) fn load(run: ClassifyRun) -> Result<Self> {
        let task = &run.task;
        let examples = match run.data.paths.as_slice() {
            [] => super::synthetic(),
            _ => read_examples(&run.data.inputs()?, &task.format)?,
        };
        let mut notes = examples.notes.clone();
        let format = examples.format.clone();
        let mut data = Labelled::new(examples, task.multi_label)?;
        let mut read = |path: &PathBuf| -> Result<Examples> {
            let like = Like { known: &format, asked: &task.format, labelled: true };
            let examples = read_examples_like(&[path.as_path().into()], &like)?;
            let new = examples.notes.iter().filter(|note| !notes.contains(note));
            notes.extend(new.cloned().collect::<Vec<Remark>>());
            Ok(examples)
        };
        let mut of_files = Vec::new();
        for path in [&task.valid, &task.test] {
            let Some(path) = path else {
                of_files.push(0);
                continue;
            };
            let examples = read(path)?;
            let more = Labelled::with_labels(examples, data.labels.clone(), task.multi_label)?;
            of_files.push(more.len());
            data.append(more)?;
        }
        Self::new(run, data, [of_files[0], of_files[1]], format, notes)
    }

    /// Items of which the last are those that `valid` and `test` of the settings name, so many
    /// each.
    fn new(
        run: ClassifyRun,
        data: Labelled,
        of_files: [usize; 2],
        format: ExampleFormat,
        notes: Vec<Remark>,
    ) -> Result<Self> {
        let task = &run.task;
        enough_labels(&data, task.multi_label)?;
        let own = data.len() - of_files[0] - of_files[1];
        let mut division = Division::new(task, &data.truth[..own], run.train.train_fraction);
        division.valid.extend(own..own + of_files[0]);
        division.test.extend(own + of_files[0]..data.len());
        let Chosen { reader, vectors, notes: chosen } =
            reader::choose(task, &data.items, &division.train)?;
        let mut notes = [notes, chosen].concat();
        let text = matches!(data.items, Items::Text(_));
        let Shape { pool, bidirectional, max_len } = shape(task, text, &mut notes);
        let counts = data.counts(&division.train);
        let share = |count: &usize| *count as f64 / division.train.len().max(1) as f64;
        let codec = ClassifyCodec {
            labels: data.labels.clone(),
            multi_label: task.multi_label,
            temperature: 1.0,
            priors: counts.iter().map(share).collect(),
            max_len,
            reader,
        };
        let word_dropout = word_dropout(task.word_dropout, &codec.reader)?;
        let encoded = codec.encode(&data.items)?;
        notes.extend(without_empty(&mut division.train, &encoded)?);
        let counts = data.counts(&division.train);
        notes.extend(told(&data, &counts, &encoded, codec.max_len));
        notes.extend(parts::told(&data, &division));
        let weights =
            task.class_weights.then(|| weights(&counts, division.train.len(), task.multi_label));
        notes.push(sizes(&division, &encoded, &run.train));
        Ok(Self {
            bidirectional,
            pool,
            run,
            codec,
            format,
            data,
            encoded,
            division,
            vectors,
            word_dropout,
            weights,
            notes,
            epoch: Mutex::new(None),
        })
    }

    /// The codec, its temperature not yet fitted.
    pub fn codec(&self) -> &ClassifyCodec {
        &self.codec
    }

    /// All items.
    pub fn data(&self) -> &Labelled {
        &self.data
    }

    /// All items as the network reads them.
    pub fn encoded(&self) -> &Encoded {
        &self.encoded
    }

    /// The items of a part, as indices.
    pub fn part(&self, part: Part) -> &[usize] {
        self.division.of(part)
    }

    /// The true labels of some items.
    pub fn truth(&self, of: &[usize]) -> Vec<Vec<u32>> {
        of.iter().map(|item| self.data.truth[*item].clone()).collect()
    }

    /// `[K]` what an item of each class counts.
    pub(super) fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    /// The batches of an epoch.
    fn batches(&self, seed: u64) -> Arc<Batches> {
        let mut epoch = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        match &*epoch {
            Some((of, batches)) if *of == seed => batches.clone(),
            _ => {
                let batch = self.run.train.batch;
                let length = |item| self.encoded.length(item);
                let of = &self.division.train;
                let batches = Arc::new(batches::epoch(length, of, batch, seed));
                *epoch = Some((seed, batches.clone()));
                batches
            }
        }
    }

    /// Mean loss `[1]` over some items, as [`Task::loss`] has it; `masks` is where dropout and the
    /// words that are made unknown are drawn (none: nothing is).
    pub fn loss_of(&self, model: &SequenceModel, items: &[usize], masks: Option<Key>) -> Tensor<1> {
        let (batch, device) = (self.encoded.batch(items), model.device());
        let (seq_len, rows) = (batch.seq_len(), items.len());
        let x = match batch.steps {
            PaddedSteps::Tokens(mut tokens) => {
                if let (Some(key), Some(unknown)) = (masks, self.codec.reader.unknown_token()) {
                    let seed = key.named("words").seed();
                    make_unknown(&mut tokens, unknown, self.word_dropout, seed);
                }
                let tokens: Vec<i64> = tokens.into_iter().map(i64::from).collect();
                let tokens = TensorData::new(tokens, [seq_len * rows]);
                model.embed(Tensor::from_data(tokens, &device), rows)
            }
            PaddedSteps::Features(values) => {
                let width = values.len() / (seq_len * rows);
                Tensor::from_data(TensorData::new(values, [seq_len, rows, width]), &device)
            }
        };
        let logits = model.pooled(x, &batch.lengths, masks);
        let truth = items.iter().map(|item| &self.data.truth[*item]);
        let weights = self.weights.as_ref().map(|w| Tensor::from_data(&w[..], &device));
        let smoothing = self.run.train.label_smoothing;
        if self.codec.multi_label {
            let classes = self.codec.labels.len();
            let mut targets = vec![0.0f32; rows * classes];
            for (row, labels) in truth.enumerate() {
                labels.iter().for_each(|label| targets[row * classes + *label as usize] = 1.0);
            }
            let targets = TensorData::new(targets, [rows, classes]);
            return binary_cross_entropy(
                logits,
                Tensor::from_data(targets, &device),
                smoothing,
                weights,
            );
        }
        let targets: Vec<i64> = truth.map(|labels| i64::from(labels[0])).collect();
        let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [rows]), &device);
        cross_entropy(logits, targets, smoothing, weights)
    }

    /// The logits `[N, K]` of a part's items, by the runtime, as anyone who uses the model has
    /// them.
    fn logits(&self, model: &SequenceModel, codec: &ClassifyCodec, part: Part) -> Result<Vec<f32>> {
        let network = Arc::new(Network::from_tensors(&model.spec(), &model.tensors())?);
        let classifier = Classifier::new(network, codec.clone())?;
        Ok(classifier.logits(&self.encoded.selected(self.part(part)))?)
    }

    /// The metrics of a part, by the logits of its items.
    fn measure(&self, codec: &ClassifyCodec, part: Part, logits: &[f32]) -> Result<Metrics> {
        let of = self.part(part);
        let rows = logits.chunks_exact(self.codec.labels.len());
        let probabilities: Vec<f32> = rows.flat_map(|row| codec.probabilities(row)).collect();
        let answers = Answers {
            labels: &self.codec.labels,
            multi_label: self.codec.multi_label,
            truth: &self.truth(of),
            probabilities: &probabilities,
        };
        let mut metrics = judge(&answers, &JudgeConfig::default())?.metrics.to_map();
        let loss = metrics.remove("log_loss").unwrap_or(f64::NAN);
        metrics.insert("loss".to_owned(), loss);
        Ok(metrics)
    }
}

/// Makes a share of the tokens unknown.
fn make_unknown(tokens: &mut [u32], unknown: u32, rate: f64, seed: u64) {
    if rate == 0.0 {
        return;
    }
    let most = (rate * u64::MAX as f64) as u64;
    for (at, token) in tokens.iter_mut().enumerate() {
        if mix(seed, at as u64) < most {
            *token = unknown;
        }
    }
}

/// How many items there are for what, and how much of a batch is padding.
fn sizes(division: &Division, encoded: &Encoded, train: &TrainConfig) -> Remark {
    let length = |item| encoded.length(item);
    let order = batches::epoch(length, &division.train, train.batch, train.seed);
    format!(
        "{} items to learn from, {} to validate on, {} to test on; {:.1} % of the steps of a batch \
         are padding",
        division.train.len(),
        division.valid.len(),
        division.test.len(),
        100.0 * batches::padding(length, &order)
    )
    .into()
}

impl TaskConfig for ClassifyConfig {
    const TASK: TaskName = TaskName::Classify;
    const UNIT: &'static str = "items";
    const METRICS: &'static [Metric] = &[
        Metric { name: "loss", title: "log loss", decimals: 4 },
        Metric { name: "accuracy", title: "accuracy", decimals: 4 },
        Metric { name: "macro_f1", title: "macro F1", decimals: 4 },
    ];
    const NESTED: &'static [(&'static str, &'static [Setting])] =
        &[("format", ExampleFormat::SETTINGS)];
    type Task = ClassifyTask;

    fn train_defaults() -> TrainConfig {
        TrainConfig {
            hidden: 128,
            dropout: 0.5,
            batch: 32,
            epochs: 8,
            lr: 2e-3,
            ema: 0.998,
            label_smoothing: 0.1,
            patience: 10,
            ..TrainConfig::default()
        }
    }

    fn run_name(&self) -> String {
        "synthetic".to_owned()
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.valid.iter_mut().chain(&mut self.test).chain(&mut self.vectors).collect()
    }

    fn members(run: &ClassifyRun) -> Vec<ClassifyRun> {
        if run.task.folds < 2 || run.task.fold > 0 {
            return vec![run.clone()];
        }
        let member = |fold: usize| {
            let mut member = run.clone();
            member.task.fold = fold;
            member
        };
        (1..=run.task.folds).map(member).collect()
    }

    fn check(run: &ClassifyRun) -> Result<()> {
        let task = &run.task;
        at_most(&[("folds", task.folds)], MOST_RUNS)?;
        if task.unit == Unit::Bpe && task.vocab_size < 257 {
            let why = "expected at least 257 for the unit bpe, which has all bytes";
            return Err(Error::setting("vocab_size", task.vocab_size, why));
        }
        if task.folds == 1 || task.folds > 0 && task.fold > task.folds {
            let why = "expected folds of at least 2 (0 for none), and fold from 1 to folds (0 for all of them)";
            let value = format!("{}, fold = {}", task.folds, task.fold);
            return Err(Error::setting("folds", value, why));
        }
        if task.folds > 0 && task.test.is_some() {
            let why = "expected no test data of their own beside folds, one of which is tested on";
            return Err(Error::setting("folds", task.folds, why));
        }
        if task.unit != Unit::Word && task.vectors.is_some() {
            let why = "word vectors need the unit word";
            return Err(Error::setting("vectors", show(task.vectors.as_deref()), why));
        }
        Ok(())
    }

    fn load(run: ClassifyRun) -> Result<ClassifyTask> {
        run.check()?;
        ClassifyTask::load(run)
    }
}

fn show(path: Option<&std::path::Path>) -> String {
    path.map(|path| path.display().to_string()).unwrap_or_default()
}

impl Task for ClassifyTask {
    type Model = SequenceModel;

    fn notes(&self) -> &[Remark] {
        &self.notes
    }

    fn fingerprint(&self) -> String {
        let mut print = self.data.fingerprint();
        for part in [&self.division.train, &self.division.valid, &self.division.test] {
            print.add_number(part.len() as u64);
            part.iter().for_each(|item| print.add_number(*item as u64));
        }
        print.to_string()
    }

    fn init(&self, key: Key, device: &Device) -> SequenceModel {
        let (train, task) = (&self.run.train, &self.run.task);
        let dim = self.vectors.as_ref().map_or(task.embed, |vectors| vectors.dim);
        let input = self.codec.reader.input(dim);
        let rnn = train.recurrent(input.width()).with_bidirectional(self.bidirectional);
        let head = Head::Linear { outputs: self.codec.labels.len() };
        let model = SequenceModel::new(&input, &rnn, &head, key, device);
        let model = model.with_pool(self.pool, key, device);
        let Input::Embedding { vocab, dim } = input else { return model };
        let Some(embedding) = &model.embedding else { return model };
        let data = embedding.val().into_data();
        let mut rows: Vec<f32> = data.iter::<f32>().map(|v| v * task.embed_std as f32).collect();
        if let Some(vectors) = &self.vectors {
            reader::lay_over(&mut rows, &self.codec.reader, vectors);
        }
        model.with_embedding(TensorData::new(rows, [vocab, dim]), task.freeze_vectors)
    }

    fn steps_per_epoch(&self) -> u64 {
        self.division.train.len().div_ceil(self.run.train.batch) as u64
    }

    fn units_per_step(&self) -> u64 {
        self.run.train.batch as u64
    }

    fn loss(&self, model: &SequenceModel, at: Position, _: &mut Carry) -> Tensor<1> {
        let batches = self.batches(at.epoch_seed);
        self.loss_of(model, &batches[at.step as usize], Some(at.masks))
    }

    fn train_metrics(&self, loss: f64) -> Metrics {
        [("loss".to_owned(), loss)].into()
    }

    /// The labels are answered by their share in the training data; with several labels an item,
    /// that says little.
    fn floor(&self) -> Option<f64> {
        let of = self.part(Part::Valid);
        if self.codec.multi_label || of.is_empty() {
            return None;
        }
        let nats = |item: &usize| -> f64 {
            let prior = self.codec.priors[self.data.truth[*item][0] as usize];
            -prior.max(1e-9).ln()
        };
        Some(of.iter().map(nats).sum::<f64>() / of.len() as f64)
    }

    /// How long the items of a batch are is not counted: they are there already.
    fn size(&self) -> Option<Size> {
        let (train, task) = (&self.run.train, &self.run.task);
        let dim = self.vectors.as_ref().map_or(task.embed, |vectors| vectors.dim);
        let input = self.codec.reader.input(dim);
        let rnn = train.recurrent(input.width()).with_bidirectional(self.bidirectional).spec();
        let head = Head::Linear { outputs: self.codec.labels.len() };
        let batch = train.batch.min(self.division.train.len());
        Some(Size {
            spec: Spec { input, rnn, pool: Some(self.pool), head, decoder: None },
            batch,
            seq_len: 1,
        })
    }

    fn settings(&self) -> Value {
        self.run.bound()
    }

    fn fresh_codec(&self) -> Codec {
        Codec::Classify(Box::new(self.codec.clone()))
    }

    /// The temperature is fitted to the same logits that the metrics are of.
    fn validate(&self, model: &SequenceModel) -> Result<Validated> {
        let part = Part::Valid;
        let mut logits = self.logits(model, &self.codec, part)?;
        let (classes, multi_label) = (self.codec.labels.len(), self.codec.multi_label);
        let temperature = temperature(&logits, &self.truth(self.part(part)), classes, multi_label);
        let codec = ClassifyCodec { temperature, ..self.codec.clone() };
        // The answer about an item without steps is the priors, at any temperature.
        for (row, item) in logits.chunks_exact_mut(classes).zip(self.part(part)) {
            if self.encoded.length(*item) == 0 {
                row.iter_mut().for_each(|l| *l = (f64::from(*l) * temperature) as f32);
            }
        }
        let empty = self.part(part).is_empty();
        let metrics = (!empty).then(|| self.measure(&codec, part, &logits)).transpose()?;
        Ok(Validated { metrics, codec: Codec::Classify(Box::new(codec)) })
    }

    fn evaluate(
        &self,
        model: &SequenceModel,
        codec: &Codec,
        part: Part,
    ) -> Result<Option<Metrics>> {
        let Codec::Classify(codec) = codec else {
            let problem = format!("a codec of the task `{}`, expected `classify`", codec.task());
            return Err(Error::Data(problem));
        };
        if part == Part::Train || self.part(part).is_empty() {
            return Ok(None);
        }
        self.measure(codec, part, &self.logits(model, codec, part)?).map(Some)
    }

    fn export(&self, model: &SequenceModel, codec: Codec, trained: Trained) -> ModelFile {
        let source = to_source(&self.format);
        ModelFile { spec: model.spec(), codec, source, trained, tensors: model.tensors() }
    }

    fn import(&self, file: &ModelFile, device: &Device) -> Result<SequenceModel> {
        self.init(Key::new(file.trained.seed), device).with_tensors(file)
    }
}
