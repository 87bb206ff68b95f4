//! What enters a network.

/// What enters a network over one or more steps, time-major.
#[derive(Clone, Copy, Debug)]
pub enum Steps<'a> {
    /// `[T, B]` token ids.
    Tokens(&'a [u32]),
    /// `[T, B, I]` features.
    Features(&'a [f32]),
}

impl<'a, S: AsRef<[u32]> + ?Sized> From<&'a S> for Steps<'a> {
    fn from(tokens: &'a S) -> Self {
        Steps::Tokens(tokens.as_ref())
    }
}

impl Steps<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Steps::Tokens(tokens) => tokens.len(),
            Steps::Features(values) => values.len(),
        }
    }

    /// The part from `from` to `to`, in values.
    pub(crate) fn part(&self, from: usize, to: usize) -> Self {
        match self {
            Steps::Tokens(tokens) => Steps::Tokens(&tokens[from..to]),
            Steps::Features(values) => Steps::Features(&values[from..to]),
        }
    }
}
