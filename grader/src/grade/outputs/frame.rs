//! What all pages have in common. A page is one file: it loads nothing, and the browser runs only
//! the script whose hash the page names.

use picture::hash_source;

use super::markup::Markup;

/// The style of all pages.
const STYLE: &str = include_str!("style.css");

/// The number of lines of a list that are shown.
const LINES: usize = 100;

/// A page.
pub(super) fn page(
    title: &str,
    script: Option<&'static str>,
    body: impl FnOnce(&mut Markup),
) -> String {
    let mut m = Markup::new("<!doctype html>\n");
    m.within("html", &[("lang", "en")], |m| {
        m.within("head", &[], |m| {
            m.empty("meta", &[("charset", "utf-8")]);
            let policy = policy(script);
            m.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
            m.empty("meta", &[("name", "viewport"), ("content", "width=device-width")]);
            m.empty("meta", &[("name", "referrer"), ("content", "no-referrer")]);
            m.empty("meta", &[("name", "robots"), ("content", "noindex")]);
            m.element("title", &[], title);
            m.within("style", &[], |m| m.constant(STYLE));
        });
        m.within("body", &[], |m| {
            m.within("main", &[], body);
            if let Some(script) = script {
                m.within("script", &[], |m| m.constant(script));
            }
        });
    });
    m.finish()
}

/// What the browser may do.
fn policy(script: Option<&str>) -> String {
    let style = hash_source(STYLE);
    let script = script.map_or("'none'".to_string(), hash_source);
    format!(
        "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; \
         form-action 'none'"
    )
}

/// A table with a heading for each column. It can be scrolled if it is wider than the page.
pub(super) fn table(
    m: &mut Markup,
    caption: &str,
    columns: &[(&str, Align)],
    rows: impl FnOnce(&mut Markup),
) {
    let region =
        [("class", "wide"), ("role", "region"), ("aria-label", caption), ("tabindex", "0")];
    m.within("div", &region, |m| {
        m.within("table", &[], |m| {
            m.element("caption", &[], caption);
            m.within("thead", &[], |m| {
                m.within("tr", &[], |m| {
                    for (name, align) in columns {
                        m.element("th", &[("scope", "col"), ("class", align.class())], name);
                    }
                });
            });
            m.within("tbody", &[], rows);
        });
    });
}

/// The alignment of a column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Align {
    Left,
    /// For numbers.
    Right,
}

impl Align {
    fn class(self) -> &'static str {
        match self {
            Align::Left => "left",
            Align::Right => "number",
        }
    }
}

/// A cell with text.
pub(super) fn cell(m: &mut Markup, align: Align, text: &str) {
    m.element("td", &[("class", align.class())], text);
}

/// Text that may be long, as it was printed.
pub(super) fn printed(m: &mut Markup, label: &str, text: &str) {
    m.element("pre", &[("tabindex", "0"), ("role", "region"), ("aria-label", label)], text);
}

/// A list of lines of code; nothing if it is empty.
pub(super) fn list(m: &mut Markup, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let (shown, others) = lines.split_at(lines.len().min(LINES));
    m.within("ul", &[], |m| {
        shown.iter().for_each(|line| m.within("li", &[], |m| m.element("code", &[], line)));
        if !others.is_empty() {
            m.element("li", &[], &format!("and {} more", others.len()));
        }
    });
}
