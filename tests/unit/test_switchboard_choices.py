from __future__ import annotations

import pytest

from bot.switchboard.choices import ChoiceBook, meant_by_id, meant_by_text
from bot.switchboard.models import Button

pytestmark = pytest.mark.unit

OPEN = (Button("House", "/a"), Button("Barn, red", "/b"), Button("No, thanks", "/c"))


@pytest.mark.parametrize(
    ("said", "payload"),
    [
        ("house", "/a"),
        ("HOUSE!", "/a"),
        ("barn red", "/b"),
        ("no thanks", "/c"),
        ("2", "/b"),
        (" 3. ", "/c"),
        ("#1", "/a"),
        ("option 2", "/b"),
        ("opción 3", "/c"),
    ],
)
def test_a_title_or_a_number_means_its_button(said: str, payload: str) -> None:
    button = meant_by_text(OPEN, said)
    assert button is not None and button.payload == payload


@pytest.mark.parametrize("said", ["0", "4", "12", "the house is dark", "1 2", "8733345766", "", "²"])
def test_anything_else_means_no_button(said: str) -> None:
    assert meant_by_text(OPEN, said) is None


def test_ids_are_opaque_and_never_the_same_twice() -> None:
    first, second = ChoiceBook.marked(OPEN), ChoiceBook.marked(OPEN)
    ids = {button.id for button in (*first, *second)}
    assert len(ids) == 6 and not any(button.payload in button.id for button in first)
    assert meant_by_id(first, first[1].id) == first[1] and meant_by_id(first, second[1].id) is None
