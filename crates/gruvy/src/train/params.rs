//! The parameters of any module by name: reading them, replacing them, the norm of their gradients,
//! and their moving average.
use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    optim::GradientsParams,
    tensor::{Tensor, TensorData},
};

/// One parameter, its history left behind.
pub(crate) struct Parameter {
    /// Where it stands in the module: `rnn.weight_hh.0`.
    pub path: String,
    pub id: ParamId,
    pub shape: Vec<usize>,
    /// `[numel]`
    pub values: Tensor<1>,
}

/// Every parameter of `model`, in the module's order. Parameters that are drawn lazily are drawn.
pub(crate) fn collect<M: Module>(model: &M) -> Vec<Parameter> {
    struct Collect {
        path: Vec<String>,
        found: Vec<Parameter>,
    }
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let tensor = plain(param.val());
            let shape = tensor.dims().to_vec();
            let values = tensor.reshape([shape.iter().product::<usize>()]);
            self.found.push(Parameter { path: self.path.join("."), id: param.id, shape, values });
        }
    }
    let mut visitor = Collect { path: Vec::new(), found: Vec::new() };
    model.visit(&mut visitor);
    visitor.found
}

/// The same tensor without its history, whether or not it has one.
pub(crate) fn plain<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if tensor.is_autodiff() { tensor.inner() } else { tensor }
}

/// `model` with each parameter given a new identity and new values by `f(path, parameter)`; none
/// keeps it. Values are `[numel]`, without history.
pub(crate) fn replace<M: Module, F>(model: M, f: F) -> M
where
    F: FnMut(&str, ParamId, Tensor<1>) -> Option<(ParamId, Tensor<1>)>,
{
    struct Replace<F> {
        path: Vec<String>,
        f: F,
    }
    impl<F> ModuleMapper for Replace<F>
    where
        F: FnMut(&str, ParamId, Tensor<1>) -> Option<(ParamId, Tensor<1>)>,
    {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, old, mapper) = param.consume();
            let shape = old.dims();
            let values = plain(old.clone()).reshape([shape.iter().product::<usize>()]);
            let Some((id, new)) = (self.f)(&self.path.join("."), id, values) else {
                return Param::from_mapped_value(id, old, mapper);
            };
            let new = new.reshape(shape);
            let new = if old.is_autodiff() {
                Tensor::from_inner(new).set_require_grad(old.is_require_grad())
            } else {
                new
            };
            Param::from_mapped_value(id, new, mapper)
        }
    }
    model.map(&mut Replace { path: Vec::new(), f })
}

/// Global norm of the gradient, `sqrt(Σ g²)` over all parameters; a norm above `max` (if not zero)
/// is scaled down to it.
pub(crate) fn clip<M: Module>(model: &M, grads: &mut GradientsParams, max: f64) -> f64 {
    struct Norm<'a> {
        grads: &'a GradientsParams,
        squares: f64,
    }
    impl ModuleVisitor for Norm<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(grad) = self.grads.get::<D>(param.id) {
                self.squares += sum_of_squares(&grad.into_data());
            }
        }
    }
    struct Scale<'a> {
        grads: &'a mut GradientsParams,
        factor: f64,
    }
    impl ModuleVisitor for Scale<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(grad) = self.grads.remove::<D>(param.id) {
                self.grads.register(param.id, grad.mul_scalar(self.factor));
            }
        }
    }
    let mut visitor = Norm { grads, squares: 0.0 };
    model.visit(&mut visitor);
    let norm = visitor.squares.sqrt();
    if max > 0.0 && norm > max && norm.is_finite() {
        model.visit(&mut Scale { grads, factor: max / norm });
    }
    norm
}

/// In a fixed order, whatever the number of threads; the tensor library's parallel sum has none.
fn sum_of_squares(data: &TensorData) -> f64 {
    const LANES: usize = 16;
    let values = data.as_slice::<f32>().expect("training is in f32");
    let chunks = values.chunks_exact(LANES);
    let tail: f64 = chunks.remainder().iter().map(|v| f64::from(*v).powi(2)).sum();
    let mut lanes = [0.0f64; LANES];
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(*v) * f64::from(*v);
        }
    }
    lanes.iter().sum::<f64>() + tail
}

