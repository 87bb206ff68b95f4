//! The operation gives the kernel's loss and gradient, times what comes back.
use crate::support::{device, tensor, values};
use burn::tensor::{Device, Tensor};
use gruvy::ops::{CtcAsked, Memory, ctc_loss};
use gruvy_kernels::{Ctc, CtcTargets, Isa, Workspace};

fn asked() -> CtcAsked {
    CtcAsked {
        labels: [1, 2, 2, 3].into(),
        label_counts: [3, 0, 1].into(),
        lengths: [7, 5, 6].into(),
        weights: [0.5, 1.0, 2.0].into(),
        memory: Memory::default(),
    }
}

#[test]
fn the_operation_is_the_kernel_with_a_backward_pass() {
    let device = device();
    let logits: Tensor<3> = tensor::<3>(1, [7, 3, 4], &device).mul_scalar(3.0).require_grad();
    let asked = asked();
    let (labels, label_counts) = (&asked.labels[..], &asked.label_counts[..]);
    let targets = CtcTargets { labels, label_counts, lengths: &asked.lengths };
    let mut gradient = vec![0.0; 7 * 3 * 4];
    let to = Some((&asked.weights[..], &mut gradient[..]));
    let ctc = Ctc { classes: 4 };
    let losses = ctc.loss(Isa::best(), &values(&logits), targets, to, &mut Workspace::new());
    let expected = 0.5 * losses[0] + losses[1] + 2.0 * losses[2];

    let loss = ctc_loss(logits.clone(), asked.clone());
    assert_eq!(values(&loss), [expected as f32]);
    let grads = loss.mul_scalar(-2.0).backward();
    let got = values(&logits.grad(&grads).expect("a gradient"));
    let expected: Vec<f32> = gradient.iter().map(|g| -2.0 * g).collect();
    assert_eq!(got, expected);

    let untracked = ctc_loss(tensor::<3>(1, [7, 3, 4], &Device::flex()).mul_scalar(3.0), asked);
    assert_eq!(values(&untracked), values(&ctc_loss(logits, self::asked())));
}

#[test]
#[should_panic(expected = "sequence 0 has 3 steps; its 3 labels need at least 4")]
fn labels_for_which_there_is_no_time_are_named() {
    let asked = CtcAsked { lengths: [3, 5, 6].into(), ..asked() };
    ctc_loss(tensor::<3>(1, [7, 3, 4], &device()), asked);
}
