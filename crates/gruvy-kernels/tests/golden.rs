//! The kernels against PyTorch: every single-layer case of `testdata/golden` (see the README there)
//! on every instruction set of the machine, forward within 1e-5 and gradients within 1e-4 of each
//! tensor's largest magnitude. Scratch and outputs are dirty on entry.
#![allow(clippy::unwrap_used)] // A failed step fails the test.
#![allow(missing_docs)]
use gruvy_kernels::{
    Cell, Gradients, Isa, Packed, Sequence, Weights, Workspace, backward_with_isa, last_state,
};
use safetensors::{Dtype, SafeTensors};
use std::{collections::BTreeMap, fs, path::Path};

const FORWARD: f32 = 1e-5;
const GRADIENT: f32 = 1e-4;

/// One file of golden vectors.
struct Golden {
    name: String,
    cell: Cell,
    layers: u64,
    bidirectional: bool,
    ragged: bool,
    tensors: BTreeMap<String, Vec<f32>>,
    lengths: Vec<usize>,
    /// `[T, B, I, H]`
    sizes: [usize; 4],
}

impl Golden {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let json = &header.metadata().as_ref().unwrap()["golden"];
        let meta: serde_json::Value = serde_json::from_str(json).unwrap();
        let size = |key: &str| meta[key].as_u64().unwrap() as usize;
        let (mut tensors, mut lengths) = (BTreeMap::new(), Vec::new());
        for (name, view) in SafeTensors::deserialize(&bytes).unwrap().tensors() {
            let data = view.data();
            if view.dtype() == Dtype::F32 {
                let floats =
                    data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
                tensors.insert(name, floats.collect());
            } else {
                let longs = data.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()));
                lengths = longs.map(|n| n as usize).collect();
            }
        }
        Self {
            name: meta["name"].as_str().unwrap().to_owned(),
            cell: Cell::from_name(meta["cell"].as_str().unwrap()).unwrap(),
            layers: meta["num_layers"].as_u64().unwrap(),
            bidirectional: meta["bidirectional"].as_bool().unwrap(),
            ragged: !meta["lengths"].is_null(),
            tensors,
            lengths,
            sizes: ["seq_len", "batch", "input_size", "hidden_size"].map(size),
        }
    }

    fn get(&self, name: &str) -> &[f32] {
        self.tensors.get(name).unwrap_or_else(|| panic!("{}: no tensor {name}", self.name))
    }

    /// The `part`-th of the slices of `width` that make up each row of `name`.
    fn columns(&self, name: &str, part: usize, width: usize) -> Vec<f32> {
        let rows = self.get(name).chunks_exact(width * if self.bidirectional { 2 } else { 1 });
        rows.flat_map(|row| &row[part * width..][..width]).copied().collect()
    }

    fn check(&self, name: &str, got: &[f32], want: &[f32], tolerance: f32) {
        assert_eq!(got.len(), want.len(), "{} {name}: length", self.name);
        let scale = want.iter().fold(0.0, |m: f32, v| m.max(v.abs()));
        for (i, (g, w)) in got.iter().zip(want).enumerate() {
            let error = (g - w).abs() / scale;
            assert!(error <= tolerance, "{} {name}[{i}]: {g}, PyTorch {w}", self.name);
        }
    }
}

