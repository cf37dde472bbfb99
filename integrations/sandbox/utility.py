"""The simulated utility as one object: the territory, its outages, its calls, the storm, what is broken."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from .areas import Areas
from .clock import Clock, SystemClock
from .demo import DEMO, demo_overrides
from .faults import Faults
from .lookup import Directory
from .multispeak import MultiSpeakServer
from .outages import Outages
from .pushes import Pushes
from .quiet import QuietDay
from .replay import Replay, read
from .storm import Storm
from .territory import ServicePoint, Territory
from .texts import Texts
from .tickets import Tickets


class Utility:
    """Everything that the servers show, without any server.

    Args:
        seed: the same seed and size give the same utility, customer for customer.
        size: service points.
        clock: whose time it lives in.
        user: the OMS's user for MultiSpeak calls.
        password: the OMS's password.
    """

    def __init__(
        self, seed: int, size: int, clock: Clock | None = None, user: str = "porchlight", password: str = ""
    ) -> None:
        self.clock = clock or SystemClock()
        self.faults = Faults()
        self.territory = Territory(seed, size, demo_overrides(size))
        self.directory = Directory(self.territory)
        self.outages = Outages(self.clock)
        self.tickets = Tickets(self.territory, self.outages)
        self.areas = Areas(self.territory, self.outages)
        self.pushes = Pushes(self.territory, self.outages, held=lambda: self.faults.down("oms"))
        self.multispeak = MultiSpeakServer(self.territory, self.directory, self.outages, self.tickets, user, password)
        self.texts = Texts(self.clock)
        self._next_tidy = self.clock.now()
        self.storm: Storm | None = None
        self.replay: Replay | None = None
        self.quiet = QuietDay(self.territory, self.outages)
        self.quiet.set_up()

    def advance(self) -> None:
        """Let everything happen that is due by the clock."""
        for timeline in (self.storm, self.replay):
            if timeline is not None:
                timeline.advance()
        if (now := self.clock.now()) >= self._next_tidy:
            self._next_tidy = now + timedelta(minutes=1)
            self.quiet.refresh()
            self.outages.forget_old()

    def start_storm(
        self, customers: int, seed: int, speed: float = 1.0, head_start_minutes: float = 120.0, spare_demo: bool = False
    ) -> Storm:
        """Begin a storm, in place of one that is under way.

        Args:
            customers: about how many lose power in the course of it.
            seed: the same seed gives the same storm.
            speed: 60 plays an hour in a minute; the restoration times that it publishes shrink with it.
            head_start_minutes: how long it has been under way, in its own time.
            spare_demo: leave all hand-made customers alone; otherwise only those in a situation of their own.
        """
        if self.storm is not None:
            self.storm.stop()
        spare = {row for rows in self.quiet.rows.values() for row in rows}
        if not spare_demo:
            spare = {
                row for row in spare if self.multispeak.state_at(self.territory.service_point(row))[0] != "NoOutage"
            }
        start = self.clock.now() - timedelta(minutes=head_start_minutes / speed)
        self.storm = Storm(
            self.territory, self.outages, customers=customers, seed=seed, speed=speed, start=start, spare=spare
        )
        self.storm.advance()
        return self.storm

    def stop_storm(self) -> bool:
        """End the storm: its outages are restored. Says whether there was one."""
        storm, self.storm = self.storm, None
        if storm is not None:
            storm.stop()
        return storm is not None

    def start_replay(self, path: Path, speed: float) -> Replay:
        """Play a recorded feed from now on.

        Raises:
            OSError, ValueError: when the file cannot be read or is no recording.
        """
        self.replay = Replay(read(path), self.territory, self.outages, speed=speed, start=self.clock.now())
        return self.replay

    def reset(self) -> None:
        """Back to the quiet day: nothing broken, no storm, no calls, no texts."""
        self.storm = self.replay = None
        self.faults.clear()
        self.tickets.clear()
        self.texts.clear()
        self.outages.clear()
        self.quiet = QuietDay(self.territory, self.outages)
        self.quiet.set_up()

    def demo_customers(self) -> list[dict[str, Any]]:
        """The hand-made customers, as the demo page and tests read them."""
        listed = []
        for customer in DEMO:
            points = [self.territory.service_point(row) for row in self.quiet.rows[customer.key]]
            first = points[0]
            listed.append(
                {
                    "key": customer.key,
                    "name": customer.name,
                    "phone": customer.phone,
                    "phone_on_file": customer.phone in first.phones,
                    "account_number": first.account_number,
                    "service_point_id": first.id,
                    "address": first.address,
                    "situation": customer.situation,
                    "life_support": first.life_support,
                    "premises": [self._premise(point) for point in points],
                }
            )
        return listed

    def _premise(self, point: ServicePoint) -> dict[str, Any]:
        status, outage = self.multispeak.state_at(point)
        return {
            "service_point_id": point.id,
            "account_number": point.account_number,
            "nickname": point.nickname or None,
            "address": point.address,
            "unit": point.unit or None,
            "outage_status": status,
            "outage_id": outage.id if outage else None,
            "etr": outage.etr.isoformat() if outage and outage.etr else None,
            "etr_class": outage.etr_class if outage else None,
            "crew": outage.crew if outage else None,
        }
