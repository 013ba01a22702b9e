"""The commands of the analysts' page do what the page says."""

import json
import re
import shlex
from pathlib import Path

from pop_stream.settings import Settings
from tests.support.command import run_command
from tests.support.commits import commit
from tests.support.plays import event, parked_of, pop_id_of
from tests.support.trial import Trial

_PAGE = Path(__file__).parents[2] / "docs" / "analysts.md"
_SECTION = "## Where is it, is it all there, do both sides agree?"
_ID = "019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77"
#: These go on until somebody ends them.
_ENDLESS = "events tail"


def commands() -> list[list[str]]:
    """What stands in the boxes of the section."""
    section = _PAGE.read_text().split(_SECTION)[1].split("\n## ")[0]
    boxes = re.findall(r"```\n(pop-stream .*?)```", section, re.DOTALL)
    return [shlex.split(line)[1:] for box in boxes for line in box.splitlines()]


def test_every_command_of_the_page_can_be_typed(topics: Settings, tmp_path: Path) -> None:
    """With files as the page names them; each finds what there is, or says what is wrong."""
    sent = [event(n, partition=0) for n in range(6)]
    trial = Trial(topics, tmp_path)
    trial.send(sent)
    commit(topics, topics.events_topic, {0: 6})
    rows = [{"popId": pop_id_of(one), **json.loads(one.value or b"")} for one in sent]
    files = {
        "ids.txt": "\n".join(map(pop_id_of, sent)),
        "gstv.csv": "popId,siteId,Screen,assetId,startTimestamp\n" + "".join(
            f"{row['popId']},{row['siteId']},{row['screenId']},{row['assetId']},"
            f"{row['startTimestamp']}\n" for row in rows),
        "orders.csv": "ioNumber,from,to,plays\n124,2026-11-20,2026-11-20,2\n",
        "playlist.json": '{"playlist": []}',
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    trial.send([parked_of(event(9))], topic=topics.failure_topic)
    redrive = ("failures", "redrive")
    run_command(topics, *redrive, "--plan", "fixed.json", "--reason", "mended", cwd=tmp_path)
    run_command(topics, *redrive, "run", "fixed.json", cwd=tmp_path)
    typed = commands()
    assert len(typed) == 12
    for arguments in typed:
        follows = " ".join(arguments).startswith(_ENDLESS) and "--no-follow" not in arguments
        done = run_command(topics, *arguments, *(["--no-follow"] if follows else []), cwd=tmp_path)
        # The one id of the page is found nowhere.
        assert done.returncode == (1 if _ID in arguments else 0), (arguments, done.stderr)
        assert done.stdout or _ID in arguments or "failure" in arguments, arguments
    assert (tmp_path / "differences" / "ours-only.csv").exists()
