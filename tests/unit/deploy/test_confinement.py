"""Units and manifests give a process what it needs, and no more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MANIFESTS: list[dict[str, Any]] = [
    document
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
]
DEPLOYMENTS = [each for each in MANIFESTS if each["kind"] == "Deployment"]
POLICIES = [each for each in MANIFESTS if each["kind"] == "NetworkPolicy"]

_CONFINED = [
    "NoNewPrivileges=true", "ProtectSystem=strict", "ProtectHome=true", "PrivateTmp=true",
    "PrivateDevices=true", "ProtectKernelTunables=true", "ProtectKernelModules=true",
    "ProtectControlGroups=true", "RestrictNamespaces=true", "LockPersonality=true",
    "CapabilityBoundingSet=", "SystemCallArchitectures=native", "SystemCallFilter=@system-service",
    "UMask=0077",
]  # fmt: skip


def name_of(manifest: dict[str, Any]) -> str:
    """What a manifest is called."""
    return str(manifest["metadata"]["name"])


def pod_of(deployment: dict[str, Any]) -> dict[str, Any]:
    """The pod that a deployment makes."""
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


def secrets_of(deployment: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The secrets whose files it can read: the name of each, and its key."""
    for volume in pod_of(deployment)["volumes"]:
        if "secret" in volume:
            for item in volume["secret"]["items"]:
                yield volume["secret"]["secretName"], item["key"]


def called(name: str) -> dict[str, Any]:
    """The deployment of that name."""
    (found,) = [each for each in DEPLOYMENTS if name_of(each) == name]
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_confined(unit: Path) -> None:
    """No more than another: what one may not, the others need not."""
    lines = unit.read_text().splitlines()

    assert [line for line in _CONFINED if line not in lines] == []


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_a_pod_is_confined(deployment: dict[str, Any]) -> None:
    """As the restricted standard for pods has it, and with a root that stays as it is."""
    pod = pod_of(deployment)

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_a_pod_cannot_speak_to_the_api_of_kubernetes(deployment: dict[str, Any]) -> None:
    """It never does: a token of it would serve only who has broken in."""
    assert pod_of(deployment)["automountServiceAccountToken"] is False


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_a_pod_reads_the_secrets_that_it_names_and_no_others(deployment: dict[str, Any]) -> None:
    """Each file by its key; readable for its group alone, which is the process's."""
    pod = pod_of(deployment)
    (container,) = pod["containers"]
    (where,) = [each for each in container["volumeMounts"] if each["name"] == "secrets"]
    named = {each["value"] for each in container["env"] if each["name"].endswith("_FILE")}
    (volume,) = [each for each in pod["volumes"] if each["name"] == "secrets"]
    given = {f"{where['mountPath']}/{item['path']}" for item in volume["secret"]["items"]}

    assert given == named
    assert volume["secret"]["defaultMode"] & 0o077 == 0o040
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]


def test_the_watch_has_a_login_of_its_own() -> None:
    """With the rights of its role: it reads. A stolen one of it delivers and commits nothing."""
    watch, worker = called("pop-stream-watch"), called("pop-stream-worker")
    maps = {name_of(each): each["data"] for each in MANIFESTS if each["kind"] == "ConfigMap"}

    def settings(deployment: dict[str, Any]) -> dict[str, str]:
        (container,) = pod_of(deployment)["containers"]
        found: dict[str, str] = {}
        for each in container["envFrom"]:
            found |= maps[each["configMapRef"]["name"]]
        return found | {each["name"]: each["value"] for each in container["env"]}

    user = "POP_STREAM_KAFKA_SASL_USERNAME"
    assert settings(watch)[user] == "watch"
    assert settings(worker)[user] == "forwarder"
    assert set(secrets_of(watch)).isdisjoint(secrets_of(worker))
    assert [name for name in settings(watch) if "GSTV" in name] == []


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_a_pod_has_a_policy_for_what_comes_and_what_goes(deployment: dict[str, Any]) -> None:
    """In comes who monitors, at the port of metrics; out goes what is named."""
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    (policy,) = [
        each
        for each in POLICIES
        if each["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    ]
    spec = policy["spec"]
    (container,) = pod_of(deployment)["containers"]
    (port,) = [each["containerPort"] for each in container["ports"]]
    (entry,) = spec["ingress"]

    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert entry["ports"] == [{"protocol": "TCP", "port": port}]
    assert [list(each) for each in entry["from"]] == [["namespaceSelector"]]
    assert all(each["ports"] for each in spec["egress"])


def test_only_the_workers_reach_beyond_the_cluster() -> None:
    """The watch speaks to Kafka and to no GSTV."""
    beyond = {
        name_of(policy)
        for policy in POLICIES
        for way in policy["spec"]["egress"]
        if {"protocol": "TCP", "port": 443} in way["ports"]
    }

    assert beyond == {"pop-stream-worker"}
