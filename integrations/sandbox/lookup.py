"""Finding service points by what a customer can say: number, account, meter, address."""

from __future__ import annotations

import re
from collections import defaultdict

from rapidfuzz import fuzz, process

from .territory import ServicePoint, Territory

_TYPES = {
    "st": "street", "str": "street", "ave": "avenue", "av": "avenue", "rd": "road", "ln": "lane",
    "dr": "drive", "wy": "way", "ct": "court", "crt": "court",
}  # fmt: skip


def plain(text: str) -> str:
    """Lower case, words and digits only, street types in full."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"['’]", "", text.lower()))
    return " ".join(_TYPES.get(word, word) for word in words)


class Directory:
    """Indexes over a territory, built once."""

    def __init__(self, territory: Territory) -> None:
        self.territory = territory
        self._by_account = dict(zip(territory.account.tolist(), range(territory.size), strict=True))
        owners = territory.customer.tolist()
        self._by_phone = {phone: row for row, phone in enumerate(territory.phone.tolist()) if phone}
        self._premises: dict[int, list[int]] = defaultdict(list)
        for row, owner in enumerate(owners):
            if row != owner:
                self._premises[owner].append(row)
        # By street and town; the customers who were made by hand stand on streets of their own.
        streets: dict[str, list[int]] = defaultdict(list)
        names, towns = territory.streets, territory.towns
        per_town = len(names) // len(towns)
        keys = [plain(f"{name} {towns[index // per_town]}") for index, name in enumerate(names)]
        for row, street in enumerate(territory.street.tolist()):
            if row not in territory.overrides:
                streets[keys[street]].append(row)
        for row, override in territory.overrides.items():
            streets[plain(f"{override.street} {towns[int(territory.town[row])]}")].append(row)
        self._streets = dict(streets)
        self._keys = list(streets)
        named = {keys[index]: plain(name) for index, name in enumerate(names)}
        for row, override in territory.overrides.items():
            named[plain(f"{override.street} {towns[int(territory.town[row])]}")] = plain(override.street)
        # A street is said with its town, without it, or without "street" too.
        short = [named[key] for key in self._keys]
        self._spoken = (self._keys, short, [name.rpartition(" ")[0] for name in short])

    def by_phone(self, phone: str) -> list[ServicePoint]:
        """The premises of the customer who has this number on file; digits count, punctuation does not."""
        digits = re.sub(r"\D", "", phone)
        digits = digits if len(digits) == 11 else f"1{digits}"
        owner = self._by_phone.get(int(digits)) if len(digits) == 11 else None
        return [] if owner is None else self._all(owner)

    def by_account(self, number: str) -> list[ServicePoint]:
        """The premise of an account number, or nothing."""
        digits = re.sub(r"\D", "", number)
        row = self._by_account.get(int(digits)) if len(digits) == 10 else None
        return [] if row is None else [self.territory.service_point(row)]

    def by_id(self, service_point_id: str) -> ServicePoint | None:
        """The service point with this id, or nothing."""
        match = re.fullmatch(r"SP(\d{6,9})", service_point_id.strip().upper())
        row = int(match[1]) - 1 if match else -1
        return self.territory.service_point(row) if 0 <= row < self.territory.size else None

    def by_meter(self, meter_id: str) -> ServicePoint | None:
        """The service point with this meter, or nothing."""
        match = re.fullmatch(r"JB(\d{8,9})", meter_id.strip().upper())
        row = int(match[1]) - 40_000_000 if match else -1
        return self.territory.service_point(row) if 0 <= row < self.territory.size else None

    def by_address(self, text: str, limit: int = 5) -> list[tuple[ServicePoint, float]]:
        """The likeliest premises for an address as a customer writes it, best first.

        Args:
            text: for example ``14 lantern ln apt 3``; the town may be missing.
            limit: how many at most.

        Returns:
            Each with a score from 0 to 100; a wrong house number costs more than a misspelt street.
        """
        unit_match = re.search(r"\b(?:apt|apartment|unit|#)\s*#?\s*(\d+)\b", text.lower())
        unit = f"Apt {unit_match[1]}" if unit_match else ""
        wanted = plain(text[: unit_match.start()] + " " + text[unit_match.end() :] if unit_match else text)
        number_match = re.match(r"(\d+)\s+(.*)", wanted)
        number, street = (int(number_match[1]), number_match[2]) if number_match else (None, wanted)
        if not street:
            return []
        found: list[tuple[ServicePoint, float]] = []
        for index, score in self._like(street):
            rows = self._streets[self._keys[index]]
            for row in rows:
                if number is not None and self._number(row) != number:
                    continue
                point = self.territory.service_point(row)
                bonus = 0.0 if number is not None else -15.0
                bonus -= 8.0 if unit and point.unit != unit else 0.0
                found.append((point, max(0.0, score + bonus)))
        found.sort(key=lambda pair: (-pair[1], pair[0].row))
        return found[:limit]

    def _like(self, street: str, limit: int = 12) -> list[tuple[int, float]]:
        """The streets whose name is most like what was said, with scores; saying less costs a little."""
        best: dict[int, float] = {}
        for less, names in enumerate(self._spoken):
            for _, score, index in process.extract(street, names, scorer=fuzz.ratio, limit=limit, score_cutoff=65):
                best[index] = max(best.get(index, 0.0), score - 2.0 * less)
        return sorted(best.items(), key=lambda pair: -pair[1])[:limit]

    def _number(self, row: int) -> int:
        override = self.territory.overrides.get(row)
        return override.number if override else int(self.territory.number[row])

    def _all(self, owner: int) -> list[ServicePoint]:
        rows = sorted({owner, *self._premises.get(owner, [])})
        return [self.territory.service_point(row) for row in rows if int(self.territory.customer[row]) == owner]
