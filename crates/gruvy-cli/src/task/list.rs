//! The list of tasks on the command line.

use super::door::Task;
use super::{classify, forecast, memory, music, speech, text};
use gruvy_runtime::TaskName;

/// Something to be done with whichever task.
pub trait Visit {
    /// What it gives.
    type Out;

    /// Does it.
    fn visit<T: Task>(self) -> Self::Out;
}

/// The list of tasks: does something with one of them.
pub fn with<V: Visit>(task: TaskName, visitor: V) -> V::Out {
    match task {
        TaskName::Text => visitor.visit::<text::Text>(),
        TaskName::Classify => visitor.visit::<classify::Classify>(),
        TaskName::Forecast => visitor.visit::<forecast::Forecast>(),
        TaskName::Music => visitor.visit::<music::Music>(),
        TaskName::Speech => visitor.visit::<speech::Speech>(),
        TaskName::Adding => visitor.visit::<memory::Adding>(),
        TaskName::Copy => visitor.visit::<memory::Copying>(),
    }
}

/// The tasks that have a demo.
pub fn demos() -> Vec<&'static str> {
    struct Has;
    impl Visit for Has {
        type Out = bool;

        fn visit<T: Task>(self) -> bool {
            T::DEMO.is_some()
        }
    }
    TaskName::ALL.into_iter().filter(|task| with(*task, Has)).map(TaskName::name).collect()
}
