"""The units and manifests, as far as they can be judged without what they are for."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pop_stream.settings import SETTINGS, Settings

DEPLOY = Path(__file__).parents[3] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MANIFESTS: list[dict[str, Any]] = [
    document
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
]
VARIABLES = {s.variable for s in SETTINGS.values()} | {
    f"{s.variable}_FILE" for s in SETTINGS.values() if s.secret
}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_one(unit: Path, tmp_path: Path) -> None:
    """As systemd itself reads it; the program stands elsewhere on this machine."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    text = unit.read_text().replace("/opt/pop-stream/bin/pop-stream", "/bin/true")
    copy = tmp_path / unit.name
    copy.write_text(text)
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],  # noqa: S607
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert told.returncode == 0, told.stderr
    assert unit.name not in told.stderr, told.stderr


def test_a_worker_has_the_time_to_drain() -> None:
    """Whoever tells it to end must not kill it before."""
    drain = Settings().drain_seconds
    unit = (DEPLOY / "systemd/pop-stream-worker@.service").read_text()
    stop = int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0])
    (worker,) = [m for m in MANIFESTS if m["metadata"]["name"] == "pop-stream-worker"
                 and m["kind"] == "Deployment"]  # fmt: skip

    assert stop >= drain + 5
    assert worker["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= drain + 5


@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=lambda one: f"{one['kind']} {one['metadata']['name']}"
)
def test_a_manifest_is_one(manifest: dict[str, Any]) -> None:
    """As the Kubernetes API would take it; what is not its own (KEDA) is left."""
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    if "keda" in manifest["apiVersion"]:
        assert manifest["spec"]["triggers"][0]["type"] == "prometheus"
        return
    kubernetes_validate.validate(manifest, "1.33", strict=True)


def test_every_setting_that_is_named_is_one() -> None:
    """In maps, in variables, in units."""
    texts = [path.read_text() for path in (*UNITS, *(DEPLOY / "kubernetes").glob("*.yaml"))]
    named = set(re.findall(r"\bPOP_STREAM_[A-Z_]+\b", "\n".join(texts)))

    assert named - {"POP_STREAM_"} <= VARIABLES | {"POP_STREAM_DRAIN_SECONDS"}
