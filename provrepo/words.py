"""Numbers in messages for people."""

from __future__ import annotations

__all__ = ["counted", "lasting"]


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 thing``, ``1,234 things``.

    Args:
        number: the number.
        one: the noun, maybe with more words, for 1.
        many: for every other number; by default ``one`` with an ``s``.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def lasting(seconds: float) -> str:
    """A length of time in seconds, rounded to what people read: ``0.25 seconds``, ``1 second``, ``8 seconds``."""
    text = f"{seconds:.0f}" if seconds >= 10 else f"{round(seconds, 1):g}" if seconds >= 1 else f"{seconds:.2g}"
    return f"{text} second{'' if text == '1' else 's'}"
