"""What tests of the whole product share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stack import Stack, StackError


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole product on free ports, started once for all tests that want it."""
    try:
        with Stack() as running:
            yield running
    except StackError as error:
        pytest.fail(str(error), pytrace=False)
