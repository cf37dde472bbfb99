"""The outage board: what is out where, in memory, kept fresh by pushes and polls.

A look-up that finds its answer in a fresh board makes no call. Otherwise the OMS is asked once, within the turn's
budget, and when it does not answer, the board's own knowledge is given with its age.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from integrations.base.clock import Monotonic, Now, utc_now
from integrations.base.settings import Settings
from integrations.gis.arcgis import ArcGisLayer, GisUnavailable
from integrations.gis.index import Area, AreaIndex
from integrations.oms.client import Location, MultiSpeakOms
from integrations.oms.errors import OmsError
from integrations.oms.models import EtrClass, Event, LocationEvent, Outage, OutageStatus, OutageView
from integrations.oms.state import BoardState
from integrations.oms.stream import EventStream

log = structlog.get_logger()

_MEMBERS_AT_ONCE = 4
_LIVE_KEPT_SECONDS = 5.0
_LIVE_MOST = 20_000
_KEPT_SECONDS = 60.0


class Place(Protocol):
    """What the board needs of a premise (`integrations.cis.models.Premise` has it)."""

    @property
    def service_point_id(self) -> str: ...  # noqa: D102
    @property
    def meter_id(self) -> str: ...  # noqa: D102
    @property
    def account_number(self) -> str: ...  # noqa: D102
    @property
    def lat(self) -> float: ...  # noqa: D102
    @property
    def lon(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class AreaSummary:
    """Outages around a place.

    Attributes:
        known: False when no areas could be loaded: nothing can be said.
        outages: how many.
        customers_out: in all of them; None when none says how many.
        latest_etr: the latest restoration time that has not passed; None when any of them has none.
        as_of: when this was last known to be true.
    """

    known: bool
    outages: int
    customers_out: int | None
    latest_etr: datetime | None
    as_of: datetime


class OutageBoard:
    """Outages of the whole territory.

    Args:
        oms: for polls and for what the board does not know.
        stream: pushes; without one there are only polls.
        areas: outage areas; without them an address that the OMS does not know stays unknown.
        poll_seconds: between polls when nothing is pushed; ten times that when pushes arrive.
        fresh_seconds: how old the board may be to answer alone; by default three polls.
        live_at_once: live calls at any moment; in a storm the rest is answered from the board.
    """

    def __init__(
        self,
        oms: MultiSpeakOms,
        stream: EventStream | None = None,
        areas: ArcGisLayer | None = None,
        *,
        poll_seconds: float = 30.0,
        fresh_seconds: float | None = None,
        live_at_once: int = 32,
        now: Now = utc_now,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self.state = BoardState()
        self._oms = oms
        self._stream = stream
        self._layer = areas
        self._poll_seconds = poll_seconds
        self._fresh = timedelta(seconds=fresh_seconds if fresh_seconds is not None else 3 * poll_seconds)
        self._live_free = live_at_once
        self._now = now
        self._monotonic = monotonic
        self._areas = AreaIndex()
        self._areas_at: datetime | None = None
        self._heard_at: datetime | None = None
        self._pushed_at: datetime | None = None
        self._polled_at: datetime | None = None
        self._kept_at: float | None = None
        self._stream_id = "0-0"
        self._asking: dict[str, asyncio.Task[LocationEvent | None]] = {}
        self._answers: dict[str, tuple[float, LocationEvent, datetime]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    def from_settings(cls, settings: Settings, redis: Redis, oms: MultiSpeakOms | None = None) -> OutageBoard:
        """Build it, and the clients that it needs, as the environment says."""
        return cls(
            oms or MultiSpeakOms.from_settings(settings),
            EventStream(redis),
            ArcGisLayer.from_settings(settings),
            poll_seconds=settings.oms_poll_seconds,
        )

    @property
    def as_of(self) -> datetime | None:
        """When the OMS was last heard from; None when never."""
        return self._heard_at

    async def start(self, wait_seconds: float = 3.0) -> None:
        """Load what was kept, begin to listen and to poll; wait a little for the first poll, and never for a dead OMS.

        Args:
            wait_seconds: how long the start may take because of the first poll.
        """
        await self._load_kept()
        polled = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._poll(polled), name="outage board: polls"))
        if self._stream is not None:
            self._tasks.append(asyncio.create_task(self._listen(self._stream), name="outage board: pushes"))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(polled.wait(), wait_seconds)

    async def stop(self) -> None:
        """Stop listening, polling and asking."""
        tasks = [*self._tasks, *self._asking.values()]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._asking.clear()

    async def aclose(self) -> None:
        """Stop, and close the clients that it was given."""
        await self.stop()
        await self._oms.aclose()
        if self._layer is not None:
            await self._layer.aclose()

    # -- answers

    def peek(self, premise: Place) -> OutageView | None:
        """The answer from a fresh board, without any waiting; None when the OMS would have to be asked.

        Work that is planned for tomorrow does not explain why it is dark today, so it is no answer by itself.
        """
        heard = self._heard_at
        now = self._now()
        if heard is None or now - heard > self._fresh:
            return None
        outage = self.state.find(premise.service_point_id, premise.meter_id, now)
        if outage is None or outage.status is OutageStatus.SCHEDULED:
            return None
        return OutageView(outage, outage.status, heard, "board")

    async def lookup(self, premise: Place) -> OutageView:
        """The state of a premise. Never raises; takes no longer than the OMS's budget.

        Returns:
            From a fresh board when it has the premise out or restored; else what the OMS says now; else the board with
            its age.
        """
        view = self.peek(premise)
        if view is not None:
            return view
        try:
            live = await self._ask(premise)
            if live is not None:
                view = self._from_live(premise, *live)
        except Exception:
            # The customer is waiting: whatever this was, the board still has an answer.
            log.exception("outage look-up failed")
        return view or self._from_memory(premise)

    def area_summary(self, lat: float, lon: float, radius_m: float) -> AreaSummary:
        """What is out within a distance of a place."""
        now = self._now()
        if self._areas_at is None:
            return AreaSummary(False, 0, None, None, now)
        outages: dict[str, Outage] = {}
        counts: dict[str, int] = {}
        for area, _ in self._areas.near(lat, lon, radius_m):
            outage = self.state.outage(area.outage_id)
            if outage is not None and not outage.status.is_out:
                continue
            outages[area.outage_id] = outage or Outage(area.outage_id, OutageStatus.ASSUMED)
            customers = outage.customers_out if outage else area.customers
            if customers is not None:
                counts[area.outage_id] = customers
        etrs = [outage.etr for outage in outages.values()]
        future = [etr for etr in etrs if etr is not None and etr > now]
        latest = max(future) if future and len(future) == len(etrs) else None
        customers_out = sum(counts.values()) if counts or not outages else None
        return AreaSummary(True, len(outages), customers_out, latest, self._areas_at)

    # -- keeping fresh

    async def apply(self, events: list[Event], received_at: datetime | None = None) -> None:
        """Take events that came some other way than by the stream."""
        moment = received_at or self._now()
        for event in events:
            self._take(event, moment)

    async def refresh(self) -> bool:
        """Ask for all active outages and areas now.

        Returns:
            Whether the OMS answered.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._refresh_areas(), name="outage areas")
            outages = group.create_task(self._refresh_outages(), name="outages")
        return outages.result()

    async def _refresh_outages(self) -> bool:
        started = self._now()
        try:
            events = await self._oms.active_outages()
        except OmsError as error:
            log.warning("poll of the OMS failed", reason=str(error))
            return False
        vanished = self.state.snapshot(events, started)
        self._polled_at = started
        self._heard(started)
        await self._fill_in(vanished)
        self.state.forget_old(self._now())
        await self._keep()
        return True

    async def _fill_in(self, vanished: list[str]) -> None:
        """Ask what became of ids that are not listed any more, and whom the new ones affect; neither is urgent."""
        wanting = self.state.wanting_members()
        # Boards of several processes share the work: each begins elsewhere and hears what the others learned.
        random.shuffle(wanting)
        turns = asyncio.Semaphore(_MEMBERS_AT_ONCE)

        async def ask(outage_id: str, gone: bool) -> None:
            async with turns:
                if not self._oms.available or (not gone and outage_id not in self.state.wanting_members()):
                    return
                with contextlib.suppress(OmsError):
                    event = await (self._oms.outage(outage_id) if gone else self._oms.affected(outage_id))
                    if event is None or (gone and (event.outage is None or event.outage.status.is_out)):
                        return
                    self._take(event, self._now())
                    await self._share(event)

        async with asyncio.TaskGroup() as group:
            for outage_id in vanished:
                group.create_task(ask(outage_id, True))
            for outage_id in wanting:
                group.create_task(ask(outage_id, False))

    async def _refresh_areas(self) -> None:
        if self._layer is None:
            return
        started = self._now()
        try:
            features = await self._layer.query()
        except GisUnavailable as error:
            log.warning("outage areas not available", reason=str(error))
            return
        areas = []
        for feature in features:
            outage_id = feature.get("outageId", "outageNumber", "outageEventId", "incidentId", "id")
            customers = feature.get("customersOut", "customersAffected", "estCustAffected", "customers")
            if outage_id is not None and feature.geometry is not None:
                count = int(customers) if isinstance(customers, int | float) else None
                areas.append(Area(str(outage_id), feature.geometry, count))
        self._areas = await asyncio.to_thread(AreaIndex, areas)
        self._areas_at = started

    async def _poll(self, polled: asyncio.Event) -> None:
        while True:
            now = self._now()
            gap = timedelta(seconds=self._poll_seconds * 0.9)
            pushes_stopped = self._pushed_at is None or now - self._pushed_at > gap
            long_ago = self._polled_at is None or now - self._polled_at > gap * 10
            if pushes_stopped or long_ago:
                try:
                    await self.refresh()
                except Exception:
                    # The loop has to go on; a board that stopped polling would grow old in silence.
                    log.exception("poll failed")
            polled.set()
            # A little of its own rhythm for each process, so that they do not all ask in the same moment.
            await asyncio.sleep(self._poll_seconds * random.uniform(0.9, 1.1))

    async def _listen(self, stream: EventStream) -> None:
        while True:
            try:
                self._stream_id, events = await stream.read(self._stream_id)
                for event, received_at in events:
                    self._take(event, received_at)
                    self._pushed_at = max(self._pushed_at or received_at, received_at)
            except (RedisError, OSError) as error:
                log.warning("pushes cannot be read", error=type(error).__name__)
                await asyncio.sleep(1.0)
            except Exception:
                log.exception("a push could not be taken")
                await asyncio.sleep(1.0)

    def _take(self, event: Event, received_at: datetime) -> None:
        if self.state.apply(event, received_at) and self._answers:
            for key in self._answers.keys() & {*event.service_points, *self.state.members(event.outage_id)}:
                del self._answers[key]
        self._heard(received_at)

    def _heard(self, at: datetime) -> None:
        self._heard_at = max(self._heard_at or at, at)

    async def _share(self, event: Event) -> None:
        if self._stream is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._stream.publish([event])

    async def _keep(self) -> None:
        """Keep the board in Redis, at most once a minute: in a storm it is several megabytes."""
        recently = self._kept_at is not None and self._monotonic() - self._kept_at < _KEPT_SECONDS
        if self._stream is None or self._heard_at is None or recently:
            return
        self._kept_at = self._monotonic()
        data = self.state.to_dict() | {"heard_at": self._heard_at.isoformat(), "stream_id": self._stream_id}
        try:
            await self._stream.save_snapshot(data)
        except (RedisError, OSError) as error:
            log.warning("the board could not be kept", error=type(error).__name__)

    async def _load_kept(self) -> None:
        if self._stream is None:
            return
        try:
            kept = await self._stream.load_snapshot()
            if kept is not None:
                self.state.load(kept)
                self._heard(datetime.fromisoformat(kept["heard_at"]))
                self._stream_id = str(kept["stream_id"])
        except (RedisError, OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the kept board cannot be read", error=type(error).__name__)
        with contextlib.suppress(RedisError, OSError):
            while True:
                self._stream_id, events = await self._stream.read(self._stream_id, wait_ms=0)
                for event, received_at in events:
                    self._take(event, received_at)
                if not events:
                    return

    # -- asking

    async def _ask(self, premise: Place) -> tuple[LocationEvent, datetime] | None:
        """One live call for a premise, shared by all who ask at the same time; None when there is no answer."""
        key = premise.service_point_id or premise.account_number
        if not key or (not self._oms.available and key not in self._asking):
            if key:
                # Refused at once; the client uses the occasion to see whether the OMS is back.
                with contextlib.suppress(OmsError):
                    await self._oms.location_event(_location(premise))
            return None
        kept = self._answers.get(key)
        if kept is not None and self._monotonic() - kept[0] < _LIVE_KEPT_SECONDS:
            return kept[1], kept[2]
        task = self._asking.get(key)
        if task is None:
            if len(self._asking) >= self._live_free:
                return None
            task = asyncio.create_task(self._ask_oms(key, premise), name="ask the OMS for a premise")
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        answer = await asyncio.shield(task)
        return None if answer is None else (answer, self._answers.get(key, (0.0, answer, self._now()))[2])

    async def _ask_oms(self, key: str, premise: Place) -> LocationEvent | None:
        try:
            answer = await self._oms.location_event(_location(premise))
        except OmsError as error:
            log.info("live look-up failed", reason=str(error))
            return None
        if len(self._answers) > _LIVE_MOST:
            self._answers.clear()
        self._answers[key] = (self._monotonic(), answer, self._now())
        return answer

    def _from_live(self, premise: Place, live: LocationEvent, at: datetime) -> OutageView | None:
        now = self._now()
        if not live.found or live.status is OutageStatus.UNKNOWN:
            return None
        if live.status in (OutageStatus.NO_OUTAGE, OutageStatus.NON_PAY):
            return OutageView(None, live.status, at, "live")
        known = self.state.outage(live.outage_id) if live.outage_id else None
        if known is None and not live.outage_id:
            known = self._outage_around(premise)
        base = known or Outage(live.outage_id or f"at:{premise.service_point_id}", live.status)
        had_etr = live.etr_withdrawn or base.etr is not None or base.etr_withdrawn
        withdrawn = live.status.is_out and live.etr is None and live.etr_class is not EtrClass.EXPIRED and had_etr
        outage = replace(
            base,
            status=live.status,
            crew=live.crew,
            etr=live.etr,
            etr_class=EtrClass.ASSESSING if withdrawn else live.etr_class,
            etr_withdrawn=withdrawn,
            planned=base.planned or live.status is OutageStatus.SCHEDULED,
            updated_at=at,
        )
        if live.outage_id:
            self.state.note_member(premise.service_point_id, live.outage_id)
        return OutageView(outage.as_seen_at(now), live.status, at, "live")

    def _from_memory(self, premise: Place) -> OutageView:
        """What the board knows, however old; being unlisted in an old board means nothing."""
        now = self._now()
        heard = self._heard_at
        if heard is None:
            return OutageView(None, OutageStatus.UNKNOWN, now, "none")
        outage = self.state.find(premise.service_point_id, premise.meter_id, now)
        if outage is not None:
            return OutageView(outage, outage.status, heard, "board")
        last = self.state.last_known(premise.service_point_id, premise.meter_id, now)
        if last is not None:
            return OutageView(last[0], last[0].status, last[1], "board")
        around = self._outage_around(premise)
        if around is not None:
            assumed = replace(around, status=OutageStatus.ASSUMED).as_seen_at(now)
            return OutageView(assumed, OutageStatus.ASSUMED, heard, "board")
        fresh = now - heard <= self._fresh
        return OutageView(None, OutageStatus.NO_OUTAGE if fresh else OutageStatus.UNKNOWN, heard, "board")

    def _outage_around(self, premise: Place) -> Outage | None:
        """The smallest listed outage whose area the premise is in."""
        for area in self._areas.at(premise.lat, premise.lon):
            outage = self.state.outage(area.outage_id)
            if outage is not None and outage.status.is_out:
                return outage
        return None


def _location(premise: Place) -> Location:
    return Location(premise.service_point_id, premise.meter_id, premise.account_number)
