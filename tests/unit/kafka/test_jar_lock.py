import hashlib

import pytest

from pop_stream.kafka.jar_lock import KAFKA_VERSION, LockedJar, lock_text, parse_lock, read_lock

SHA = hashlib.sha256(b"").hexdigest()


def test_shipped_lock_pins_the_broker_of_the_shipped_version() -> None:
    """The lock holds the broker itself, in the version that is said to be embedded."""
    jars = read_lock()

    assert ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION) in {
        (jar.group, jar.artifact, jar.version) for jar in jars
    }


def test_shipped_lock_is_what_a_renewal_would_write() -> None:
    """Reading and writing the lock gives the same text: sorted, one line a jar, nothing twice."""
    jars = read_lock()

    assert "".join(f"{jar}\n" for jar in sorted(jars, key=str)) == lock_text()
    assert len({jar.file_name for jar in jars}) == len(jars)


def test_lines_and_comments_are_told_apart() -> None:
    """What follows a # is for people."""
    expected = LockedJar(group="g", artifact="a", version="1", sha256=SHA, size=7)

    assert parse_lock(f"# jars\n\ng:a:1 {SHA} 7 # why\n") == (expected,)


@pytest.mark.parametrize(
    "line", ["g:a:1", f"g:a {SHA} 7", f"g:a:1 {SHA[1:]} 7", "g:a:1 abc 7", f"g:a:1 {SHA} x"]
)
def test_line_that_is_no_entry_is_refused(line: str) -> None:
    """A damaged lock is not read as one with fewer jars."""
    with pytest.raises(ValueError, match="not a"):
        parse_lock(line)
