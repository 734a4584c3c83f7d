"""The array types of the scoring core, and the checks that name the argument at fault."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Labels = NDArray[np.generic]

Scalar = TypeVar("Scalar", bound=np.generic)
Given = ParamSpec("Given")
Found = TypeVar("Found")

LARGEST = 1e60
"""Numbers beyond are refused: no score, variance or frame is near it, and their fourth powers would not fit a float."""


def guarded(*names: str) -> Callable[[Callable[Given, Found]], Callable[Given, Found]]:
    """Let no result of a public function rest on a number that ran over or was never defined.

    What is too small for a float is taken for 0, as NumPy does, whatever the caller has set.

    Args:
        names: the arguments to name when it happens.
    """

    def around(function: Callable[Given, Found]) -> Callable[Given, Found]:
        @wraps(function)
        def call(*args: Given.args, **kwargs: Given.kwargs) -> Found:
            try:
                with np.errstate(over="raise", divide="raise", invalid="raise", under="ignore"):
                    return function(*args, **kwargs)
            except ArithmeticError as error:
                raise ValueError(f"{', '.join(names)}: too large, too small or too far apart ({error})") from error

        return call

    return around


def floats(
    name: str, values: ArrayLike, *, shape: Sequence[int] | None = None, gaps: bool = False, largest: float = LARGEST
) -> Vector:
    """`values` as float64.

    Args:
        name: of the argument, for the error.
        values: numbers or flags; a masked entry is no number.
        shape: which they must have.
        gaps: NaN (or None) stands for what is not there, and stays NaN.
        largest: what none may exceed, above or below 0.

    Raises:
        ValueError: not numbers, NaN or infinite, too large, or of another shape; names the argument.
    """
    array = as_array(name, values)
    if gaps and array.dtype.kind == "O":
        array = _with_gaps(name, array.astype(np.object_))
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name}: must be numbers, got {array.dtype}")
    result = array.astype(np.float64)
    size = np.where(np.isnan(result), 0 if gaps else np.inf, np.abs(result))
    if not (size < np.inf).all():
        raise ValueError(
            f"{name}: must be finite, " + ("or NaN where there is none" if gaps else "has NaN or infinity")
        )
    if not (size <= largest).all():
        raise ValueError(f"{name}: a number is beyond {largest:g}")
    return _shaped(name, result, shape)


def number(name: str, value: ArrayLike) -> float:
    """One finite number.

    Raises:
        ValueError: it is none; names the argument.
    """
    return float(floats(name, value, shape=()))


def whole(name: str, value: int, *, least: int) -> int:
    """One whole number of at least `least`.

    Raises:
        ValueError: it is none, or smaller; names the argument.
    """
    try:
        result = operator.index(value)
    except TypeError as error:
        raise ValueError(f"{name}: must be a whole number, got {type(value).__name__}") from error
    if result < least:
        raise ValueError(f"{name}: must be at least {least}, is {result}")
    return result


def integers(name: str, values: ArrayLike, *, shape: Sequence[int] | None = None) -> Integers:
    """`values` as int64.

    Raises:
        ValueError: not whole numbers, beyond int64, or of another shape; names the argument.
    """
    array = as_array(name, values)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iub":
        raise ValueError(f"{name}: must be whole numbers, got {array.dtype}")
    if array.dtype.kind == "u" and array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"{name}: a value is beyond 64 bits")
    return _shaped(name, array.astype(np.int64), shape)


def indices(name: str, values: ArrayLike, *, below: int, length: int | None = None) -> Integers:
    """`values` as positions in a list of `below` entries.

    Raises:
        ValueError: not whole numbers, outside 0 … below - 1, or not `length` long; names the argument.
    """
    result = integers(name, values, shape=None if length is None else (length,))
    if result.ndim != 1:
        raise ValueError(f"{name}: must be one-dimensional, has {result.ndim} dimensions")
    if result.size and (int(result.min()) < 0 or int(result.max()) >= below):
        raise ValueError(f"{name}: an index is outside 0 to {below - 1}")
    return result


def levels(name: str, values: ArrayLike, length: int) -> tuple[Labels, Integers]:
    """Sorted labels, each once, and the position of each value among them.

    Raises:
        ValueError: not `length` long, NaN or infinite, or of kinds that cannot be sorted; names the argument.
    """
    given = _shaped(name, as_array(name, values), (length,))
    try:
        labels, positions = np.unique(floats(name, given) if given.dtype.kind == "f" else given, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"{name}: labels must be all numbers or all strings ({error})") from error
    return labels, positions.astype(np.int64)


def as_array(name: str, values: ArrayLike) -> NDArray[np.generic]:
    """`values` as they are, of any kind.

    Raises:
        ValueError: ragged, or masked; names the argument.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{name}: has masked entries; leave them out, or write NaN where the argument allows it")
    try:
        return np.asarray(values)
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError(f"{name}: is not a rectangular array of numbers ({error})") from error


def share(name: str, value: float) -> float:
    """A number strictly between 0 and 1.

    Raises:
        ValueError: it is not; names the argument.
    """
    result = float(floats(name, value, shape=(), gaps=True))
    if not 0 < result < 1:
        raise ValueError(f"{name}: must lie between 0 and 1, is {result}")
    return result


def _with_gaps(name: str, array: NDArray[np.object_]) -> NDArray[np.generic]:
    """A list with None in it comes as objects; strings, which would pass for numbers, do not."""
    return as_array(name, [np.nan if value is None else value for value in array.ravel()]).reshape(array.shape)


def _shaped(name: str, array: NDArray[Scalar], shape: Sequence[int] | None) -> NDArray[Scalar]:
    if shape is not None and array.shape != tuple(shape):
        raise ValueError(f"{name}: must have shape {tuple(shape)}, has {array.shape}")
    return array
