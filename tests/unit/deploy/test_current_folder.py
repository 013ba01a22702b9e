"""A `.env` in the current folder is read: nobody may be able to leave one where we start."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
PODS: list[dict[str, Any]] = [
    document["spec"]["template"]["spec"]
    for path in sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
    if document["kind"] == "Deployment"
]


def test_the_image_starts_in_a_folder_that_its_user_cannot_write() -> None:
    """The root, and not /tmp: there a file outlives a restart of the container."""
    text = (ROOT / "docker/Dockerfile").read_text()
    final = text[text.rindex("\nFROM ") :]

    assert re.findall(r"^WORKDIR (.+)$", final, re.MULTILINE) == ["/"]


def test_nothing_starts_the_image_elsewhere() -> None:
    """Neither the composition nor a manifest; and its root stays as it was built."""
    ours = [each for each in COMPOSE["services"].values() if each.get("image") == "pop-stream"]
    containers = [each for pod in PODS for each in pod["containers"]]

    assert ours
    assert containers
    assert [each for each in ours if "working_dir" in each or not each["read_only"]] == []
    assert [each for each in containers if "workingDir" in each] == []
    assert all(each["securityContext"]["readOnlyRootFilesystem"] for each in containers)


def test_a_unit_starts_where_systemd_starts_all() -> None:
    """In the root, which only root can write."""
    units = [path.read_text() for path in (ROOT / "deploy/systemd").glob("*.service")]

    assert len(units) == 3
    assert [text for text in units if "WorkingDirectory" in text] == []
