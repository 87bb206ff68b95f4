//! The list of tasks. Everything that goes by task follows from it: names on the command line and
//! in files, the codec of a model, the subcommands.

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskName {
    /// Predicts how a text goes on.
    Text,
    /// Gives the label of a text or of a sequence of numbers.
    Classify,
    /// Forecasts time series.
    Forecast,
    /// Goes on from music, and makes it.
    Music,
    /// Writes down what is said.
    Speech,
    /// Adds two marked numbers of a long sequence: a measure of memory.
    Adding,
    /// Repeats ten digits after a long pause: a measure of memory.
    Copy,
}

impl TaskName {
    /// Every task, in the order in which they are listed to a person.
    pub const ALL: [Self; 7] = [
        Self::Text,
        Self::Classify,
        Self::Forecast,
        Self::Music,
        Self::Speech,
        Self::Adding,
        Self::Copy,
    ];

    /// The name on the command line, in settings files and in model files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Classify => "classify",
            Self::Forecast => "forecast",
            Self::Music => "music",
            Self::Speech => "speech",
            Self::Adding => "adding",
            Self::Copy => "copy",
        }
    }

    /// The task of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.name() == name)
    }
}

impl std::fmt::Display for TaskName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
