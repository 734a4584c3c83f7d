"""The array types of the scoring core, and the checks that name the argument at fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Labels = NDArray[np.generic]

Scalar = TypeVar("Scalar", bound=np.generic)


def floats(name: str, values: ArrayLike, *, shape: Sequence[int] | None = None) -> Vector:
    """`values` as finite float64.

    Raises:
        ValueError: not numbers, NaN or infinite, or of another shape; names the argument.
    """
    array = _array(name, values)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name}: must be numbers, got {array.dtype}")
    result = array.astype(np.float64)
    if not np.isfinite(result).all():
        raise ValueError(f"{name}: must be finite, has NaN or infinity")
    return _shaped(name, result, shape)


def integers(name: str, values: ArrayLike, *, shape: Sequence[int] | None = None) -> Integers:
    """`values` as int64.

    Raises:
        ValueError: not whole numbers, beyond int64, or of another shape; names the argument.
    """
    array = _array(name, values)
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
    given = _shaped(name, _array(name, values), (length,))
    try:
        labels, positions = np.unique(floats(name, given) if given.dtype.kind == "f" else given, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"{name}: labels must be all numbers or all strings ({error})") from error
    return labels, positions.astype(np.int64)


def share(name: str, value: float) -> float:
    """A number strictly between 0 and 1.

    Raises:
        ValueError: it is not; names the argument.
    """
    if not 0 < value < 1:
        raise ValueError(f"{name}: must lie between 0 and 1, is {value}")
    return float(value)


def _array(name: str, values: ArrayLike) -> NDArray[np.generic]:
    try:
        return np.asarray(values)
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError(f"{name}: is not a rectangular array of numbers ({error})") from error


def _shaped(name: str, array: NDArray[Scalar], shape: Sequence[int] | None) -> NDArray[Scalar]:
    if shape is not None and array.shape != tuple(shape):
        raise ValueError(f"{name}: must have shape {tuple(shape)}, has {array.shape}")
    return array
