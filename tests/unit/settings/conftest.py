"""What the tests of rules share."""

from pathlib import Path

import pytest

from tests.unit.settings.certificates import Pem


@pytest.fixture
def pem(tmp_path: Path) -> Pem:
    """Write a file, and give its path."""

    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, encoding="ascii")
        return str(tmp_path / name)

    return write
