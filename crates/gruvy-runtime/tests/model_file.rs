//! The model file: there and back bit for bit, and one test for each way to be malformed.
#![allow(clippy::unwrap_used)] // Helpers of tests stop at the first surprise, as tests do.

mod common;
use common::{char_model, model, spec, tokenizer_json};
use gruvy_runtime::{
    Cell, Error,
    model::{Head, Input, MODEL_FILE_NAME, ModelFile, Tensor},
    text::TextCodec,
};
use proptest::prelude::*;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::HashMap;

fn bytes() -> Vec<u8> {
    char_model().to_bytes().unwrap()
}

fn refused(bytes: &[u8]) -> Error {
    ModelFile::from_bytes(bytes).expect_err("a malformed file was accepted")
}

/// A file with the valid model's tensors but another header.
fn with_header(edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let valid = bytes();
    let (_, metadata) = SafeTensors::read_metadata(&valid).unwrap();
    let text = &metadata.metadata().as_ref().unwrap()["gruvy"];
    let mut header = serde_json::from_str(text).unwrap();
    edit(&mut header);
    let file = SafeTensors::deserialize(&valid).unwrap();
    let metadata = HashMap::from([("gruvy".to_owned(), header.to_string())]);
    safetensors::serialize(file.tensors(), Some(metadata)).unwrap()
}

/// A file with the valid model's header but other tensors, given as `(dtype, shape, data)`.
type Raw = (Dtype, Vec<usize>, Vec<u8>);
fn with_tensors(edit: impl FnOnce(&mut HashMap<String, Raw>)) -> Vec<u8> {
    let valid = bytes();
    let (_, metadata) = SafeTensors::read_metadata(&valid).unwrap();
    let file = SafeTensors::deserialize(&valid).unwrap();
    let mut tensors = file
        .tensors()
        .into_iter()
        .map(|(name, view)| (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec())))
        .collect();
    edit(&mut tensors);
    let views = tensors.iter().map(|(name, (dtype, shape, data))| {
        (name, TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    safetensors::serialize(views, metadata.metadata().clone()).unwrap()
}

#[test]
fn there_and_back_is_bit_equal() {
    let bpe = TextCodec::bpe(&tokenizer_json(&[("a", "b"), ("ab", "c")]).to_string()).unwrap();
    for codec in [TextCodec::byte(), TextCodec::char("zya\u{10ffff}\0é"), bpe] {
        for (cell, layers, bidirectional) in [(Cell::Gru, 1, false), (Cell::GruV3, 2, true)] {
            let mut spec = spec(&codec, cell, layers, bidirectional);
            spec.rnn.bias = layers == 2;
            if bidirectional {
                spec.head = Head::Tied;
            }
            let mut model = model(codec.clone(), spec);
            let bias = &mut model.tensors.get_mut("head.bias").unwrap().data;
            bias[0] = -0.0;
            bias[1] = f32::from_bits(1);
            let bytes = model.to_bytes().unwrap();
            let back = ModelFile::from_bytes(&bytes).unwrap();
            assert_eq!(back.spec, model.spec);
            assert_eq!(back.trained, model.trained);
            for (name, tensor) in &model.tensors {
                let bits = |t: &Tensor| t.data.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&back.tensors[name]), bits(tensor), "{name}");
            }
            assert_eq!(back.to_bytes().unwrap(), bytes);
        }
    }
}

#[test]
fn a_file_or_its_run_folder_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(MODEL_FILE_NAME);
    let model = char_model();
    model.write(&path).unwrap();
    for path in [folder.path(), &path] {
        assert_eq!(ModelFile::open(path).unwrap().to_bytes().unwrap(), bytes());
    }
}

#[test]
fn writing_replaces_the_file_and_leaves_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    std::fs::write(&path, "old").unwrap();
    let mut model = char_model();
    model.write(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes());
    model.trained.metrics.insert("loss".into(), f64::NAN);
    assert!(matches!(model.write(&path).unwrap_err(), Error::File { .. }));
    assert_eq!(std::fs::read(&path).unwrap(), bytes());
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["m.safetensors"]);
}

#[test]
fn an_unwritable_path_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("m.safetensors");
    let error = char_model().write(&path).unwrap_err().to_string();
    assert!(error.contains(&*path.to_string_lossy()), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let error = ModelFile::open("/no/such/model.safetensors").unwrap_err();
    assert!(matches!(error, Error::Io { .. }));
    assert!(error.to_string().contains("/no/such/model.safetensors"), "{error}");
}

