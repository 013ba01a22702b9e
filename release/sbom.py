"""What a release is made of, for machines: `python -m release.sbom > pop-stream.cdx.json`.

CycloneDX, made from the locks alone: from the same locks it is the same, byte by byte.
"""

import os
import sys
import uuid
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from pop_stream.kafka.jar_lock import LockedJar, lock_text, read_lock
from release.graph import Project, closure, read_project
from release.pins import LOCKS, Pin, parse_pins

#: Under it the number of a list is made from what the list is of.
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


class OtherEnvironmentError(Exception):
    """What is installed is not what is locked: who needs whom cannot be read from it."""


def bill_of_materials(lock: str, *, when: datetime | None = None) -> str:
    """Write the list of everything in a lock, and of the jars of the embedded Kafka, as JSON.

    Without a time it says none. Raises OtherEnvironmentError when this Python has not the lock's
    packages, and ValueError for what is no lock.
    """
    project = read_project()
    pins = parse_pins(lock)
    _compare_with_installed(pins)
    edges = closure([*_for_use(project), *project.dev])
    scopes = _scopes(project)
    packages = [_package(pin, scopes) for pin in pins]
    whole = _whole(project)
    bom = Bom(
        serial_number=uuid.uuid5(_NAMESPACE, lock + lock_text()),
        components=[*packages, *map(_jar, read_lock())],
        dependencies=[
            _dependency(whole, set(_names(_for_use(project))), packages),
            *(_dependency(each, edges.get(each.name, frozenset()), packages) for each in packages),
        ],
    )
    bom.metadata.component = whole
    # CycloneDX may leave it out, and the library's type does not know that.
    bom.metadata.timestamp = when  # type: ignore[assignment]
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def moment(environ: Mapping[str, str]) -> datetime | None:
    """The time that SOURCE_DATE_EPOCH names; None: it is not set."""
    seconds = environ.get("SOURCE_DATE_EPOCH")
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)


def _for_use(project: Project) -> Iterator[str]:
    yield from project.base
    for asked in project.extras.values():
        yield from asked


def _names(asked: Iterable[str]) -> Iterator[str]:
    return (canonicalize_name(Requirement(text).name) for text in asked)


def _scopes(project: Project) -> dict[str, ComponentScope]:
    """Tell what is always there from what an extra brings; who makes pop-stream brings the rest."""
    optional = dict.fromkeys(closure(_for_use(project)), ComponentScope.OPTIONAL)
    return optional | dict.fromkeys(closure(project.base), ComponentScope.REQUIRED)


def _compare_with_installed(pins: Iterable[Pin]) -> None:
    for pin in filter(Pin.applies, pins):
        try:
            found = version(pin.name)
        except PackageNotFoundError:
            found = None
        # Some write their version in a way of their own: v0.0.21.
        if found is None or Version(found) != Version(pin.version):
            raise OtherEnvironmentError(
                f"{pin.name} {pin.version} is locked, here is {found or 'none'}: run `make setup`"
            )


def _whole(project: Project) -> Component:
    purl = PackageURL("pypi", name=project.name, version=project.version)
    return Component(
        name=project.name,
        version=project.version,
        type=ComponentType.APPLICATION,
        bom_ref=str(purl),
        purl=purl,
        licenses=[DisjunctiveLicense(id="Apache-2.0")],
    )


def _package(pin: Pin, scopes: Mapping[str, ComponentScope]) -> Component:
    purl = PackageURL("pypi", name=pin.name, version=pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        bom_ref=str(purl),
        purl=purl,
        scope=scopes.get(pin.name, ComponentScope.EXCLUDED),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.sha256],
    )


def _jar(jar: LockedJar) -> Component:
    purl = PackageURL("maven", jar.group, jar.artifact, jar.version)
    return Component(
        group=jar.group,
        name=jar.artifact,
        version=jar.version,
        bom_ref=str(purl),
        purl=purl,
        scope=ComponentScope.OPTIONAL,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=jar.sha256)],
    )


def _dependency(of: Component, needed: Container[str], packages: Iterable[Component]) -> Dependency:
    return Dependency(of.bom_ref, [Dependency(p.bom_ref) for p in packages if p.name in needed])


def main() -> int:
    """Write the list to stdout; returns 1 where it cannot be made."""
    try:
        told = bill_of_materials(LOCKS[0].read_text(encoding="utf-8"), when=moment(os.environ))
    except OtherEnvironmentError as error:
        print(error, file=sys.stderr)
        return 1
    sys.stdout.write(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
