//! A document as one HTML file.

use super::{Block, Document, Section};
use crate::escape;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub(super) fn render(document: &Document) -> String {
    let title = escape::html(&document.title);
    let sections: Vec<&Section> = document
        .sections
        .iter()
        .filter(|section| !section.blocks.iter().all(Block::is_empty))
        .collect();
    let mut links = String::new();
    let mut body = String::new();
    for section in &sections {
        links.push_str(&format!("<a href=\"#{}\">{}</a>", section.id, escape::xml(section.title)));
        body.push_str(&format!(
            "<section id=\"{0}\" aria-labelledby=\"{0}-title\"><h2 id=\"{0}-title\">{1}</h2>\n",
            section.id,
            escape::xml(section.title)
        ));
        for (place, part) in section.blocks.iter().enumerate() {
            block(part, &format!("{}-{place}", section.id), &mut body);
        }
        body.push_str("</section>\n");
    }
    // No address may be fetched, whatever a name says.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                  img-src data:; base-uri 'none'; form-action 'none'";
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>{STYLE}</style></head>\n\
         <body>\n<a class=\"skip\" href=\"#main\">Skip to the report</a>\n<header><h1>{title}</h1>\
         <p>{}</p><nav aria-label=\"Sections\">{links}</nav></header>\n<main id=\"main\">\n{body}</main>\n\
         <script>{SCRIPT}</script>\n</body></html>\n",
        escape::html_sentence(&document.subtitle)
    )
}

fn block(block: &Block, id: &str, out: &mut String) {
    if block.is_empty() {
        return;
    }
    match block {
        Block::Cards(cards) => {
            out.push_str("<dl class=\"cards\">");
            for card in cards {
                out.push_str(&format!(
                    "<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>",
                    escape::xml(card.label),
                    escape::xml(&card.value),
                    escape::html_sentence(&card.note)
                ));
            }
            out.push_str("</dl>\n");
        }
        Block::Lines(lines) => {
            for line in lines {
                out.push_str(&format!("<p>{}</p>\n", escape::html_sentence(line)));
            }
        }
        Block::Table { caption, grid, .. } => out.push_str(&grid.to_html(id, caption)),
        Block::Picture { caption, svg, .. } => {
            let caption = escape::html_sentence(caption);
            out.push_str(&format!(
                "<figure><div class=\"plot\">{svg}</div><figcaption>{caption}</figcaption></figure>\n"
            ));
        }
        Block::Details { id, summary, blocks } => {
            out.push_str(&format!(
                "<details id=\"{}\"><summary>{}</summary>\n",
                escape::xml(id),
                escape::html_sentence(summary)
            ));
            for (place, part) in blocks.iter().enumerate() {
                self::block(part, &format!("{id}-{place}"), out);
            }
            out.push_str("</details>\n");
        }
    }
}
