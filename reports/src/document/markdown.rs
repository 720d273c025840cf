//! A document as Markdown.

use super::{Block, Document};
use crate::escape;

pub(super) fn render(document: &Document) -> String {
    let mut text = format!(
        "# {}\n\n{}\n",
        escape::markdown(&document.title),
        escape::markdown_sentence(&document.subtitle)
    );
    for section in &document.sections {
        if section.blocks.iter().all(Block::is_empty) {
            continue;
        }
        text.push_str(&format!("\n## {}\n", section.title));
        section.blocks.iter().for_each(|part| block(part, &mut text));
    }
    text
}

fn block(block: &Block, text: &mut String) {
    if block.is_empty() {
        return;
    }
    match block {
        Block::Cards(cards) => {
            text.push_str("\n| what | value | |\n| --- | ---: | --- |\n");
            for card in cards {
                let note = escape::markdown_sentence(&card.note);
                text.push_str(&format!("| {} | {} | {note} |\n", card.label, card.value));
            }
        }
        Block::Lines(lines) => {
            text.push('\n');
            for line in lines {
                text.push_str(&format!("- {}\n", escape::markdown_sentence(line)));
            }
        }
        Block::Table { caption, grid, shown } => {
            let caption = escape::markdown_sentence(caption);
            text.push_str(&format!("\n{caption}\n\n{}", grid.first(*shown).to_markdown()));
            if let Some(more) = grid.len().checked_sub(*shown).filter(|more| *more > 0) {
                text.push_str(&format!("\n… {more} more\n"));
            }
        }
        // Pictures are in the HTML.
        Block::Picture { .. } => {}
        Block::Details { summary, blocks, .. } => {
            text.push_str(&format!("\n### {}\n", escape::markdown_sentence(summary)));
            blocks.iter().for_each(|part| self::block(part, text));
        }
    }
}
