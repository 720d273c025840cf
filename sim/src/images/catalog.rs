//! What images there are, which layers they are made of, and who uses them.

use std::collections::BTreeMap;

use crate::cluster::{ImageId, ImageNames};
use crate::scenario::{Images, PodTemplate, Scenario};
use crate::units::Bytes;

/// Place of a layer in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LayerId(u32);

/// Name of the Spark image where nobody says one.
const SPARK: &str = "spark";

/// Every image of the scenario. Nothing in it changes.
#[derive(Debug, Default)]
pub(crate) struct ImageCatalog {
    layers: Vec<Bytes>,
    images: Vec<Vec<LayerId>>,
    /// Images of a driver's containers, init containers first.
    pub(crate) driver: Vec<ImageId>,
    /// Images of an executor's containers.
    pub(crate) executor: Vec<ImageId>,
    /// What a pre-puller pulls, in order of its names.
    pub(crate) pre_pulled: Vec<ImageId>,
}

impl ImageCatalog {
    /// The images that `scenario` lists and its Spark pods use.
    pub(crate) fn new(scenario: &Scenario, names: &mut ImageNames) -> Self {
        let given = &scenario.images;
        let mut catalog = Self::default();
        let mut known: BTreeMap<&str, LayerId> = BTreeMap::new();
        for image in &given.list {
            let id = names.intern(&image.name, image.size());
            let mut layers = Vec::new();
            for layer in &image.layers {
                let layer_id = known.get(layer.name.as_str()).copied();
                let layer_id = layer_id.unwrap_or_else(|| catalog.add_layer(layer.size));
                known.insert(&layer.name, layer_id);
                if !layers.contains(&layer_id) {
                    layers.push(layer_id);
                }
            }
            catalog.add_image(id, layers);
            if image.pre_pulled && !catalog.pre_pulled.contains(&id) {
                catalog.pre_pulled.push(id);
            }
        }
        let spark = &scenario.spark;
        catalog.driver = catalog.of_pod(&spark.driver_template, given, names);
        catalog.executor = catalog.of_pod(&spark.executor_template, given, names);
        catalog
    }

    /// The layers of `image`; none if it takes no time.
    pub(crate) fn layers(&self, image: ImageId) -> &[LayerId] {
        self.images.get(image.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The compressed size of a layer.
    pub(crate) fn layer_size(&self, layer: LayerId) -> Bytes {
        self.layers[layer.0 as usize]
    }

    /// One entry per container that names an image; the one that Spark fills in always does.
    fn of_pod(
        &mut self,
        template: &PodTemplate,
        given: &Images,
        names: &mut ImageNames,
    ) -> Vec<ImageId> {
        let mut of_pod = Vec::new();
        let named = |image: &Option<String>, names: &mut ImageNames| {
            image.as_deref().map(|image| names.intern(image, Bytes::ZERO))
        };
        for container in &template.init_containers {
            of_pod.extend(named(&container.image, names));
        }
        let spark = template.main.image.as_deref().unwrap_or(SPARK);
        let spark = names.intern(spark, given.size);
        if self.layers(spark).is_empty() {
            let layer = self.add_layer(given.size);
            self.add_image(spark, vec![layer]);
            if given.pre_pulled {
                self.pre_pulled.push(spark);
            }
        }
        of_pod.push(spark);
        for container in &template.containers {
            of_pod.extend(named(&container.image, names));
        }
        of_pod
    }

    fn add_layer(&mut self, size: Bytes) -> LayerId {
        self.layers.push(size);
        LayerId(self.layers.len() as u32 - 1)
    }

    fn add_image(&mut self, id: ImageId, layers: Vec<LayerId>) {
        let place = id.0 as usize;
        if self.images.len() <= place {
            self.images.resize_with(place + 1, Vec::new);
        }
        self.images[place] = layers;
    }
}
