"""Renews the list of jars: `python -m pop_stream.kafka.jar_relock 4.4.0 > kafka-4.4.0.jars`.

Run by a developer who takes a newer Kafka; never at run time.
"""

import hashlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import Artifact, MavenContext

from pop_stream.kafka.jar_lock import LockedJar

#: Kafka logs through slf4j; without a binding it says nothing. This is the smallest binding.
LOG_BINDING = ("org.slf4j", "slf4j-simple", "1.7.36")

#: In the closure, but never loaded by a broker.
LEFT_OUT = frozenset(
    {
        "scala-reflect",  # only for the macros of scala-logging, at compile time
        "jackson-dataformat-yaml",  # only for the tools of Kafka's Docker image
        "snakeyaml",  # only for the one above
        # Kafka validates host names with commons-validator; these are for its form validation.
        "commons-beanutils",
        "commons-collections",
        "commons-digester",
    }
)


def resolve_lock(version: str) -> tuple[LockedJar, ...]:
    """Resolve Kafka's runtime dependencies from their POMs, download and hash each jar."""
    with tempfile.TemporaryDirectory(prefix="pop-stream-jars-") as folder:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        kafka = context.create_dependency(f"org.apache.kafka:kafka_2.13:{version}")
        inputs, dependencies = context.resolver.resolve([kafka])
        group, artifact, binding_version = LOG_BINDING
        binding = context.project(group, artifact).at_version(binding_version).artifact()
        artifacts = [d.artifact for d in [*inputs, *dependencies] if d.artifactId not in LEFT_OUT]
        with ThreadPoolExecutor(8) as pool:
            jars = list(pool.map(_lock, [*artifacts, binding]))
    return tuple(sorted(jars, key=str))


def _lock(artifact: Artifact) -> LockedJar:
    content = artifact.resolve().read_bytes()
    return LockedJar(
        group=artifact.groupId,
        artifact=artifact.artifactId,
        version=artifact.version,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )


if __name__ == "__main__":
    sys.stdout.writelines(f"{jar}\n" for jar in resolve_lock(sys.argv[1]))
