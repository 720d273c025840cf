"""Submits an emitted scenario with a real Spark to a stub API server; checks the pods' descriptions.

Arguments: the folder of `seatrial emit`, and what our own reader understands (JSON: of
the driver what its pod asks for and selects; the settings). Prints what it checked.

The server is on loopback and answers as an API server does: what is posted comes back with a uid
and a version. Nothing is scheduled and no container starts: the driver pod is the end of it.
"""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import pyspark
import yaml

FOLDER, OURS = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
POSTED = []


class ApiServer(http.server.BaseHTTPRequestHandler):
    """Takes what a submission posts, lists nothing, and watches nothing."""

    protocol_version = "HTTP/1.1"

    def body(self):
        length = int(self.headers.get("Content-Length") or 0)
        return json.loads(self.rfile.read(length) or b"{}")

    def answer(self, value, status=200):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def kept(self, thing):
        metadata = thing.setdefault("metadata", {})
        metadata["uid"] = f"uid-{len(POSTED)}"
        metadata["resourceVersion"] = str(len(POSTED) + 1)
        metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
        return thing

    def do_POST(self):
        thing = self.body()
        POSTED.append((self.path, json.loads(json.dumps(thing))))
        self.answer(self.kept(thing), 201)

    def do_PUT(self):
        self.do_POST()

    def do_PATCH(self):
        thing = self.body()
        POSTED.append((self.path, thing))
        self.answer(self.kept(thing if isinstance(thing, dict) else {}))

    def do_DELETE(self):
        self.answer({"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def do_GET(self):
        path = self.path.split("?")[0].rstrip("/")
        posted = [thing for _, thing in POSTED if isinstance(thing, dict)]
        found = [t for t in posted if path.endswith("/" + t.get("metadata", {}).get("name", "?"))]
        if "watch=true" in self.path:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif found:
            self.answer(self.kept(found[-1]))
        elif path.count("/") <= 2 or path.split("/")[-1] in ("pods", "configmaps", "services"):
            self.answer({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []})
        else:
            status = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}
            self.answer(status, 404)

    def log_message(self, *_):
        pass


def submit(port, home, application):
    """Runs spark-submit of the package; gives what it says. Templates are named from the folder."""
    command = [
        str(pathlib.Path(pyspark.__file__).parent / "bin/spark-submit"),
        "--master", f"k8s://http://127.0.0.1:{port}",
        "--deploy-mode", "cluster",
        "--name", "accepted",
        "--properties-file", str(FOLDER / "spark-defaults.conf"),
        "--conf", "spark.kubernetes.submission.waitAppCompletion=false",
        "--conf", "spark.kubernetes.authenticate.driver.serviceAccountName=spark",
        "--conf", f"spark.local.dir={home}",
        # What no emitted file can know.
        "--conf", "spark.kubernetes.container.image=registry.example/spark:test",
        "--conf", "spark.kubernetes.driverEnv.SEATRIAL_TEST=accepted",
    ] + application
    keep = ("PATH", "JAVA_HOME", "LANG")
    environment = {key: os.environ[key] for key in keep if key in os.environ}
    environment |= {"HOME": str(home), "SPARK_CONF_DIR": str(home), "KUBECONFIG": str(home / "none")}
    environment |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    # A short life: no optimising compiler, no collector in parallel.
    environment["SPARK_SUBMIT_OPTS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    done = subprocess.run(
        command, cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=240
    )
    if done.returncode != 0:
        sys.exit(f"spark-submit ended with {done.returncode}:\n{done.stderr[-6000:]}")
    return done.stderr


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: Spark posted {found!r}, our reader expects {expected!r}")
    print(what)


def holds(what, found, expected):
    """Everything expected is there; Spark adds its own."""
    found = found or {}
    missing = {key: value for key, value in expected.items() if found.get(key) != value}
    if missing:
        sys.exit(f"{what}: Spark posted {found!r}, which lacks {missing!r}")
    print(what)


def mib(quantity):
    units = {"Mi": 1, "Gi": 1024}
    return int(quantity[:-2]) * units[quantity[-2:]]


def milli(quantity):
    quantity = str(quantity)
    return int(quantity[:-1]) if quantity.endswith("m") else int(float(quantity) * 1000)


def driver():
    pods = [(path, thing) for path, thing in POSTED if thing.get("kind") == "Pod"]
    if len(pods) != 1:
        sys.exit(f"{len(pods)} pods were posted, not one driver: {[p for p, _ in POSTED]}")
    path, pod = pods[0]
    same("namespace", path.split("?")[0], f"/api/v1/namespaces/{OURS['driver']['namespace']}/pods")
    return pod


def check(pod, memory):
    expected = OURS["driver"]
    spec, metadata = pod["spec"], pod["metadata"]
    same("role label", metadata["labels"]["spark-role"], "driver")
    holds("labels", metadata.get("labels"), expected["labels"])
    holds("annotations", metadata.get("annotations"), expected["annotations"])
    holds("nodeSelector", spec.get("nodeSelector"), expected["node_selector"])
    template = yaml.safe_load((FOLDER / "driver-pod-template.yaml").read_text())
    emitted = template.get("spec", {})
    same("tolerations", spec.get("tolerations", []), emitted.get("tolerations", []))
    same("affinity", spec.get("affinity", {}), emitted.get("affinity", {}))
    spread = "topologySpreadConstraints"
    same("topology spread", spec.get(spread, []), emitted.get(spread, []))
    same("priority class", spec.get("priorityClassName"), emitted.get("priorityClassName"))
    grace = "terminationGracePeriodSeconds"
    if grace in emitted:
        same("grace period", spec.get(grace), emitted[grace])
    same("scheduler", spec.get("schedulerName"), expected["scheduler_name"])
    container = next(c for c in spec["containers"] if "spark" in c["name"])
    resources = container["resources"]
    same("cpu request", milli(resources["requests"]["cpu"]), expected["cpu_milli"])
    same("memory request", mib(resources["requests"]["memory"]), expected[memory])
    same("memory limit", mib(resources["limits"]["memory"]), expected[memory])
    environment = {one["name"]: one.get("value") for one in container["env"]}
    same("environment", environment.get("SEATRIAL_TEST"), "accepted")
    others = {c["name"] for c in emitted.get("containers", [])[1:]}
    same("sidecars", others <= {c["name"] for c in spec["containers"]}, True)


def executor_template():
    """The executors' template goes to the driver in a ConfigMap, as it is."""
    maps = [thing for _, thing in POSTED if thing.get("kind") in ("ConfigMap", "List")]
    maps += [item for thing in maps for item in thing.get("items", [])]
    texts = [text for one in maps for text in (one.get("data") or {}).values()]
    emitted = (FOLDER / "executor-pod-template.yaml").read_text()
    parsed = yaml.safe_load(emitted)
    found = [text for text in texts if "kind" in text and "Pod" in text]
    if not any(yaml.safe_load(text) == parsed for text in found):
        sys.exit(f"the executors' template is in no ConfigMap of {len(maps)}: {found}")
    print("executor template")
    properties = "\n".join(text for text in texts if "spark.executor.memory" in text)
    for key in ("spark.executor.memory", "spark.executor.cores"):
        if key in OURS["settings"]:
            line = f"{key}={OURS['settings'][key]}"
            same(key, line in properties, True)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ApiServer)
threading.Thread(target=server.serve_forever, daemon=True).start()
APPLICATIONS = {
    "memory_mib": ["--class", "example.Main", "local:///opt/spark/examples/x.jar"],
    "memory_mib_python": ["local:///opt/spark/examples/x.py"],
}
for memory, application in APPLICATIONS.items():
    POSTED.clear()
    with tempfile.TemporaryDirectory() as home:
        stderr = submit(server.server_address[1], pathlib.Path(home), application)
    # What Spark thinks of the settings that were emitted.
    for line in stderr.splitlines():
        if "deprecated" in line or "WARN SparkConf" in line:
            sys.exit(f"Spark warns: {line}")
    check(driver(), memory)
    executor_template()
server.shutdown()
print(f"pyspark {pyspark.__version__}")
