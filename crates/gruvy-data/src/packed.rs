//! Files packed with gzip or Zstandard.
use crate::error::{Result, problem_at};
use gruvy_runtime::model::available_bytes;
use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

/// What stands for the memory where the system does not tell.
const UNKNOWN: u64 = 1 << 32;

/// The content of a file that is packed, by its first bytes; of another the bytes as they are.
///
/// # Errors
/// If it is damaged, or unpacks to more than a quarter of the memory there is: what is made of it
/// takes room too.
pub(crate) fn unpacked<'a>(file: &Path, bytes: Cow<'a, [u8]>) -> Result<Cow<'a, [u8]>> {
    let most = available_bytes().unwrap_or(UNKNOWN) / 4;
    match &bytes[..] {
        [0x1f, 0x8b, ..] => read(file, "gzip", most, flate2::read::MultiGzDecoder::new(&bytes[..])),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(&bytes[..])
                .map_err(|error| damaged(file, "Zstandard", &error.to_string()))?;
            read(file, "Zstandard", most, decoder)
        }
        _ => return Ok(bytes),
    }
    .map(Cow::Owned)
}

fn read(file: &Path, how: &str, most: u64, from: impl Read) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    match from.take(most.saturating_add(1)).read_to_end(&mut all) {
        Err(error) => Err(damaged(file, how, &error.to_string())),
        Ok(_) if all.len() as u64 > most => {
            let problem = format!(
                "packed with {how}, and unpacks to more than {} MB, a quarter of the memory there \
                 is; divide the file",
                most / 1_000_000
            );
            Err(problem_at(file, None, problem))
        }
        Ok(_) => Ok(all),
    }
}

fn damaged(file: &Path, how: &str, problem: &str) -> crate::error::Error {
    let problem = format!("packed with {how}, and damaged or cut off: {problem}; fetch it again");
    problem_at(file, None, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_unpacks_without_end_is_refused() {
        let problem = read(Path::new("a.gz"), "gzip", 1_000_000, std::io::repeat(7)).unwrap_err();
        let problem = problem.to_string();
        assert!(problem.contains("a.gz") && problem.contains("more than 1 MB"), "{problem}");
    }
}
