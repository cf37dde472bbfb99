"""What tests of the whole product share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stack import Stack, StackError


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole product on free ports, started once for all tests that want it."""
    running = Stack()
    problem = ""
    try:
        running.start_all()
    except StackError as error:
        problem = str(error)
    if problem:
        running.close()
        pytest.fail(problem, pytrace=False)
    try:
        yield running
    finally:
        running.close()
