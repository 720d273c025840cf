//! Container images by name, interned.

use std::collections::BTreeMap;

use crate::units::Bytes;

/// Place in [`ImageNames`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ImageId(pub(crate) u32);

/// Every image that a container of the simulation names, once.
#[derive(Debug, Default)]
pub(crate) struct ImageNames {
    names: Vec<(String, Bytes)>,
    /// How many nodes report each image.
    nodes: Vec<u32>,
    ids: BTreeMap<String, ImageId>,
}

impl ImageNames {
    /// The id of `name`, under which nodes report `size` bytes.
    ///
    /// A name without a tag or digest means `:latest`. Source: facts-kubernetes 1.2.
    pub(crate) fn intern(&mut self, name: &str, size: Bytes) -> ImageId {
        let name = with_tag(name);
        if let Some(id) = self.ids.get(&name) {
            return *id;
        }
        let id = ImageId(self.names.len() as u32);
        self.names.push((name.clone(), size));
        self.nodes.push(0);
        self.ids.insert(name, id);
        id
    }

    /// A node reports `images` now, which it did not before.
    pub(crate) fn gained(&mut self, images: &[ImageId]) {
        for image in images {
            self.nodes[image.0 as usize] += 1;
        }
    }

    /// A node does not report `images` any more.
    pub(crate) fn lost(&mut self, images: &[ImageId]) {
        for image in images {
            self.nodes[image.0 as usize] -= 1;
        }
    }

    /// How many nodes report the image.
    pub(crate) fn nodes_with(&self, id: ImageId) -> u32 {
        self.nodes[id.0 as usize]
    }

    /// The size that nodes report.
    pub(crate) fn size(&self, id: ImageId) -> Bytes {
        self.names[id.0 as usize].1
    }
}

/// Upstream's `normalizedImageName`: `:latest` where no tag follows the last slash.
fn with_tag(name: &str) -> String {
    let tagged = name.rfind(':').is_some_and(|colon| name.rfind('/').is_none_or(|s| s < colon));
    if tagged { name.to_owned() } else { format!("{name}:latest") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_tag_is_the_latest() {
        let mut names = ImageNames::default();
        let spark = names.intern("registry:5000/spark", Bytes::gib(1));
        assert_eq!(names.names[spark.0 as usize].0, "registry:5000/spark:latest");
        assert_eq!(names.intern("registry:5000/spark:latest", Bytes::ZERO), spark);
        assert_eq!(names.size(spark), Bytes::gib(1));
        assert_ne!(names.intern("registry:5000/spark:3.5", Bytes::gib(1)), spark);
    }
}
