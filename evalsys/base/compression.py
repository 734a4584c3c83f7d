"""A third of the bytes for slow phones: answers that hold nothing of a signed-in person, compressed.

Pages of people who are signed in stay as they are: where a stranger can make them repeat a text, their compressed
length would tell the token in them, guess by guess (BREACH).
"""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Response, request

SHORTEST = 500  # fewer bytes fit into one packet anyway


def compressed(response: Response, *, keep: bool = False) -> Response:
    """The same answer, compressed where it is worth it and the browser takes it.

    Args:
        keep: remember the compressed bytes, for what is sent again and again.
    """
    if (
        response.status_code != 200
        or response.content_encoding
        or not (response.mimetype or "").startswith(("text/", "image/svg"))
    ):
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] <= 0:
        return response
    response.direct_passthrough = False
    content = response.get_data()
    if len(content) >= SHORTEST:
        response.set_data(_kept(content) if keep else _gzip(content))
        response.content_encoding = "gzip"
        tag, _weak = response.get_etag()
        if tag is not None:
            response.set_etag(tag, weak=True)
    return response


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 6, mtime=0)


_kept = lru_cache(maxsize=64)(_gzip)
