//! A report as one HTML file that needs nothing else: style, script and numbers inside, no network.
use super::report::Report;

/// Where the numbers go.
const SLOT: &str = "/*REPORT*/null";

impl Report {
    /// The page.
    pub fn to_html(&self) -> String {
        // `<` would let a label such as `</script>` end the script.
        let numbers = serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c");
        include_str!("page.html").replacen(SLOT, &numbers, 1)
    }
}
