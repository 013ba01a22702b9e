import json

import pytest

from pop_stream.pop.json_scan import Key, is_deeper_than, top_level_keys


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        (b"1", 0),
        (b'"[[["', 0),
        (b"{}", 1),
        (b"[[], []]", 2),
        (b'{"a": {"b": [{}]}}', 4),
        (b'{"[": "]", "{": "\\"[{", "\\\\": [1]}', 2),
        (b"[" * 40 + b"]" * 40, 40),
    ],
)
def test_the_depth_counts_brackets_outside_texts(text: bytes, depth: int) -> None:
    """A text is deeper than any limit below its depth, and than none from there on."""
    assert [is_deeper_than(text, limit) for limit in range(50)] == [
        limit < depth for limit in range(50)
    ]


def test_every_key_of_the_outermost_object_is_found_where_it_stands() -> None:
    """Keys come in order, unescaped, repeated ones too; the place is the token's with quotes."""
    text = b'{ "a" : 1, "\\u0062": {"c": "d", "a": 2}, "": ["e", {"f": 1}], "a": "g:,", "\\"": 0}'
    keys = list(top_level_keys(text))

    assert [key.name for key in keys] == ["a", "b", "", "a", '"']
    assert [json.loads(text[key.start : key.end]) for key in keys] == ["a", "b", "", "a", '"']
    assert keys[1] == Key("b", 11, 19)


@pytest.mark.parametrize("text", [b"{}", b" { } ", b'[{"a": 1}]', b'"a"', b"1"])
def test_what_holds_no_key_gives_none(text: bytes) -> None:
    """An empty object has no key, and the keys of objects further in do not count."""
    assert list(top_level_keys(text)) == []
