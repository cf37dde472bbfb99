from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stack import Stack, StackError

pytestmark = pytest.mark.service


@pytest.fixture
def small() -> Iterator[Stack]:
    stack = Stack(service_points=500, settings={"OMS_POLL_SECONDS": "-1"})
    yield stack
    stack.close()


def test_a_process_that_does_not_start_is_named_with_the_end_of_its_log(small: Stack) -> None:
    small.start("redis")
    with pytest.raises(StackError) as raised:
        small.start("sandbox")
    assert "sandbox has ended with 1" in str(raised.value)
    assert "OMS_POLL_SECONDS" in str(raised.value)


def test_a_process_that_was_killed_is_noticed_and_can_be_started_again(small: Stack) -> None:
    small.start("redis")
    with small.redis() as client:
        client.set("kept", "1")
        client.execute_command("BGREWRITEAOF")
    small.stop("redis")
    with pytest.raises(StackError, match="redis has ended"):
        small.check()
    small.start("redis")
    with small.redis() as client:
        assert client.get("kept") == "1"


def test_nothing_is_left_when_a_stack_is_closed() -> None:
    stack = Stack()
    stack.start("redis")
    process = stack.processes["redis"].popen
    stack.close()
    assert process is not None
    assert process.poll() is not None
    assert not stack.folder.exists()