#[test]
fn a_folder_without_a_model_names_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let error = ModelFile::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains(MODEL_FILE_NAME), "{error}");
}

#[test]
fn errors_in_a_file_carry_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    std::fs::write(&path, &bytes()[..100]).unwrap();
    let error = ModelFile::read(&path).unwrap_err();
    assert!(error.to_string().starts_with(&*path.to_string_lossy()), "{error}");
    assert!(error.to_string().contains("truncated"), "{error}");
}

#[test]
fn truncated_at_any_length() {
    let valid = bytes();
    for length in 0..valid.len() {
        match refused(&valid[..length]) {
            Error::Truncated { expected, got } => {
                assert_eq!(got, length as u64);
                assert!(expected > got && expected <= valid.len() as u64);
            }
            other => panic!("at {length}: {other}"),
        }
    }
}

#[test]
fn trailing_bytes() {
    let mut long = bytes();
    long.push(0);
    assert!(refused(&long).to_string().contains("more after its tensors"));
}

#[test]
fn not_a_safetensors_file() {
    for other in [&b"To be, or not to be, that is the question"[..], &[0; 64], &[0xff; 64]] {
        assert!(matches!(refused(other), Error::NotSafetensors { .. }), "{}", refused(other));
    }
}

#[test]
fn a_safetensors_file_of_another_program() {
    let data = [0; 4];
    let view = TensorView::new(Dtype::F32, vec![1], &data).unwrap();
    for metadata in [None, Some(HashMap::from([("format".to_owned(), "pt".to_owned())]))] {
        let file = safetensors::serialize([("w", &view)], metadata).unwrap();
        assert!(matches!(refused(&file), Error::NoHeader));
    }
}

#[test]
fn unknown_version() {
    let file = with_header(|header| {
        // Whatever else the header of a later version holds.
        *header = serde_json::json!({"format_version": 3, "network": "unheard of"});
    });
    assert!(matches!(refused(&file), Error::Version { got: 3, expected: 2 }));
}

#[test]
fn header_of_the_wrong_type() {
    let file = with_header(|header| *header = serde_json::json!([1, 2]));
    assert!(matches!(refused(&file), Error::Header { .. }));
}

#[test]
fn header_with_a_missing_part() {
    let file = with_header(|header| {
        header.as_object_mut().unwrap().remove("codec");
    });
    assert!(refused(&file).to_string().contains("codec"));
}

#[test]
fn header_with_an_unknown_part() {
    let file = with_header(|header| header["spec"]["attention"] = 8.into());
    assert!(refused(&file).to_string().contains("attention"));
}

#[test]
fn unknown_task() {
    let file = with_header(|header| header["codec"]["task"] = "poetry".into());
    assert!(refused(&file).to_string().contains("poetry"));
    let file = with_header(|header| header["task"] = "poetry".into());
    assert!(refused(&file).to_string().contains("poetry"));
}

#[test]
fn unknown_cell() {
    let file = with_header(|header| header["spec"]["rnn"]["cell"] = "gro".into());
    assert!(refused(&file).to_string().contains("gro"));
}

#[test]
fn hidden_size_0() {
    let file = with_header(|header| header["spec"]["rnn"]["hidden_size"] = 0.into());
    assert!(matches!(refused(&file), Error::Spec { field: "rnn.hidden_size", .. }));
}

#[test]
fn sizes_beyond_reason() {
    for path in ["/spec/rnn/hidden_size", "/spec/rnn/num_layers", "/spec/head/linear/outputs"] {
        let file = with_header(|header| {
            *header.pointer_mut(path).unwrap() = u64::MAX.into();
        });
        assert!(matches!(refused(&file), Error::Spec { .. }), "{path}: {}", refused(&file));
    }
}

#[test]
fn vocabulary_of_another_size() {
    let file = with_header(|header| header["codec"]["vocabulary"] = "ab".into());
    let error = refused(&file);
    assert!(matches!(error, Error::Spec { field: "input.embedding.vocab", .. }), "{error}");
}

#[test]
fn vocabulary_out_of_order() {
    let file = with_header(|header| header["codec"]["vocabulary"] = "aa\u{e9}bcdefgh \n".into());
    assert!(refused(&file).to_string().contains("not sorted"));
}

