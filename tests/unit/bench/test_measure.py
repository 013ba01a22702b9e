import os
import subprocess
import sys

import pytest

from bench.measure import Usage, machine_cpu_seconds, tree_usage

TICKS = os.sysconf("SC_CLK_TCK")


def add_process(proc, pid, *, parent, ticks, peak_kb, name="python"):
    """Lay out a process as proc(5) shows it; `ticks`: its own two, and those of ended children."""
    folder = proc / str(pid)
    folder.mkdir()
    times = " ".join(str(number) for number in ticks)
    (folder / "stat").write_text(f"{pid} ({name}) S {parent} 1 1 0 -1 0 0 0 0 0 {times} 20 0 1")
    (folder / "status").write_text(
        f"Name:\t{name}\nVmHWM:\t{peak_kb} kB\nVmRSS:\t{peak_kb // 10} kB\n"
    )


def test_a_tree_is_the_process_and_all_below_it(tmp_path):
    """Children count, and theirs, and those that have ended; neither parents nor strangers do."""
    (tmp_path / "meminfo").write_text("not a process")
    add_process(tmp_path, 1, parent=0, ticks=(900, 0, 0, 0), peak_kb=900)
    add_process(tmp_path, 30, parent=1, ticks=(1, 2, 4, 8), peak_kb=1000)
    add_process(tmp_path, 20, parent=30, ticks=(16, 0, 0, 0), peak_kb=100)
    add_process(tmp_path, 40, parent=20, ticks=(0, 32, 0, 0), peak_kb=10)
    add_process(tmp_path, 50, parent=1, ticks=(700, 0, 0, 0), peak_kb=700)

    assert tree_usage(30, tmp_path) == Usage(pytest.approx(63 / TICKS), 1110 * 1024, 111 * 1024)


def test_a_name_with_spaces_and_brackets_moves_no_field(tmp_path):
    """The name of a program is whatever it likes."""
    add_process(tmp_path, 7, parent=1, ticks=(5, 0, 0, 0), peak_kb=1, name="a) S 9 (b")

    assert tree_usage(7, tmp_path).cpu_seconds == 5 / TICKS


def test_a_process_that_is_gone_has_used_nothing(tmp_path):
    """A run that ends early is found out by its owner, not here."""
    assert tree_usage(7, tmp_path) == Usage(0.0, 0, 0)


def test_the_machine_has_worked_what_was_neither_idle_nor_waiting(tmp_path):
    """Also what a neighbour took (steal); guests are in the user's time already."""
    (tmp_path / "stat").write_text("cpu  1 2 4 1000 2000 8 16 32 500 500\ncpu0 9 9 9 9\n")

    assert machine_cpu_seconds(tmp_path) == 63 / TICKS


@pytest.mark.skipif(sys.platform != "linux", reason="the process table of Linux")
def test_cpu_time_is_finer_than_a_tick():
    """Ten thousand events take a third of a second: two ticks would be a twentieth of that."""
    ticks = tree_usage(os.getpid()).cpu_seconds * TICKS

    assert ticks != round(ticks)


@pytest.mark.skipif(sys.platform != "linux", reason="the process table of Linux")
def test_real_work_and_memory_are_seen():
    """What a real process burns and holds shows in the real table."""
    code = (
        "import time\n"
        "held = bytearray(b'x') * 50_000_000\n"
        "while time.process_time() < 0.3: pass\n"
        "print('done', flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"done\n"

        used = tree_usage(process.pid)

    assert used.cpu_seconds >= 0.28
    assert used.peak_rss_bytes >= used.rss_bytes > 50_000_000
