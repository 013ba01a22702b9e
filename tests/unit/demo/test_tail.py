from pop_stream.demo.tail import Tail


def test_each_line_comes_once(tmp_path):
    """What was read is not read again, and what is added comes with the next call."""
    path = tmp_path / "ledger.ndjson"
    tail = Tail(path)
    path.write_bytes(b'{"n":1}\n{"n":2}\n')
    first = [line["n"] for line in tail.new_lines()]
    with path.open("ab") as file:
        file.write(b'{"n":3}\n')

    assert first == [1, 2]
    assert [line["n"] for line in tail.new_lines()] == [3]
    assert list(tail.new_lines()) == []


def test_a_line_without_its_end_waits(tmp_path):
    """Half a line is not read before its other half is there."""
    path = tmp_path / "ledger.ndjson"
    tail = Tail(path)
    path.write_bytes(b'{"n":1}\n{"n"')
    first = [line["n"] for line in tail.new_lines()]
    with path.open("ab") as file:
        file.write(b":2}\n")

    assert first == [1]
    assert [line["n"] for line in tail.new_lines()] == [2]


def test_a_file_that_is_not_there_yet_is_empty(tmp_path):
    """The other process may not have started to write."""
    assert list(Tail(tmp_path / "none").new_lines()) == []
