//! The picture of a run: one HTML page that shows its recording.
//!
//! The page contains the recording, and a script that draws it. It loads nothing, so it can be
//! opened from disk, kept, and sent to others. Its sources are the files in `src/page/`, joined as
//! they are: there is no build step and no library.
//!
//! | file | contents |
//! |---|---|
//! | `recording.js`, `model.js`, `readers.js` | from lines of JSON to calls, log lines, faults, operations |
//! | `effects.js`, `bands.js`, `legs.js` | which messages had an effect; the state of servers; strokes |
//! | `scale.js`, `view.js`, `address.js`, `search.js` | time along an axis; what is shown, also in the address |
//! | `lanes.js`, `overview*.js`, `shards.js` | true time from left to right: what kind of run it was |
//! | `story*.js` | a step per event from top to bottom: why it failed |
//! | `strip.js`, `details.js`, `list.js` | the whole run at a glance; one item whole; events as text |
//! | `filters.js`, `tools.js`, `input.js`, `main.js` | controls, mouse and keys |
//!
//! Whatever the recorded code says is data. The recording is compressed and written in base64, so
//! it cannot end the element that contains it; the script shows texts only as text; and the page's
//! Content-Security-Policy names the hashes of the one script and the one style that the browser
//! may use, and forbids the network.

mod base64;

use std::io::Write as _;

use base64::base64;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// The page, with names in braces for what is filled in.
const PAGE: &str = include_str!("page/page.html");

/// The style.
const STYLE: &str = include_str!("page/style.css");

/// The script, in an order in which constants are defined before they are used.
const SCRIPT: &str = concat!(
    "\"use strict\";\n",
    include_str!("page/recording.js"),
    include_str!("page/elements.js"),
    include_str!("page/effects.js"),
    include_str!("page/bands.js"),
    include_str!("page/legs.js"),
    include_str!("page/readers.js"),
    include_str!("page/model.js"),
    include_str!("page/scale.js"),
    include_str!("page/view.js"),
    include_str!("page/address.js"),
    include_str!("page/search.js"),
    include_str!("page/ink.js"),
    include_str!("page/lanes.js"),
    include_str!("page/shards.js"),
    include_str!("page/overview.js"),
    include_str!("page/overview-ruler.js"),
    include_str!("page/overview-legs.js"),
    include_str!("page/overview-lanes.js"),
    include_str!("page/story.js"),
    include_str!("page/story-steps.js"),
    include_str!("page/story-marks.js"),
    include_str!("page/strip.js"),
    include_str!("page/details.js"),
    include_str!("page/list.js"),
    include_str!("page/filters.js"),
    include_str!("page/tools.js"),
    include_str!("page/input.js"),
    include_str!("page/main.js"),
);

/// The page that shows a recording: lines of JSON.
pub fn html(recording: &str) -> String {
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash_source(STYLE),
        hash_source(SCRIPT)
    );
    let recording = base64(&compressed(recording.as_bytes()));
    fill(&[
        ("{policy}", &policy),
        ("{style}", STYLE),
        ("{recording}", &recording),
        ("{script}", SCRIPT),
    ])
}

/// The page with its gaps filled. The names stand in it in this order, and what is filled in is not
/// searched for names.
fn fill(gaps: &[(&str, &str)]) -> String {
    let mut page = String::new();
    let mut rest = PAGE;
    for (name, text) in gaps {
        let (before, after) = rest.split_once(name).expect("the page has this gap");
        page.push_str(before);
        page.push_str(text);
        rest = after;
    }
    page + rest
}

/// The source expression by which a Content-Security-Policy allows an inline style or script.
pub fn hash_source(text: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(text.as_bytes())))
}

/// The bytes in the format of gzip.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a Vec takes all bytes");
    encoder.finish().expect("a Vec takes all bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_text_cannot_become_part_of_the_page() {
        let evil =
            "{\"kind\":\"log\",\"text\":\"</script><script>alert(1)</script>\u{2028}{script}\"}";
        let page = html(evil);
        assert!(!page.contains("alert(1)"));
        assert_eq!(page.len() - html("").len(), {
            let length = |text: &str| base64(&compressed(text.as_bytes())).len();
            length(evil) - length("")
        });
    }

    #[test]
    fn the_script_fits_into_its_element() {
        for text in [STYLE, SCRIPT] {
            let lower = text.to_ascii_lowercase();
            for end in ["</script", "</style", "<!--"] {
                assert!(!lower.contains(end), "{end}");
            }
        }
        assert!(!SCRIPT.contains("innerHTML") && !SCRIPT.contains("insertAdjacentHTML"));
    }

    #[test]
    fn the_page_names_no_address_outside() {
        let page = html("");
        assert!(!page.contains("http:") && !page.contains("https:"), "the page is self-contained");
        assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    }
}