/// One step of the moving average: `average · decay + model · (1 − decay)`.
pub(crate) fn average<M: Module>(average: M, model: &M, decay: f64) -> M {
    let mut new = collect(model).into_iter();
    replace(average, |_, id, old| {
        let new = new.next()?.values;
        Some((id, old.mul_scalar(decay).add(new.mul_scalar(1.0 - decay))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::{
        nn::{Linear, LinearConfig},
        tensor::Device,
    };

    fn linear() -> (Linear, GradientsParams) {
        let device = Device::flex().autodiff();
        let model = LinearConfig::new(2, 1).init(&device);
        let set = |path: &str, id, _| {
            let values: &[f32] = if path == "weight" { &[1.0, 2.0] } else { &[3.0] };
            Some((id, Tensor::from_data(values, &Device::flex())))
        };
        let model = replace(model, set);
        // Gradient: weight [3, 0], bias 4.
        let x = Tensor::<2>::from_data([[3.0, 0.0]], &device);
        let loss = model.forward(x).sum() + model.bias.as_ref().unwrap().val().sum() * 3.0;
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        (model, grads)
    }

    fn gradient(model: &Linear, grads: &GradientsParams) -> Vec<f32> {
        let mut all = grads.get::<2>(model.weight.id).unwrap().into_data().try_to_vec().unwrap();
        let bias: Vec<f32> = grads
            .get::<1>(model.bias.as_ref().unwrap().id)
            .unwrap()
            .into_data()
            .try_to_vec()
            .unwrap();
        all.extend(bias);
        all
    }

    #[test]
    fn clipping_scales_all_parameters_by_one_factor() {
        let (model, mut grads) = linear();
        assert_eq!(clip(&model, &mut grads, 5.0), 5.0);
        assert_eq!(gradient(&model, &grads), [3.0, 0.0, 4.0], "a norm at the limit is left alone");
        assert_eq!(clip(&model, &mut grads, 0.0), 5.0);
        assert_eq!(gradient(&model, &grads), [3.0, 0.0, 4.0], "0 is no limit");
        assert_eq!(clip(&model, &mut grads, 2.5), 5.0);
        assert_eq!(gradient(&model, &grads), [1.5, 0.0, 2.0]);
    }

    #[test]
    fn sum_of_squares_counts_lanes_and_tail() {
        let values: Vec<f32> = (1..=37).map(|v| v as f32).collect();
        assert_eq!(sum_of_squares(&TensorData::from(&values[..])), 37.0 * 38.0 * 75.0 / 6.0);
    }

    #[test]
    fn names_values_and_identities_survive_replacing() {
        let (model, _) = linear();
        let found = collect(&model);
        assert_eq!(found.iter().map(|p| p.path.as_str()).collect::<Vec<_>>(), ["weight", "bias"]);
        assert_eq!(found[0].shape, [2, 1]);
        let id = ParamId::from(77);
        let model = replace(model, |path, _, v| (path == "bias").then(|| (id, v.add_scalar(1.0))));
        let bias = model.bias.as_ref().unwrap();
        assert!(bias.id == id && bias.val().is_require_grad());
        assert_eq!(bias.val().into_data().try_to_vec::<f32>().unwrap(), [4.0]);
        assert_eq!(model.weight.val().into_data().try_to_vec::<f32>().unwrap(), [1.0, 2.0]);
    }

    #[test]
    fn average_moves_by_one_minus_decay() {
        let (model, _) = linear();
        let zero = replace(model.valid(), |_, id, v| Some((id, v.zeros_like())));
        let mean = average(zero, &model, 0.75);
        assert_eq!(mean.weight.val().into_data().try_to_vec::<f32>().unwrap(), [0.25, 0.5]);
        assert!(!mean.weight.val().is_autodiff());
    }
}
