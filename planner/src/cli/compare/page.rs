//! A comparison as a document: side by side, for a browser and for a pull request.

use reports::document::{Block, Card, Document, Section};

use super::{Compared, SIDES, Side, tables};
use crate::cli::metrics::{SHOWN, differences, interval, shown};
use crate::compare::Outcomes;

pub(in crate::cli) fn document(compared: &Compared) -> Document {
    let (base, candidates) = (&compared.outcomes[0], &compared.outcomes[1..]);
    let names: Vec<&str> = candidates.iter().map(|candidate| candidate.name.as_str()).collect();
    let mut sections = vec![Section {
        id: "answer",
        title: "The answer",
        blocks: vec![Block::Cards(cards(base, candidates)), Block::Lines(lines(compared))],
    }];
    let grid = differences(SIDES, base, candidates, compared.error);
    let caption = "Paired differences: the same runs, draws and spot weather on both sides";
    sections.push(Section {
        id: "differences",
        title: "Side by side",
        blocks: vec![Block::Table { caption: caption.to_owned(), grid, shown: 100 }],
    });
    let mut blocks = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        blocks.extend(why(compared, base, candidate, place));
    }
    sections.push(Section { id: "why", title: "Where the difference comes from", blocks });
    Document {
        title: format!("{} against {}", names.join(", "), base.name),
        subtitle: compared.stopped.said(),
        sections,
    }
}

fn cards(base: &Outcomes, candidates: &[Outcomes]) -> Vec<Card> {
    let mut cards = Vec::new();
    for candidate in candidates {
        for (title, path, unit) in [SHOWN[0], SHOWN[5], SHOWN[9]] {
            let found = candidate.against(base, path);
            let interval = match found.difference {
                Some(_) => format!("{} (95 %)", interval(&found, unit)),
                None => String::new(),
            };
            let of = if candidates.len() > 1 { &candidate.name } else { "" };
            let change = found.relative();
            let change = change.map_or(String::new(), |s| format!("{:+.1} %; ", s * 100.0));
            cards.push(Card {
                label: title,
                value: shown(found.absolute(), unit, true),
                note: format!("{change}{interval} {of}").trim().to_owned(),
            });
        }
    }
    cards
}

fn lines(compared: &Compared) -> Vec<String> {
    let mut lines = vec![format!("The comparison is {}.", compared.stopped.said())];
    if let Some(error) = compared.error {
        lines.push(format!(
            "Predictions were off by {:.1} % on average where they could be checked; smaller \
             differences are called so.",
            error * 100.0
        ));
    }
    for gate in &compared.gates {
        lines.push(match compared.failed.iter().find(|said| said.contains(&gate.text)) {
            Some(said) => format!("Gate: {said}"),
            None => format!("Gate: `{}` does not hold.", gate.text),
        });
    }
    lines
}

fn why(compared: &Compared, base: &Outcomes, candidate: &Outcomes, place: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    let parts = compared.attributed.get(place).map_or(&[][..], Vec::as_slice);
    if parts.len() > 1 {
        let svg = tables::cost_steps(base, candidate, parts);
        let caption = format!("Cost of {}, one change at a time", candidate.name);
        blocks.extend(Block::picture(caption, format!("why-{place}"), svg));
        let caption = "Each change alone; what they do not add up to they do together";
        let grid = tables::attribution(base, candidate, parts);
        blocks.push(Block::Table { caption: caption.to_owned(), grid, shown: 100 });
    }
    let side: Option<&Side> = compared.sides.get(place + 1);
    if let Some(side) = side {
        let caption = format!("Settings in which {} differs", side.name);
        let grid = tables::settings(&compared.settings[place]);
        blocks.push(Block::Table { caption, grid, shown: 40 });
    }
    blocks
}
