"""Every conversation test of the designers, on the real product."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversations.runner import Otherwise, Runner
from tests.conversations.script import BEHAVIOURS, FOLDER, Case, ScriptError, find, load
from tests.stack import Stack

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]  # the first one starts the whole product


def _cases() -> list[Case]:
    cases = []
    for path in find():
        script = load(path)
        cases += [Case(path, script, channel) for channel in script.channel]
    # What breaks a system comes last: processes begin anew after it.
    return sorted(cases, key=lambda case: bool(case.script.faults))


@pytest.fixture(scope="session")
def runner(stack: Stack) -> Runner:
    return Runner(stack)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.name)
async def test_conversation(case: Case, runner: Runner) -> None:
    problem = ""
    try:
        await runner.run(case)
    except (Otherwise, ScriptError) as error:
        problem = str(error)
    if problem:  # outside of the handler, so that pytest prints the transcript once
        pytest.fail(f"\n{problem}", pytrace=False)


def test_every_behaviour_of_customers_has_conversations() -> None:
    found = {path.relative_to(FOLDER).parts[1] for path in find()}
    assert found == set(BEHAVIOURS)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("conversation:\n  - user: hello\n    say: utter_greet\n", 3, "there is no such word here"),
        ("channel: web\nconversation: []\n", 2, "at least 1 item"),
        ("conversation:\n  - user: hi\n    press: Yes\n", 2, "exactly one of"),
        ("conversation:\n  - user: hi\n    text: 'a(b'\n", 3, "not a pattern"),
        ("conversation:\n  - user: hi\n  - says: utter_greet\n", 3, "exactly one of"),
        ("conversation: [\n", 2, "not YAML"),
        ("customer: crew_etr\n", 1, "Field required"),
        ("conversation:\n  - user: hi\nafterwards:\n  tickets:\n    - problem: flood\n", 5, "Input should be"),
    ],
)
def test_a_mistake_in_a_test_is_told_with_file_line_and_reason(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    path = tmp_path / "a_test.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScriptError) as raised:
        load(path)
    assert f"{path}:{line}:" in str(raised.value)
    assert reason in str(raised.value)
