//! Burn's own recurrent modules on its Flex backend.
use crate::{Engine, Mode, case};
use anyhow::{Result, bail};
use burn::module::Param;
use burn::nn::activation::ActivationConfig;
use burn::nn::gru::{Gru, GruConfig};
use burn::nn::{GateController, Linear, Lstm, LstmConfig, LstmState, Rnn, RnnConfig, RnnState};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use std::collections::BTreeMap;

/// A layer, once as it is run and once as it is trained.
pub struct Layer {
    plain: Bound,
    trained: Bound,
    /// `[B, T, H]`
    dy: Tensor<3>,
}

/// A module with its inputs on a device.
struct Bound {
    module: Module,
    /// `[B, T, I]`: batch first is the layout in which these modules work.
    x: Tensor<3>,
    /// Each `[B, H]`.
    states: Vec<Tensor<2>>,
}

#[derive(Clone)]
enum Module {
    Gru(Gru),
    Lstm(Lstm),
    Rnn(Rnn),
}

impl Module {
    fn new(cell: &str, input: usize, hidden: usize, device: &Device) -> Result<Self> {
        let gru = GruConfig::new(input, hidden, true);
        let rnn = RnnConfig::new(input, hidden, true);
        Ok(match cell {
            "gru" => Self::Gru(gru.init(device)),
            "gru-v3" => Self::Gru(gru.with_reset_after(false).init(device)),
            "lstm" => Self::Lstm(LstmConfig::new(input, hidden, true).init(device)),
            "rnn" => Self::Rnn(rnn.init(device)),
            "rnn-relu" => {
                Self::Rnn(rnn.with_hidden_activation(ActivationConfig::Relu).init(device))
            }
            other => bail!("Burn has no cell {other}"),
        })
    }

    /// In PyTorch's order: a GRU's r, z, n; an LSTM's i, f, g, o.
    fn gates(&mut self) -> Vec<&mut GateController> {
        match self {
            Self::Gru(m) => vec![&mut m.reset_gate, &mut m.update_gate, &mut m.new_gate],
            Self::Lstm(m) => {
                let Some(forget) = &mut m.forget_gate else { unreachable!("not coupled") };
                vec![&mut m.input_gate, forget, &mut m.cell_gate, &mut m.output_gate]
            }
            Self::Rnn(m) => vec![&mut m.gate],
        }
    }

    fn forward(&self, x: Tensor<3>, states: &[Tensor<2>]) -> Tensor<3> {
        let h = states[0].clone();
        match self {
            Self::Gru(m) => m.forward(x, Some(h)),
            Self::Lstm(m) => m.forward(x, Some(LstmState::new(states[1].clone(), h))).0,
            Self::Rnn(m) => m.forward(x, Some(RnnState::new(h))).0,
        }
    }
}

/// The two linear maps of a gate, and the names of their parameters.
fn linears(gate: &mut GateController) -> [(&mut Linear, &'static str, &'static str); 2] {
    [
        (&mut gate.input_transform, "weight_ih_l0", "bias_ih_l0"),
        (&mut gate.hidden_transform, "weight_hh_l0", "bias_hh_l0"),
    ]
}

fn tensor<const D: usize>(from: &case::Tensor, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(from.data.clone(), from.shape.clone()), device)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> case::Tensor {
    let shape = tensor.dims().to_vec();
    case::Tensor { shape, data: tensor.into_data().iter().collect() }
}

impl Bound {
    fn new(cell: &str, case: &case::Case, device: &Device) -> Result<Self> {
        let (x, hidden) = (case.get("x")?, case.get("dy")?.shape[2]);
        let mut module = Module::new(cell, x.shape[2], hidden, device)?;
        for (gate, controller) in module.gates().into_iter().enumerate() {
            let part = |name| Ok::<_, anyhow::Error>(case.get(name)?.rows(gate * hidden, hidden));
            for (linear, weight, bias) in linears(controller) {
                // Burn's are [in, out].
                let weight = part(weight)?.transposed();
                linear.weight = Param::from_tensor(tensor(&weight, device));
                linear.bias = Some(Param::from_tensor(tensor(&part(bias)?, device)));
            }
        }
        let batch_first: Tensor<3> = tensor(x, device).swap_dims(0, 1);
        // From its numbers: so it lies in memory as it is indexed.
        let x = tensor(&numbers(batch_first), device);
        let states = case.states()?;
        let states = states.iter().map(|s| tensor::<3>(s, device).squeeze_dim(0)).collect();
        Ok(Self { module, x, states })
    }

    fn forward(&self) -> Tensor<3> {
        self.module.forward(self.x.clone(), &self.states)
    }
}

/// The outputs `[B, T, H]`, and in training every gradient.
pub struct Computed {
    y: Tensor<3>,
    gradients: Option<(Tensor<3>, Gradients)>,
}

impl Engine for Layer {
    const PACKAGE: &str = "burn";
    const MODES: &[Mode] = &[Mode::Forward, Mode::Infer, Mode::Train];
    type Computed = Computed;

    fn load(cell: &str, threads: usize, case: &case::Case) -> Result<Self> {
        // Fails at the second load, when it is set already.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        let device = Device::flex();
        let trained = Bound::new(cell, case, &device.clone().autodiff())?;
        let dy: Tensor<3> = tensor(case.get("dy")?, &device.clone().autodiff()).swap_dims(0, 1);
        Ok(Self { plain: Bound::new(cell, case, &device)?, trained, dy })
    }

    fn run(&self, mode: Mode) -> Result<Computed> {
        if mode != Mode::Train {
            return Ok(Computed { y: self.plain.forward(), gradients: None });
        }
        let Bound { module, x, states } = &self.trained;
        let x = x.clone().detach().require_grad();
        let y = module.forward(x.clone(), states);
        // A backward pass starts from a number: the sum whose gradient is dy.
        let gradients = (y.clone() * self.dy.clone()).sum().backward();
        Ok(Computed { y, gradients: Some((x, gradients)) })
    }

    fn tensors(&self, computed: Computed) -> Result<Vec<(String, case::Tensor)>> {
        let Computed { y, gradients } = computed;
        let mut out = vec![("output".into(), numbers(y.swap_dims(0, 1)))];
        let Some((x, gradients)) = gradients else { return Ok(out) };
        let Some(dx) = x.grad(&gradients) else { bail!("no gradient of x") };
        out.push(("grad.x".into(), numbers(dx.swap_dims(0, 1))));
        // One gradient of each parameter: those of its gates, one below the other.
        let mut parameters = BTreeMap::<_, case::Tensor>::new();
        for gate in self.trained.module.clone().gates() {
            for (linear, weight, bias) in linears(gate) {
                let dweight = linear.weight.val().grad(&gradients).map(numbers);
                let dbias = linear.bias.as_ref().and_then(|b| b.val().grad(&gradients));
                let both =
                    [(weight, dweight.map(case::Tensor::transposed)), (bias, dbias.map(numbers))];
                for (name, gradient) in both {
                    let Some(gradient) = gradient else { bail!("no gradient of {name}") };
                    match parameters.get_mut(name) {
                        Some(above) => above.append(gradient),
                        None => drop(parameters.insert(name, gradient)),
                    }
                }
            }
        }
        out.extend(parameters.into_iter().map(|(name, grad)| (format!("grad.{name}"), grad)));
        Ok(out)
    }
}
