//! The JSON behind EC2's spot price page: one price an instance type and region, regions by their
//! old names. Linux only.

use serde::Deserialize;
use serde_json::Value;
use sim::units::HourlyPrice;

use super::{PRICE_MAX, Reader, RegionPrice, lines};
use crate::TraceError;
use crate::table::shorten;

/// Old names of regions. Source: AWS' spot price page and `spotinfo`, which maps them so.
const REGIONS: [(&str, &str); 7] = [
    ("us-east", "us-east-1"),
    ("us-west", "us-west-1"),
    ("eu-ireland", "eu-west-1"),
    ("apac-sin", "ap-southeast-1"),
    ("apac-syd", "ap-southeast-2"),
    ("apac-tokyo", "ap-northeast-1"),
    ("us-east-1", "us-east-1"),
];

#[derive(Deserialize)]
struct Page {
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    regions: Vec<Region>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    region: String,
    instance_types: Vec<Family>,
}

#[derive(Deserialize)]
struct Family {
    sizes: Vec<Size>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Size {
    size: String,
    value_columns: Vec<Value>,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Vec<RegionPrice>, TraceError> {
    let page: Page = lines::json(reader.path)?;
    let mut prices = Vec::new();
    for region in page.config.regions {
        let known = REGIONS.iter().find(|(old, _)| *old == region.region);
        let name = known.map_or(region.region.as_str(), |(_, name)| *name).to_owned();
        for size in region.instance_types.into_iter().flat_map(|family| family.sizes) {
            reader.row()?;
            let of = |column: &Value| column.get("name").and_then(Value::as_str) == Some("linux");
            let column = size.value_columns.iter().find(|column| of(column));
            let text = column.and_then(|column| column.pointer("/prices/USD")?.as_str());
            let usd = text.and_then(|text| text.parse::<f64>().ok());
            let price = usd.filter(|usd| *usd <= PRICE_MAX).and_then(HourlyPrice::from_usd);
            let Some(price) = price else {
                let (text, size) = (shorten(text.unwrap_or_default()), shorten(&size.size));
                reader.bad("no-price", 0, || format!("{name} {size}: `{text}`; it was dropped"));
                continue;
            };
            reader.counts.kept += 1;
            prices.push(RegionPrice { region: name.clone(), instance_type: size.size, price });
        }
    }
    Ok(prices)
}