/// Runs one direction forward and backward, checks all but dx, and adds its dx to `dx`.
fn direction(isa: Isa, g: &Golden, index: usize, dx: &mut [f32], ws: &mut Workspace) {
    let [t, b, i, h] = g.sizes;
    let suffix = if index == 1 { "_reverse" } else { "" };
    let param = |kind: &str| format!("{kind}_l0{suffix}");
    let bias = |kind: &str| g.tensors.get(&param(kind)).map(Vec::as_slice);
    let weights = Weights {
        w_ih: g.get(&param("weight_ih")),
        w_hh: g.get(&param("weight_hh")),
        b_ih: bias("bias_ih"),
        b_hh: bias("bias_hh"),
    };
    let lengths = g.ragged.then_some(&g.lengths[..]);
    let seq = Sequence { seq_len: t, batch: b, lengths, reverse: index == 1 };
    let x = g.get("x");
    let h0 = &g.get("h0")[index * b * h..][..b * h];

    let mut y = vec![f32::NAN; t * b * h];
    let mut saved = vec![f32::NAN; t * b * g.cell.saved() * h];
    let packed = Packed::with_isa(isa, g.cell, i, h, &weights);
    packed.forward(&seq, x, Some(h0), &mut y, Some(&mut saved), ws);
    g.check("output", &y, &g.columns("output", index, h), FORWARD);
    let mut last = vec![f32::NAN; b * h];
    last_state(&seq, h, &y, Some(h0), &mut last);
    g.check("h_n", &last, &g.get("h_n")[index * b * h..][..b * h], FORWARD);

    // The gradient of the last state joins dy at the step it is a view of.
    let mut dy = g.columns("dy", index, h);
    let dh_n = &g.get("dh_n")[index * b * h..][..b * h];
    for (row, (&len, dh)) in g.lengths.iter().zip(dh_n.chunks_exact(h)).enumerate() {
        let step = if seq.reverse { 0 } else { len - 1 };
        let dy = &mut dy[(step * b + row) * h..][..h];
        dy.iter_mut().zip(dh).for_each(|(dy, dh)| *dy += dh);
    }
    let mut dx_part = vec![f32::NAN; t * b * i];
    let mut dh0 = vec![f32::NAN; b * h];
    let [mut dw_ih, mut dw_hh] = [weights.w_ih, weights.w_hh].map(|w| vec![0.0; w.len()]);
    let [mut db_ih, mut db_hh] =
        [weights.b_ih, weights.b_hh].map(|v| v.map(|v| vec![0.0; v.len()]));
    let grads = Gradients {
        dx: Some(&mut dx_part),
        dh0: Some(&mut dh0),
        dw_ih: &mut dw_ih,
        dw_hh: &mut dw_hh,
        db_ih: db_ih.as_deref_mut(),
        db_hh: db_hh.as_deref_mut(),
    };
    backward_with_isa(
        isa,
        g.cell,
        [i, h],
        &weights,
        &seq,
        x,
        Some(h0),
        &y,
        &mut saved,
        &dy,
        grads,
        ws,
    );

    g.check("grad.h0", &dh0, &g.get("grad.h0")[index * b * h..][..b * h], GRADIENT);
    for (kind, got) in [
        ("weight_ih", Some(&dw_ih)),
        ("weight_hh", Some(&dw_hh)),
        ("bias_ih", db_ih.as_ref()),
        ("bias_hh", db_hh.as_ref()),
    ] {
        if let Some(got) = got {
            let name = format!("grad.{}", param(kind));
            g.check(&name, got, g.get(&name), GRADIENT);
        }
    }
    dx.iter_mut().zip(dx_part).for_each(|(sum, d)| *sum += d);
}

#[test]
fn agree_with_pytorch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden");
    let mut seen = BTreeMap::new();
    let mut ws = Workspace::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("gru") || !name.ends_with(".safetensors") {
            continue;
        }
        let golden = Golden::read(&path);
        if golden.layers > 1 {
            continue; // stacks are the business of the layers above
        }
        for isa in Isa::available() {
            let mut dx = vec![0.0; golden.get("x").len()];
            for index in 0..=usize::from(golden.bidirectional) {
                direction(isa, &golden, index, &mut dx, &mut ws);
            }
            golden.check("grad.x", &dx, golden.get("grad.x"), GRADIENT);
        }
        *seen.entry(golden.cell.name()).or_insert(0) += 1;
    }
    assert_eq!(seen, BTreeMap::from([("gru", 5), ("gru-v3", 3)]), "cases found");
}