#[test]
fn features_for_text() {
    let file = with_header(|header| {
        header["spec"]["input"] = serde_json::json!({"features": {"size": 7}});
    });
    assert!(matches!(refused(&file), Error::Spec { field: "input", .. }));
}

#[test]
fn missing_tensor() {
    let file = with_tensors(|tensors| {
        tensors.remove("rnn.bias_hh_l1");
    });
    match refused(&file) {
        Error::MissingTensor { name, shape } => {
            assert_eq!((&*name, &*shape), ("rnn.bias_hh_l1", &[21][..]));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn extra_tensor() {
    let file = with_tensors(|tensors| {
        tensors.insert("rnn.weight_ih_l2".into(), (Dtype::F32, vec![1], vec![0; 4]));
    });
    assert!(matches!(refused(&file), Error::ExtraTensor { name } if name == "rnn.weight_ih_l2"));
}

#[test]
fn tensor_of_a_wrong_shape() {
    let file = with_tensors(|tensors| {
        tensors.get_mut("rnn.weight_ih_l0").unwrap().1 = vec![7, 21];
    });
    match refused(&file) {
        Error::TensorShape { name, expected, got } => {
            assert_eq!(name, "rnn.weight_ih_l0");
            assert_eq!((expected, got), (vec![21, 7], vec![7, 21]));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn tensor_of_another_type() {
    let file = with_tensors(|tensors| {
        let tensor = tensors.get_mut("head.bias").unwrap();
        tensor.0 = Dtype::F16;
        tensor.2.truncate(tensor.1[0] * 2);
    });
    match refused(&file) {
        Error::TensorType { name, got } => assert_eq!((&*name, &*got), ("head.bias", "F16")),
        other => panic!("{other}"),
    }
}

#[test]
fn weights_that_are_not_finite() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let file = with_tensors(|tensors| {
            let data = &mut tensors.get_mut("embedding.weight").unwrap().2;
            data[20..24].copy_from_slice(&bad.to_le_bytes());
        });
        match refused(&file) {
            Error::NonFinite { name, index, .. } => {
                assert_eq!((&*name, index), ("embedding.weight", 5));
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_flipped_bit_is_noticed_wherever_it_is() {
    let valid = bytes();
    let tensors = 8 + u64::from_le_bytes(*valid.first_chunk().unwrap()) as usize;
    for at in tensors..valid.len() {
        let mut file = valid.clone();
        file[at] ^= 1 << (at % 8);
        match refused(&file) {
            Error::Checksum { expected, got } => assert_ne!(expected, got),
            Error::NonFinite { .. } => {}
            other => panic!("byte {at}: {other}"),
        }
    }
}

#[test]
fn a_header_without_a_checksum() {
    let file = with_header(|header| {
        header.as_object_mut().unwrap().remove("checksum");
    });
    assert!(refused(&file).to_string().contains("no checksum"));
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let mut model = char_model();
    // Deeper than the reader of the header goes.
    for _ in 0..200 {
        model.source = serde_json::json!([model.source]);
    }
    model.write(&path).unwrap_err();
    assert!(!path.exists());
}

#[test]
fn a_tensor_whose_data_does_not_fill_it_is_not_written() {
    let mut model = char_model();
    model.tensors.get_mut("head.bias").unwrap().data.pop();
    assert!(matches!(model.to_bytes(), Err(Error::TensorLength { .. })));
}

#[test]
fn a_tied_head_of_another_width_is_not_written() {
    let mut model = char_model();
    model.spec.head = Head::Tied;
    model.spec.input = Input::Embedding { vocab: 12, dim: 5 };
    model.spec.rnn.input_size = 5;
    assert!(matches!(model.to_bytes(), Err(Error::Spec { field: "input.embedding.dim", .. })));
}

proptest! {
    /// Whatever a mutated file is taken for, reading it does not panic, and what is accepted can be
    /// written.
    #[test]
    fn mutated_files_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        in_header in any::<bool>(),
    ) {
        let mut file = bytes();
        let length = if in_header { 1200 } else { file.len() };
        for (at, byte) in edits {
            file[at.index(length)] = byte;
        }
        if let Ok(model) = ModelFile::from_bytes(&file) {
            model.to_bytes().unwrap();
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(ModelFile::from_bytes(&bytes).is_err());
    }
}
