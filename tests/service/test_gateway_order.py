from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.identity import Identity, IdentityStore
from bot.switchboard.choices import ChoiceBook
from bot.switchboard.claims import Claim, TurnClaims
from bot.switchboard.models import Button, Reply
from bot.switchboard.order import ConversationOrder, TooLongInLine, order_keys
from integrations.base.redis import connect
from tests.fakes.gateway import until
from tests.fakes.redis_server import RedisServer

pytestmark = pytest.mark.service


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url)
    await client.flushdb()
    yield client
    await client.aclose()


async def test_two_processes_never_hold_a_conversation_at_once(redis: Redis) -> None:
    processes = [ConversationOrder(redis) for _ in range(4)]
    inside = most = 0
    fences: list[int] = []

    async def turn(order: ConversationOrder) -> None:
        nonlocal inside, most
        async with order.hold("c1", order.enter("c1"), None, 20) as hold:
            inside += 1
            most = max(most, inside)
            fences.append(hold.fence)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(turn(processes[number % 4]) for number in range(24)))
    assert most == 1 and fences == sorted(fences) and len(set(fences)) == 24


async def test_arrival_decides_the_order_within_a_process(redis: Redis) -> None:
    order = ConversationOrder(redis)
    seen: list[int] = []

    async def turn(number: int) -> None:
        place = order.enter("c1")
        for _ in range((7 * number) % 5):  # whatever comes between arriving and waiting
            await asyncio.sleep(0)
        async with order.hold("c1", place, None, 20):
            seen.append(number)

    tasks = [asyncio.create_task(turn(number)) for number in range(10)]
    await asyncio.gather(*tasks)
    assert seen == list(range(10)) and order.waiting("c1") == 0


async def test_conversations_do_not_wait_for_each_other(redis: Redis) -> None:
    order = ConversationOrder(redis)
    async with order.hold("c1", order.enter("c1"), None, 5), order.hold("c2", order.enter("c2"), None, 5):
        pass


async def test_a_holder_that_died_is_passed_over_and_told_apart(redis: Redis) -> None:
    dead, living = ConversationOrder(redis, life=0.3), ConversationOrder(redis, life=5)
    async with dead.hold("c1", None, None, 5) as old:
        await redis.delete(order_keys("c1")[3])  # as if its life had run out
        await redis.zrem(order_keys("c1")[0], "1")
        async with living.hold("c1", None, None, 5) as new:
            assert new.fence > old.fence
            await asyncio.wait_for(old.lost.wait(), 5)


async def test_a_place_that_was_reserved_and_never_used_is_passed_over(redis: Redis) -> None:
    line, alive, count, *_ = order_keys("c1")
    await redis.set(count, 1)
    await redis.zadd(line, {"1": 1})
    await redis.hset(alive, "1", "0")
    order = ConversationOrder(redis)
    async with order.hold("c1", order.enter("c1"), None, 5):
        pass


async def test_waiting_has_an_end_and_leaves_nothing(redis: Redis) -> None:
    order, other = ConversationOrder(redis), ConversationOrder(redis)
    async with order.hold("c1", order.enter("c1"), None, 5):
        with pytest.raises(TooLongInLine):
            async with other.hold("c1", other.enter("c1"), None, 0.1):
                pass
    assert await redis.zcard(order_keys("c1")[0]) == 0
    assert other.waiting("c1") == 0


async def test_a_waiter_that_is_cancelled_makes_way(redis: Redis) -> None:
    order = ConversationOrder(redis)

    async def wait() -> None:
        async with order.hold("c1", order.enter("c1"), None, 20):
            pass

    async with order.hold("c1", order.enter("c1"), None, 5):
        waiter = asyncio.create_task(wait())
        await until(lambda: order.waiting("c1") == 2)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        last = asyncio.create_task(wait())
        await until(lambda: order.waiting("c1") == 2)
    await asyncio.wait_for(last, 5)


async def test_a_turn_is_claimed_once_and_its_replies_can_be_recalled(redis: Redis) -> None:
    one, two = TurnClaims(redis), TurnClaims(redis)
    assert await one.take("c1", "t1") is Claim.NEW
    assert await two.take("c1", "t1") is Claim.RUNNING
    reply = Reply("hello", (Button("Yes", "/affirm", "id1"),), None, True, "bot", "utter_x")
    await one.finish("c1", "t1", [reply])
    assert await two.take("c1", "t1") is Claim.ANSWERED
    [said] = await two.said("c1", "t1")
    assert (said.text, said.buttons[0].title, said.buttons[0].payload) == ("hello", "Yes", "")


async def test_a_claim_of_a_process_that_died_ends(redis: Redis) -> None:
    dead, living = TurnClaims(redis, lease=0.05), TurnClaims(redis)
    assert await dead.take("c1", "t1") is Claim.NEW

    async def free() -> bool:
        return await living.take("c1", "t1") is Claim.NEW

    await until(free)
    await dead.release("c1", "t1")  # it was not dead after all; what is another's stays the other's
    assert await dead.take("c1", "t1") is Claim.RUNNING


async def test_an_old_holder_cannot_offer_over_a_new_one(redis: Redis) -> None:
    book = ChoiceBook(redis)
    await book.offer("c1", (Button("New", "/new", "n"),), 5)
    await book.offer("c1", (Button("Old", "/old", "o"),), 4)
    assert [button.title for button in await book.open("c1")] == ["New"]
    await book.offer("c1", (), 6)
    assert await book.open("c1") == ()


async def test_an_identity_is_kept_and_what_cannot_be_read_is_anonymous(redis: Redis) -> None:
    store = IdentityStore(redis)
    identity = Identity("c1", 1, "+12075550101", ("100", "200"))
    await store.put(identity)
    assert await store.get("c1") == identity
    assert 0 < await redis.ttl("identity:c1") <= 3_600
    for broken in ("", "[]", "{}", "not json", '{"level": "x"}'):
        await redis.set("identity:c2", broken)
        assert await store.get("c2") == Identity("c2")
