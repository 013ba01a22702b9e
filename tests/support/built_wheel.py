"""Builds the wheel from a copy of the sources, and installs it as whoever has nothing else."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from release.graph import closure, read_project
from release.pins import LOCKS, ROOT, read_pins, requirement_lines

#: What a checkout has at least: all that is built from, and some that must be left out.
_SOURCES = (
    ".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "pop_stream", "release",
    "tests/unit/packaging",
)  # fmt: skip
_WHAT_OTHERS_MAKE = shutil.ignore_patterns("__pycache__", "*.pyc")


def copy_of_the_sources(folder: Path) -> Path:
    """A checkout that nobody has worked in."""
    for name in _SOURCES:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=_WHAT_OTHERS_MAKE)
        else:
            shutil.copy(source, target)
    return folder


def build(
    sources: Path, target: Path, *kinds: str, umask: int = -1, environ: Mapping[str, str] = {}
) -> list[Path]:
    """Build those (`wheel`, `sdist`) into a folder, as `make wheel` does, without its checks."""
    flags = [word for kind in kinds for word in ("--target", kind)]
    without = {"SOURCE_DATE_EPOCH", "PYTHONPATH"}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", *flags, "--directory", str(target)],
        cwd=sources,
        env={name: value for name, value in os.environ.items() if name not in without} | environ,
        umask=umask,
        check=True,
        capture_output=True,
    )
    return sorted(target.iterdir())


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python with the wheel and its lock, and a home with nothing in it."""

    folder: Path
    home: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def run(self, *command: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run one of its programs in the home, with no variable but what every shell has."""
        program, *arguments = command
        home = str(self.home)
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=self.home,
            env={"HOME": home, "TMPDIR": home, "PATH": os.defpath, "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def install(wheel: Path, folder: Path, extras: Sequence[str] = ()) -> Environment:
    """Install a wheel beside what the lock has for it and for these extras, and nothing else.

    Raises RuntimeError when that cannot be had: what is not in uv's cache is fetched.
    """
    environment = Environment(folder / "venv", folder / "home")
    environment.home.mkdir(parents=True)
    project = read_project()
    asked = [*project.base, *(each for extra in extras for each in project.extras[extra])]
    lock = folder / "requirements.lock"
    lock.write_text(_part_of_the_lock(asked))
    into = ["--python", str(environment.python)]
    _uv("venv", "--python", sys.executable, str(environment.folder))
    hashed = ["--require-hashes", "--only-binary", ":all:"]
    _uv("pip", "install", *into, *hashed, "--requirement", str(lock))
    _uv("pip", "install", *into, "--no-deps", "--no-index", str(wheel))
    # All that the wheel asks for is there, in versions that fit.
    _uv("pip", "check", *into)
    return environment


def _part_of_the_lock(asked: Iterable[str]) -> str:
    needed = closure(asked)
    return "\n".join(requirement_lines(pin) for pin in read_pins(LOCKS[0]) if pin.name in needed)


def _uv(*words: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run([uv, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"uv {' '.join(words[:2])}: {done.stderr.strip()}")
