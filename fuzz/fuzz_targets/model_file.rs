//! Any bytes as a model file: refused with an error, or a model that packs and goes back to a file.
#![no_main]
use gruvy_runtime::model::{ModelFile, Network};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = ModelFile::from_bytes(bytes) {
        Network::new(&model).expect("what was read is valid");
        model.to_bytes().expect("what was read can be written");
    }
});
