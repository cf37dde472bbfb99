"""The default state: a quiet day with nine small outages, one for each situation of the hand-made customers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .clock import to_quarter
from .demo import demo_rows
from .outages import Outages, SimOutage
from .territory import Level, Territory

LOCAL = ZoneInfo("America/New_York")

# key of the customer -> level of the device, minutes since the start, the outage's fields; "etr": minutes from now
_SITUATIONS: dict[str, tuple[Level, int, dict[str, Any]]] = {
    "crew_etr": (Level.TRANSFORMER, 95, {
        "status": "Confirmed", "etr": 130, "etr_class": "CREW", "crew": "EN_ROUTE",
        "cause": "a tree on the lines", "cause_code": "Vegetation"}),
    "no_etr": (Level.TRANSFORMER, 40, {"status": "Confirmed", "etr_class": "NONE", "crew": "NONE"}),
    "expired_etr": (Level.TRANSFORMER, 300, {
        "status": "Confirmed", "etr": -35, "etr_class": "EXPIRED", "crew": "ON_SITE",
        "cause": "damaged equipment", "cause_code": "Equipment"}),
    "area_etr": (Level.SECTION, 210, {
        "status": "Confirmed", "etr": 420, "etr_class": "AREA", "crew": "ASSIGNED",
        "cause": "high winds", "cause_code": "Weather"}),
    "two_premises": (Level.TRANSFORMER, 70, {
        "status": "Confirmed", "etr": 100, "etr_class": "CREW", "crew": "ON_SITE",
        "cause": "an animal in our equipment", "cause_code": "Wildlife"}),
    "planned": (Level.TRANSFORMER, 0, {
        "status": "Scheduled", "planned": True, "etr_class": "CREW", "crew": "NONE",
        "cause": "planned work on our equipment", "cause_code": "Planned"}),
    "life_support": (Level.TRANSFORMER, 55, {
        "status": "Confirmed", "etr": 150, "etr_class": "STATISTICAL", "crew": "ASSIGNED",
        "cause": "a vehicle that hit a pole", "cause_code": "Public"}),
    "unknown_number": (Level.TRANSFORMER, 25, {"status": "Assumed", "etr_class": "ASSESSING", "crew": "ASSIGNED"}),
    "withdrawn_etr": (Level.TRANSFORMER, 520, {
        "status": "Confirmed", "etr_class": "ASSESSING", "etr_withdrawn": True, "crew": "SUSPENDED",
        "cause": "a tree on the lines", "cause_code": "Vegetation"}),
}  # fmt: skip


class QuietDay:
    """Sets up the situations and keeps them true while the process runs."""

    def __init__(self, territory: Territory, outages: Outages) -> None:
        self.territory, self.outages = territory, outages
        self.rows = demo_rows(territory.size)
        self._kept: dict[str, str] = {}
        self._restored = ""

    def set_up(self) -> None:
        """Open the outages of the quiet day."""
        for key, (level, since, fields) in _SITUATIONS.items():
            self._open(key, level, since, fields)
        self._restored_but_out()

    def refresh(self) -> None:
        """Move times on when they would no longer fit the situation (a restoration time that a morning has overtaken).

        Outages that somebody has changed or ended are left alone.
        """
        now = self.outages.clock.now()
        before = self.outages.by_id.get(self._restored)
        if before is not None and before.completed is not None and now - before.completed > timedelta(hours=12):
            self._restored_but_out()
        for key, outage_id in self._kept.items():
            outage = self.outages.by_id.get(outage_id)
            if outage is None or not outage.active or outage.touched:
                continue
            minutes = _SITUATIONS[key][2].get("etr")
            if outage.planned and outage.started_at < now:
                start, end = self._tomorrow(now)
                self.outages.change(outage, started_at=start, etr=end)
            elif minutes and minutes > 0 and outage.etr and outage.etr < now + timedelta(minutes=20):
                self.outages.change(outage, etr=to_quarter(now + timedelta(minutes=minutes)))

    def _open(self, key: str, level: Level, since: int, fields: dict[str, Any]) -> SimOutage:
        now = self.outages.clock.now()
        row = self.rows[key][-1]
        device = self.territory.device_of(row, level)
        others = {one for name, rows in self.rows.items() for one in rows if one != row}
        members = [one for one in self.territory.rows(device).tolist() if one not in others]
        values = dict(fields)
        minutes = values.pop("etr", None)
        etr = None if minutes is None else to_quarter(now + timedelta(minutes=minutes))
        start = now - timedelta(minutes=since)
        if values.get("planned"):
            start, etr = self._tomorrow(now)
        crew = values["crew"]
        outage = self.outages.open(
            device, members, started_at=start, etr=etr, origin="quiet",
            first_dispatch=start + timedelta(minutes=15) if crew != "NONE" else None,
            first_arrival=start + timedelta(minutes=50) if crew in ("ON_SITE", "SUSPENDED") else None,
            **values,
        )  # fmt: skip
        self._kept[key] = outage.id
        return outage

    def _restored_but_out(self) -> None:
        now = self.outages.clock.now()
        row = self.rows["still_out"][0]
        device = self.territory.device_of(row, Level.SECTION)
        taken = {one for name, rows in self.rows.items() for one in rows if one != row}
        members = [one for one in self.territory.rows(device).tolist() if one not in taken]
        outage = self.outages.open(
            device, members, started_at=now - timedelta(minutes=185), status="Confirmed", origin="quiet",
            etr_class="CREW", etr=to_quarter(now - timedelta(minutes=10)), crew="ON_SITE",
            cause="damaged equipment", cause_code="Equipment",
        )  # fmt: skip
        self.outages.restore(outage)
        self._restored = outage.id

    @staticmethod
    def _tomorrow(now: datetime) -> tuple[datetime, datetime]:
        morning = (now.astimezone(LOCAL) + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
        return morning.astimezone(now.tzinfo), (morning + timedelta(hours=3)).astimezone(now.tzinfo)
