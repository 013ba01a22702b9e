"""The command reads a run's folder, says what it found, and ends with the right exit code."""

import ast
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import faults.checker
from faults.checker.__main__ import main
from faults.evidence import Evidence, read_evidence, write_lines, write_run
from tests.unit.faults.evidence_maker import drop, healthy, id_at, of_event

_LEDGERS = {
    "produced": "produced",
    "acked": "acked",
    "gstv": "requests",
    "records": "records",
    "receipts": "receipts",
    "commits": "commits",
    "generations": "generations",
    "faults": "faults",
    "workers": "workers",
}


def _write(folder: Path, evidence: Evidence) -> Path:
    folder.mkdir()
    for name, ledger in _LEDGERS.items():
        write_lines(folder / f"{name}.ndjson", getattr(evidence, ledger))
    write_run(folder, evidence.run)
    return folder


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Nothing of the evidence changes on its way through the files."""
    evidence = healthy()

    assert read_evidence(_write(tmp_path / "run", evidence)) == evidence


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    """Its writer was killed in the middle of it: its answer was never sent."""
    folder = _write(tmp_path / "run", healthy())
    ledger = folder / "gstv.ndjson"
    whole = ledger.read_text()
    ledger.write_text(whole + '{"id": "0000')

    assert read_evidence(folder) == healthy()
    assert main([str(folder)]) == 0


def test_a_run_without_a_fault_of_its_own_ends_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report has the scenario, its seed, the counts, and a line for each check."""
    assert main([str(_write(tmp_path / "run", healthy()))]) == 0
    report = capsys.readouterr().out

    assert report.startswith("made up, seed 7: all checks ok\n")
    assert "events 160, requests " in report
    assert "faults: gstv-cut 1, worker-kill 1" in report
    assert report.count("  ok  ") == 21
    assert "FAIL" not in report


def test_a_fault_that_did_not_bite_is_not_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has struck nothing, and proves nothing: not even as a number in a report."""
    run = healthy(idle_share=0.5)
    evidence = replace(run, faults=tuple(replace(f, bit=f.kind != "gstv-cut") for f in run.faults))

    assert main([str(_write(tmp_path / "run", evidence))]) == 0
    report = capsys.readouterr().out
    assert ", faults 1\n" in report
    assert "faults: worker-kill 1\n" in report


def test_a_failed_check_ends_with_1_and_examples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One bad run among good ones is enough."""
    good = _write(tmp_path / "good", healthy())
    bad = _write(tmp_path / "bad", drop(healthy(), "requests", of_event(100)))

    assert main([str(good), str(bad)]) == 1
    report = capsys.readouterr().out
    assert "made up, seed 7: all checks ok" in report
    assert "made up, seed 7: 2 of 21 checks FAILED" in report
    assert f"        {id_at(100)}\n" in report


def test_programs_get_an_object_for_each_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --json, everything that people see is there."""
    bad = _write(tmp_path / "bad", drop(healthy(), "requests", of_event(100)))

    assert main(["--json", str(bad)]) == 1
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["scenario"], told["seed"], told["ok"]) == ("made up", 7, False)
    assert told["counts"]["events"] == 160
    assert told["findings"][0] == {
        "check": "loss",
        "ok": False,
        "measured": 1,
        "allowed": "0",
        "detail": "160 events had to have an outcome",
        "examples": [id_at(100)],
        "causes": {},
    }


@pytest.mark.parametrize("name", ["records.ndjson", "run.json"])
def test_evidence_that_is_missing_or_broken_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A run that cannot be judged has not passed, whatever the others say."""
    good = _write(tmp_path / "good", healthy())
    bad = _write(tmp_path / "bad", healthy())
    for damage in ("not json\n", "[]\n", '{"topic": "events"}\n'):
        (bad / name).write_text(damage)
        assert main([str(bad), str(good)]) == 2, damage
    (bad / name).unlink()
    assert main([str(bad), str(good)]) == 2
    assert f"{bad}: the evidence cannot be read" in capsys.readouterr().err


def test_wrong_use_ends_with_2() -> None:
    """No folder at all."""
    with pytest.raises(SystemExit) as ended:
        main([])

    assert ended.value.code == 2


def test_the_checker_knows_nothing_of_what_it_judges() -> None:
    """It imports the standard library, the evidence, and itself."""
    imported = set()
    for file in Path(faults.checker.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}

    foreign = {
        name
        for name in imported
        if name.partition(".")[0] not in sys.stdlib_module_names
        and name != "faults.evidence"
        and not name.startswith("faults.checker")
    }
    assert foreign == set()


def test_what_is_saved_is_what_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For people and for programs, judged once for both."""
    run = _write(tmp_path / "run", healthy())

    assert main(["--save", str(run)]) == 0
    assert capsys.readouterr().out == (run / "report.txt").read_text() + "\n"
    assert main(["--json", str(run)]) == 0
    assert json.loads(capsys.readouterr().out) == [json.loads((run / "report.json").read_text())]
