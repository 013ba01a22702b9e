"""The manifest of an export: what was asked for, what was read, and what each file holds."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from pop_stream.analysis.durable import durable, sha256_of
from pop_stream.analysis.export.formats import FORMATS
from pop_stream.analysis.export.journal import WORK_FOLDER, Joined
from pop_stream.analysis.export.order import Beginning
from pop_stream.errors import UsageError

MANIFEST: Final = "manifest.json"


def manifest_of(beginning: Beginning, files: Sequence[Joined], *, finished: str) -> dict[str, Any]:
    """The manifest as an object of JSON. Times are UTC."""
    return {
        "version": 1,
        "pop_stream": beginning.pop_stream,
        "began": beginning.began,
        "finished": finished,
        "asked": {
            "topics": dict(beginning.topics),
            "selection": list(beginning.told),
            "format": beginning.format,
            "by_day": beginning.by_day,
            "fingerprint": beginning.fingerprint,
        },
        "read": {
            "cluster": beginning.cluster,
            "spans": [
                {"topic": each.topic, "partition": each.partition, "from": each.begin,
                 "to": each.end} for each in beginning.spans
            ],
        },
        "rows": sum(each.rows for each in files),
        "files": [
            {"path": each.path, **({"day": each.day} if each.day else {}), "rows": each.rows,
             "bytes": each.bytes, "sha256": each.sha256} for each in files
        ],
    }  # fmt: skip


def write_manifest(manifest: dict[str, Any], folder: Path) -> None:
    """Write it, whole or not at all. Raises OSError."""
    with durable(folder / MANIFEST) as path:
        path.write_bytes(
            orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder. Raises UsageError when it has none, or none that can be read."""
    path = folder / MANIFEST
    try:
        manifest = orjson.loads(path.read_bytes())
        for each in manifest["files"]:
            _inside(folder, each["path"])
            _ = int(each["rows"]), int(each["bytes"]), str(each["sha256"])
        _ = FORMATS[manifest["asked"]["format"]], manifest["asked"]["fingerprint"]
        _ = [str(topic) for topic in manifest["asked"]["topics"].values()]
    except FileNotFoundError as error:
        hint = " (its export is not finished)" if (folder / WORK_FOLDER).exists() else ""
        raise UsageError(f"{folder}: there is no {MANIFEST}{hint}") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path}: this is no manifest of an export") from error
    return dict(manifest)


def differences(folder: Path, manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the files that are not as the manifest tells, each with what is wrong."""
    told = {each["path"]: each for each in manifest["files"]}
    for name, each in told.items():
        if (wrong := _wrong(folder / name, each)) is not None:
            yield name, wrong
    found = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    for path in found:
        if path.parts[0] != WORK_FOLDER and str(path) not in {*told, MANIFEST}:
            yield str(path), "the manifest does not know it"


def _wrong(path: Path, told: dict[str, Any]) -> str | None:
    try:
        size = path.stat().st_size
        if size != told["bytes"]:
            return f"has {size:,} bytes, not {told['bytes']:,}"
        return None if sha256_of(path) == told["sha256"] else "its bytes have changed"
    except FileNotFoundError:
        return "is not there"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _inside(folder: Path, name: str) -> None:
    # A manifest comes from others: it must not lead to any other file of this machine.
    if not (folder / name).resolve().is_relative_to(folder.resolve()):
        raise ValueError(name)
