//! A document of sections, and its renderings: one HTML file that opens offline, and Markdown.
//!
//! The HTML holds everything in one file: style, script, pictures; nothing is fetched. It reads well
//! narrow and wide, light and dark, in print, by keyboard and by screen reader; without script it
//! only loses sorting and filtering. A policy in it forbids whatever a name might smuggle in.

mod html;
mod markdown;

use crate::grid::Grid;

/// A document.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its title; foreign text.
    pub title: String,
    /// A line below the title; foreign text.
    pub subtitle: String,
    /// Its sections.
    pub sections: Vec<Section>,
}

/// A titled part of it.
#[derive(Debug, Clone)]
pub struct Section {
    /// Name for links to it: letters and dashes.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug, Clone)]
pub enum Block {
    /// Numbers at a glance.
    Cards(Vec<Card>),
    /// Paragraphs; foreign text.
    Lines(Vec<String>),
    /// A table under a caption.
    Table {
        /// What it shows.
        caption: String,
        /// The rows.
        grid: Grid,
        /// How many rows Markdown shows; HTML shows all of them.
        shown: usize,
    },
    /// A picture of `plots`, with its caption.
    Picture {
        /// What it shows.
        caption: String,
        /// The SVG.
        svg: String,
        /// Name of its file among `plots/*.svg`.
        file: String,
    },
    /// What is shown only when it is asked for.
    Details {
        /// Name for links to it.
        id: String,
        /// What it is; foreign text.
        summary: String,
        /// What it says.
        blocks: Vec<Self>,
    },
}

/// A number at a glance.
#[derive(Debug, Clone)]
pub struct Card {
    /// What it is.
    pub label: &'static str,
    /// The number.
    pub value: String,
    /// How sure, or out of what.
    pub note: String,
}

impl Block {
    /// A table of which Markdown shows twenty rows.
    pub fn table(caption: impl Into<String>, grid: Grid) -> Self {
        Self::Table { caption: caption.into(), grid, shown: 20 }
    }

    /// A picture, where there is one.
    pub fn picture(
        caption: impl Into<String>,
        file: impl Into<String>,
        svg: String,
    ) -> Option<Self> {
        let (caption, file) = (caption.into(), file.into());
        (!svg.is_empty()).then_some(Self::Picture { caption, svg, file })
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Cards(cards) => cards.is_empty(),
            Self::Lines(lines) => lines.is_empty(),
            Self::Table { grid, .. } => grid.is_empty(),
            Self::Picture { svg, .. } => svg.is_empty(),
            Self::Details { blocks, .. } => blocks.iter().all(Self::is_empty),
        }
    }
}

impl Document {
    /// One HTML file.
    pub fn to_html(&self) -> String {
        html::render(self)
    }

    /// Markdown, without pictures.
    pub fn to_markdown(&self) -> String {
        markdown::render(self)
    }

    /// Every table as CSV, under a comment with its caption.
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        for section in &self.sections {
            for block in &section.blocks {
                if let Block::Table { caption, grid, .. } = block
                    && !grid.is_empty()
                {
                    let title = format!("{}: {caption}", section.title);
                    let gap = if text.is_empty() { "" } else { "\n" };
                    text.push_str(&format!(
                        "{gap}# {}\n{}",
                        crate::escape::sentence(&title),
                        grid.to_csv()
                    ));
                }
            }
        }
        text
    }

    /// The pictures of the sections with the names of their files; not those in details.
    pub fn pictures(&self) -> impl Iterator<Item = (&str, &str)> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        blocks.filter_map(|block| match block {
            Block::Picture { svg, file, .. } => Some((file.as_str(), svg.as_str())),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
