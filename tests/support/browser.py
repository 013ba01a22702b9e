"""A real browser without a screen: how a page looks in it, and what it has made of it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.png import Picture, read_png

#: By which names Chromium is found.
NAMES = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the browser shows, what it has made of the HTML, and what it complained of."""

    picture: Picture
    html: str
    complaints: list[str]


def browser() -> str | None:
    """Where Chromium is; None: it is not on this machine."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def seen(
    browser: str, address: str, folder: Path, *, width: int, height: int, dark: bool = False
) -> Seen:
    """Look at a page. `folder` is for the browser's own files.

    Raises CalledProcessError, and TimeoutExpired after a minute.
    """
    picture = folder / "seen.png"
    ran = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--no-first-run", "--disable-background-networking", "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            f"--screenshot={picture}", "--dump-dom", address,
        ],
        capture_output=True, text=True, timeout=_SECONDS, check=True,
    )  # fmt: skip
    complaints = [line for line in ran.stderr.splitlines() if ":CONSOLE" in line]
    return Seen(read_png(picture.read_bytes()), ran.stdout, complaints)
