"""A published county for every test of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.publication.test_views import Published, publish_county


@pytest.fixture
def published(write: Callable[..., Any], app: Flask) -> Published:
    assert app
    made: Published = write(publish_county)
    return made
