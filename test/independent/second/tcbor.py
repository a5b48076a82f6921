"""TCBOR, the deterministic subset of CBOR that everything signed or sealed is written in (SPEC.md section 2)."""

from typing import Any

from .refused import Refused
from .text_forms import MAX_NUMBER

MAX_DEPTH = 8
MAX_VALUES = 1_500_000
UINT, BYTES, TEXT, ARRAY, MAP, SIMPLE = 0, 2, 3, 4, 5, 7
SIMPLE_VALUES = {0xF4: False, 0xF5: True, 0xF6: None}
SIMPLE_BYTES = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}


class Malformed(ValueError):
    """Bytes that are not TCBOR."""


def decode(data: bytes, max_values: int = MAX_VALUES) -> Any:
    """The single value that the bytes are; TCBOR_MALFORMED where they are none."""
    try:
        value, end = decode_first(data, max_values)
        if end != len(data):
            raise Malformed
    except Malformed:
        raise Refused("TCBOR_MALFORMED") from None
    return value


def decode_first(data: bytes, max_values: int = MAX_VALUES) -> tuple[Any, int]:
    """The value that the bytes begin with, and where it ends; raises Malformed."""
    reader = _Reader(data, max_values)
    return reader.value(0), reader.at


def encode(value: Any) -> bytes:
    """Bytes of None, booleans, unsigned integers, bytes, strings, lists and dicts with integer keys."""
    if value is None or isinstance(value, bool):
        return SIMPLE_BYTES[value]
    if isinstance(value, int):
        return _head(UINT, value)
    if isinstance(value, bytes):
        return _head(BYTES, len(value)) + value
    if isinstance(value, str):
        return _head(TEXT, len(value.encode())) + value.encode()
    if isinstance(value, (list, tuple)):
        return _head(ARRAY, len(value)) + b"".join(map(encode, value))
    items = sorted(value.items())
    return _head(MAP, len(items)) + b"".join(encode(key) + encode(item) for key, item in items)


def _head(major: int, number: int) -> bytes:
    if not 0 <= number <= MAX_NUMBER:
        raise ValueError("not a TCBOR number")
    if number < 24:
        return bytes([major << 5 | number])
    for info, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * width:
            return bytes([major << 5 | info]) + number.to_bytes(width, "big")
    raise AssertionError


class _Reader:
    """Reads values one behind the other."""

    def __init__(self, data: bytes, max_values: int) -> None:
        self.data = data
        self.at = 0
        self.left = max_values

    def value(self, depth: int) -> Any:
        """The next value."""
        self.left -= 1
        if depth > MAX_DEPTH or self.left < 0 or self.at >= len(self.data):
            raise Malformed
        first = self.data[self.at]
        if first in SIMPLE_VALUES:
            self.at += 1
            return SIMPLE_VALUES[first]
        major, number = first >> 5, self._number(first & 31)
        if major == UINT:
            return number
        if major == BYTES:
            return self._take(number)
        if major == TEXT:
            return self._text(number)
        if major == ARRAY:
            self._room(number)
            return [self.value(depth + 1) for _ in range(number)]
        if major == MAP:
            self._room(2 * number)
            return self._map(number, depth)
        raise Malformed

    def _number(self, info: int) -> int:
        self.at += 1
        if info < 24:
            return info
        if info > 27:
            raise Malformed
        width = 1 << (info - 24)
        number = int.from_bytes(self._take(width), "big")
        shortest = 24 if width == 1 else 1 << 4 * width
        if number < shortest or number > MAX_NUMBER:
            raise Malformed
        return number

    def _take(self, length: int) -> bytes:
        if length > len(self.data) - self.at:
            raise Malformed
        self.at += length
        return self.data[self.at - length : self.at]

    def _text(self, length: int) -> str:
        try:
            text = self._take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed from None
        if any(character < " " for character in text):
            raise Malformed
        return text

    def _room(self, count: int) -> None:
        if count > len(self.data) - self.at or count > self.left:
            raise Malformed

    def _map(self, count: int, depth: int) -> dict[int, Any]:
        result: dict[int, Any] = {}
        last = -1
        for _ in range(count):
            key = self.value(depth + 1)
            if type(key) is not int or key <= last:
                raise Malformed
            last = key
            result[key] = self.value(depth + 1)
        return result
