"""Shapes of decoded TCBOR, composed of small tests."""

import re
from collections.abc import Callable
from typing import Any

from . import tcbor
from .refused import Refused
from .text_forms import MAX_NUMBER

Shape = Callable[[Any], bool]

NAME = r"[a-z0-9][a-z0-9._-]{0,62}"


def uint(low: int = 0, high: int = MAX_NUMBER) -> Shape:
    """An unsigned integer from low to high."""
    return lambda value: type(value) is int and low <= value <= high


def bstr(low: int, high: int | None = None) -> Shape:
    """A byte string of exactly `low` bytes, or of low to high."""
    return lambda value: type(value) is bytes and low <= len(value) <= (low if high is None else high)


def text(low: int, high: int, pattern: str = r".*") -> Shape:
    """A text of low to high bytes without control characters that matches the pattern as a whole."""
    compiled = re.compile(pattern, re.DOTALL | re.ASCII)

    def fits(value: Any) -> bool:
        if type(value) is not str or compiled.fullmatch(value) is None:
            return False
        return low <= len(value.encode()) <= high and not any(character < " " for character in value)

    return fits



def boolean(value: Any) -> bool:
    """True or false."""
    return type(value) is bool


def null(value: Any) -> bool:
    """Null."""
    return value is None


def any_of(*shapes: Shape) -> Shape:
    """One of the shapes."""
    return lambda value: any(shape(value) for shape in shapes)


def nullable(shape: Shape) -> Shape:
    """Null or the shape."""
    return any_of(null, shape)


def both(first: Shape, second: Shape) -> Shape:
    """A shape and a further condition, which is only asked where the shape fits."""
    return lambda value: first(value) and second(value)


def items(*shapes: Shape) -> Shape:
    """An array of exactly these items."""
    return lambda value: (
        type(value) is list
        and len(value) == len(shapes)
        and all(shape(item) for shape, item in zip(shapes, value, strict=True))
    )


def array(shape: Shape, low: int, high: int) -> Shape:
    """An array of low to high items of one shape."""
    return lambda value: type(value) is list and low <= len(value) <= high and all(map(shape, value))


def fields(shapes: dict[int, Shape], optional: dict[int, Shape] | None = None) -> Shape:
    """A map with exactly these keys, and perhaps some of the optional ones."""
    allowed = shapes | (optional or {})

    def fits(value: Any) -> bool:
        if type(value) is not dict or not shapes.keys() <= value.keys() <= allowed.keys():
            return False
        return all(allowed[key](item) for key, item in value.items())

    return fits


def ascending(values: Any) -> bool:
    """Each item above the one before."""
    return all(left < right for left, right in zip(values, values[1:], strict=False))


def interval(value: Any) -> bool:
    """[lo, hi or null], hi not below lo."""
    return items(uint(), nullable(uint()))(value) and (value[1] is None or value[1] >= value[0])


INDEX = items(uint(), uint())


def require(condition: bool, code: str) -> None:
    """Refuses with the code where the condition does not hold."""
    if not condition:
        raise Refused(code)


def decode_as(data: bytes, shape: Shape, code: str, max_values: int = tcbor.MAX_VALUES) -> Any:
    """TCBOR of this shape; the one code for both kinds of fault."""
    try:
        value = tcbor.decode(data, max_values)
    except Refused:
        raise Refused(code) from None
    require(shape(value), code)
    return value
