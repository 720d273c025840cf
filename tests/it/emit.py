"""Checks a folder of `seatrial emit` with readers that are not ours; prints what it checked.

Arguments: the folder, the folder of schemas, the files as our own reader understands them (JSON),
and the Kubernetes release.
"""

import functools
import json
import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml

folder, schemas, ours = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
ours = json.loads(pathlib.Path(ours).read_text())
RELEASE = sys.argv[4]


def strict(schema):
    """The same schema without keys that it does not name: the API server would drop those."""
    if isinstance(schema, dict):
        schema = {key: strict(value) for key, value in schema.items()}
        keeps = schema.get("x-kubernetes-preserve-unknown-fields")
        is_object = schema.get("type") == "object" and isinstance(schema.get("properties"), dict)
        if is_object and not keeps:
            schema.setdefault("additionalProperties", False)
        return schema
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    return schema


# Custom resources: the file of the CRD, and the version.
CUSTOM = {
    "SparkApplication": ("sparkoperator.k8s.io_sparkapplications.yaml", "v1beta2"),
    "NodePool": ("karpenter.sh_nodepools.yaml", "v1"),
    "EC2NodeClass": ("karpenter.k8s.aws_ec2nodeclasses.yaml", "v1"),
}


@functools.cache
def schema_of(kind):
    file, name = CUSTOM[kind]
    crd = yaml.safe_load((schemas / file).read_text())
    version = next(v for v in crd["spec"]["versions"] if v["name"] == name)
    schema = strict(version["schema"]["openAPIV3Schema"])
    # The API server's own part, which a CRD does not spell out.
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def custom(document):
    jsonschema.validate(document, schema_of(document["kind"]))


def cluster(document):
    jsonschema.validate(document, json.loads((schemas / "eksctl.schema.json").read_text()))


# Read by programs that have no schema anywhere: our own readers take them back.
NO_SCHEMA = {"KubeSchedulerConfiguration", "RetryLadder", "Scenario", "SparkClasses", None}
checked = []
for path in sorted(folder.glob("*.yaml")):
    documents = [document for document in yaml.safe_load_all(path.read_text())]
    # YAML 1.1 and 1.2 agree about every value.
    if json.dumps(documents, sort_keys=True) != json.dumps(ours[path.name], sort_keys=True):
        sys.exit(f"{path.name}: PyYAML reads {documents}, we {ours[path.name]}")
    for document in documents:
        kind = document.get("kind")
        try:
            if kind in CUSTOM:
                if not schemas.is_dir():
                    continue
                custom(document)
            elif kind == "ClusterConfig":
                if not schemas.is_dir():
                    continue
                cluster(document)
            elif kind not in NO_SCHEMA:
                kubernetes_validate.validate(document, RELEASE, strict=True)
            else:
                continue
        except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
            sys.exit(f"{path.name}: {kind}: {error}")
        checked.append(kind)
print(" ".join(sorted(set(checked))))
