//! HTML and XML. Text and the values of attributes are always escaped; only constants of this
//! program become tags.

use super::text::{beginning, visible};

/// The number of characters of a text that are shown: a submission can print a lot.
const LONGEST: usize = 50_000;

/// A document that is being written.
#[derive(Debug, Default)]
pub(super) struct Markup {
    text: String,
}

/// The attributes of an element.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Markup {
    /// A document that begins with a constant.
    pub(super) fn new(begin: &'static str) -> Self {
        Self { text: begin.to_string() }
    }

    /// An element, and what `inside` adds to it.
    pub(super) fn within(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self),
    ) {
        self.open(tag, attributes, ">");
        inside(self);
        self.text += &format!("</{tag}>");
        self.text += if is_inline(tag) { "" } else { "\n" };
    }

    /// An element that contains text.
    pub(super) fn element(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.within(tag, attributes, |m| m.text(text));
    }

    /// An element without contents: `/>` is optional in HTML.
    pub(super) fn empty(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.open(tag, attributes, "/>\n");
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        for c in visible(&beginning(text, LONGEST)).chars() {
            match c {
                '&' => self.text += "&amp;",
                '<' => self.text += "&lt;",
                '>' => self.text += "&gt;",
                '"' => self.text += "&quot;",
                '\'' => self.text += "&#39;",
                c => self.text.push(c),
            }
        }
    }

    /// Something that is not escaped, and therefore must be a constant.
    pub(super) fn constant(&mut self, text: &'static str) {
        self.text += text;
    }

    /// The document.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn open(&mut self, tag: &'static str, attributes: Attributes<'_>, end: &'static str) {
        self.text += &format!("<{tag}");
        for (name, value) in attributes {
            self.text += &format!(" {name}=\"");
            self.text(value);
            self.text.push('"');
        }
        self.text += end;
    }
}

/// Whether a line break after an element would be visible, as a space.
fn is_inline(tag: &str) -> bool {
    ["a", "b", "code", "span", "strong"].contains(&tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_cannot_become_tags() {
        let mut m = Markup::new("");
        m.element("p", &[("title", "\" onclick='x'")], "<script>&\x1b[0m</p>\0]]>");
        let escaped = "<p title=\"&quot; onclick=&#39;x&#39;\">\
                       &lt;script&gt;&amp;\\u{1b}[0m&lt;/p&gt;\\u{0}]]&gt;</p>\n";
        assert_eq!(m.finish(), escaped);
    }
}
