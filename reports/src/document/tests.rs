use super::*;
use crate::grid::{GridCell, GridColumn};

const HOSTILE: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "=cmd|'/C calc'!A0",
    "]|`*_<b>",
];

fn document() -> Document {
    let mut grid =
        Grid::new(&[GridColumn::words("name", "name"), GridColumn::figures("cost", "cost_usd")]);
    for name in HOSTILE {
        grid.push(vec![GridCell::text(name), GridCell::figure(1.5, "$1.50")]);
        let link = GridCell::Link { text: name.to_owned(), to: name.to_owned() };
        grid.push(vec![link, GridCell::Share(0.5)]);
    }
    grid.push(vec![GridCell::text("x".repeat(10_000)), GridCell::Missing]);
    let lines = Block::Lines(HOSTILE.map(str::to_owned).to_vec());
    let cards = vec![Card { label: "cost", value: "$1".to_owned(), note: HOSTILE[0].to_owned() }];
    Document {
        title: HOSTILE[0].to_owned(),
        subtitle: HOSTILE[1].to_owned(),
        sections: vec![
            Section { id: "empty", title: "Empty", blocks: vec![Block::Lines(Vec::new())] },
            Section {
                id: "one",
                title: "One",
                blocks: vec![
                    Block::Cards(cards),
                    Block::table(HOSTILE[0], grid),
                    Block::Details {
                        id: HOSTILE[1].to_owned(),
                        summary: HOSTILE[0].to_owned(),
                        blocks: vec![lines],
                    },
                ],
            },
        ],
    }
}

#[test]
fn hostile_names_are_text_in_html() {
    let html = document().to_html();
    assert_eq!(html.matches("<script>").count(), 1, "only our own");
    assert_eq!(html.matches("</script>").count(), 1);
    assert!(!html.contains("<img") && !html.contains("<b>"), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!html.contains("Empty"), "a section of nothing is not shown");
    assert!(html.len() < 30_000, "long names are cut: {}", html.len());
    // What a quoted attribute holds cannot end it.
    assert!(!html.contains("href=\"#\">"), "{html}");
}

#[test]
fn markdown_and_csv_are_safe_too() {
    let markdown = document().to_markdown();
    assert!(!markdown.contains("<script>") && !markdown.contains("<img"), "{markdown}");
    assert!(markdown.contains("\\]\\|\\`\\*\\_&lt;b&gt;"), "{markdown}");
    let csv = document().to_csv();
    assert!(csv.starts_with("# One: "), "{csv}");
    assert!(csv.contains("'=cmd|"), "{csv}");
}
