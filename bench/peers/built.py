"""What `make peers` has built of the peers: where it is, what is missing, which versions."""

import shutil
import subprocess
from importlib.metadata import distributions
from pathlib import Path

_FOLDER = Path(__file__).parent
ROOT = _FOLDER.parent.parent
VENV = ROOT / ".venv-peers"
JAVA_TARGET = _FOLDER / "parallel_consumer" / "target"
#: `make` writes it last.
_READY = ".ready"

#: Those that the peers share with pop-stream are of the same versions: the lock sees to that.
_PACKAGES = ("confluent-kafka", "faststream", "quixstreams", "requests")
_JARS = ("parallel-consumer-vertx", "vertx-core", "kafka-clients")


def python_missing(venv: Path = VENV) -> str | None:
    """Why peers in Python cannot be run here; None: they can."""
    return None if (venv / _READY).exists() else "`make peers` has not been run"


def java_missing(target: Path = JAVA_TARGET) -> str | None:
    """Why the peer in Java cannot be run here; None: it can."""
    if shutil.which("java") is None:
        return "there is no Java"
    if not (target / _READY).exists():
        return "`make peers` has not built it: it needs javac 17 and mvn"
    return None


def versions(venv: Path = VENV, java_target: Path = JAVA_TARGET) -> dict[str, str]:
    """The versions of what the peers are made of, as far as they can be run here."""
    found: dict[str, str] = {}
    if python_missing(venv) is None:
        packages = map(str, venv.glob("lib/python*/site-packages"))
        installed = {each.name: each.version for each in distributions(path=list(packages))}
        found |= {name: installed[name] for name in _PACKAGES}
    if java_missing(java_target) is None:
        found["java"] = _java_version()
        for name in _JARS:
            (jar,) = (java_target / "lib").glob(f"{name}-[0-9]*.jar")
            found[name] = jar.stem.removeprefix(f"{name}-")
    return found


def _java_version() -> str:
    java = shutil.which("java") or "java"
    said = subprocess.run([java, "-version"], capture_output=True, check=True, text=True).stderr
    # openjdk version "17.0.15" 2025-04-15
    return said.split('"')[1]
