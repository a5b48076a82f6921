"""Strict text forms of bytes and numbers: base64, base32, decimal."""

import base64
import binascii
import re

MAX_NUMBER = 2**53 - 1

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


def strict_base64(text: str) -> bytes | None:
    """RFC 4648 section 4 with padding and zero unused bits, or None."""
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return decoded if base64.b64encode(decoded).decode() == text else None


def base32(data: bytes) -> str:
    """RFC 4648 section 6 in lower case without padding."""
    return base64.b32encode(data).decode().rstrip("=").lower()


def strict_base32(text: str) -> bytes | None:
    """Lower-case base32 without padding and with zero unused bits, or None."""
    try:
        decoded = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return None
    return decoded if base32(decoded) == text else None


def strict_decimal(text: str) -> int | None:
    """A number from 0 to 2^53 - 1 in decimal without leading zeros, or None."""
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_NUMBER:
        return None
    return int(text)


def utf16_length(text: str) -> int:
    """Length of a string in UTF-16 code units; lone surrogates count as one."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
