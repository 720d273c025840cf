//! A scenario's own NodePools and EC2NodeClasses, as their files had them, with what was changed.
//!
//! Left out is what the API server keeps of an object: status, versions, ids, managed fields.

use serde_json::Value;

/// Keys of an object's metadata that the API server sets.
const OF_SERVER: [&str; 6] =
    ["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object without what the API server keeps of it.
pub fn plain(mut object: Value) -> Value {
    if let Some(all) = object.as_object_mut() {
        all.shift_remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in OF_SERVER {
            metadata.shift_remove(key);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.shift_remove(APPLIED);
        }
    }
    object
}
