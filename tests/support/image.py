"""Plays a Dockerfile without Docker: its commands on this machine, its user, its read-only root.

Not a container: the machine's own Python and libraries stand in for the base image's.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_INSTRUCTION = re.compile(r"^(?P<name>[A-Z]+)\s+(?P<rest>.*)$", re.DOTALL)


@dataclass(slots=True)
class Image:
    """What the instructions have made."""

    #: Where the image's folders stand here.
    folders: Mapping[str, Path]
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "0"
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)

    def here(self, text: str) -> str:
        """A text of the Dockerfile with the image's folders as they stand here."""
        for folder, path in self.folders.items():
            text = re.sub(rf"(?<![\w/.]){folder}\b", str(path), text)
        return text


def play_dockerfile(folder: Path) -> Image:
    """Build as `docker/Dockerfile` says, into `folder`."""
    builder = folder / "builder"
    _make_python(builder)
    image = Image({name: folder / name.strip("/") for name in ("/opt", "/src", "/wheels")})
    for path in image.folders.values():
        path.mkdir()
    # `pip` and `python` of the build are those of a Python that has nothing else.
    paths = {"PATH": f"{builder}/bin:{os.environ['PATH']}"}
    for name, rest in _instructions((_ROOT / "docker/Dockerfile").read_text()):
        match name:
            case "COPY" if not rest.startswith("--from"):
                _copy(shlex.split(rest), image.folders["/src"])
            case "RUN" if "useradd" not in rest:
                subprocess.run(
                    [shutil.which("bash") or "sh", "-euc", image.here(rest)],
                    cwd=image.folders["/src"], env=os.environ | paths, check=True,
                    capture_output=True,
                )  # fmt: skip
            case "ENV":
                pairs = (pair.partition("=") for pair in shlex.split(rest))
                image.environment |= {key: image.here(value) for key, _, value in pairs}
            case "USER":
                image.user = rest.partition(":")[0]
            case "WORKDIR":
                image.workdir = rest
            case "ENTRYPOINT":
                image.entrypoint = eval(rest)  # noqa: S307 - our own Dockerfile's JSON
            case "HEALTHCHECK":
                image.healthcheck = eval(rest.partition("CMD ")[2])  # noqa: S307
            case _:
                pass
    return image


def _make_python(folder: Path) -> None:
    """A Python that has pip and nothing else: a copy of ours, for to install one takes seconds."""
    venv.create(folder)
    (theirs,) = folder.glob("lib/python*/site-packages")
    for ours in Path(sysconfig.get_path("purelib")).glob("pip*"):
        if ours.name == "pip" or ours.match("pip-*.dist-info"):
            shutil.copytree(ours, theirs / ours.name)
    program = folder / "bin" / "pip"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(f"{folder}/bin/python")} -m pip "$@"\n')
    program.chmod(0o755)


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    joined = re.sub(r"\\\n", " ", "\n".join(_without_comments(text)))
    for line in joined.splitlines():
        found = _INSTRUCTION.match(line.strip())
        if found:
            yield found["name"], found["rest"].strip()


def _without_comments(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if not line.lstrip().startswith("#"))


def _copy(words: Sequence[str], target: Path) -> None:
    *sources, to = words
    for source in map(_ROOT.joinpath, sources):
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, target / to, ignore=ignore)
        else:
            shutil.copy(source, target)


def confined(image: Image, command: Sequence[str], *, processes: int = 128) -> list[str]:
    """The command line that runs a command as the composition does.

    As the image's user, with a root that cannot be written and a fresh /mnt for its /tmp, without
    a way to more rights, and with that many processes and threads of the user. Needs root, for
    that is who may make a user less than root.
    """
    inside = shlex.join(
        ["prlimit", f"--nproc={processes}", "setpriv", "--reuid", image.user, "--regid", image.user,
         "--clear-groups", "--no-new-privs", "--bounding-set=-all", "env", "TMPDIR=/mnt", *command]
    )  # fmt: skip
    script = " && ".join(
        [
            *_way_to_python(),
            "mount -o remount,bind,ro /",
            "mount -t tmpfs -o mode=1777 tmpfs /mnt",
            f"cd {shlex.quote(image.workdir)}",
            f"exec {inside}",
        ]
    )
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]


def _way_to_python() -> list[str]:
    """Let nobody pass to a Python that stands in somebody's closed home, and see nothing else."""
    python = Path(sys.base_prefix).resolve()
    closed = [path for path in python.parents if not path.stat().st_mode & 0o001]
    if not closed:
        return []
    home = closed[-1]
    kept = shlex.quote(f"/mnt/{python.relative_to(home)}")
    return [
        f"mount --bind {home} /mnt",
        f"mount -t tmpfs -o mode=755 tmpfs {home}",
        f"mkdir -p {python}",
        f"mount --bind {kept} {python}",
        "umount /mnt",
    ]


def can_confine() -> bool:
    """Whether this machine lets us."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("setpriv") is None:
        return False
    try:
        command = ["unshare", "--mount", "sh", "-c", "mount -o remount,bind,ro /"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def programs_of(image: Image) -> str:
    """The PATH of the image, and after it this machine's."""
    return image.environment["PATH"].replace("$PATH", os.environ["PATH"])
