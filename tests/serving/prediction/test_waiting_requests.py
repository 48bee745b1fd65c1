"""Requests that wait: who is answered together asks again together, and nobody waits for who does not come."""

import asyncio

import pytest

from serving.connections.asking_client import AskingClient
from serving.prediction import waiting_requests
from serving.prediction.batch_answers import Asked
from serving.prediction.waiting_requests import Waiting, WaitingRequests
from serving.request.request_body import PredictionRequest


def waiting(rows: int = 1) -> Waiting:
    client = AskingClient()
    request = PredictionRequest([object()] * rows, None, False, None, "at")
    return Waiting(Asked(request, 0, None, client), client, asyncio.get_running_loop().create_future())


async def answered(requests: WaitingRequests, count: int) -> None:
    """So many were taken by the last round trip."""
    for _ in range(count):
        requests.add(waiting())
    assert len(requests.take()[0]) == count


async def come_one_by_one(requests: WaitingRequests, count: int) -> None:
    for _ in range(count):
        for _ in range(5):  # turns of the event loop, as between two packets
            await asyncio.sleep(0)
        requests.add(waiting())


@pytest.fixture
def patient(monkeypatch):
    """However slow the machine is: who comes, comes in time."""
    monkeypatch.setattr(waiting_requests, "_GATHER_S", 60.0)
    monkeypatch.setattr(waiting_requests, "_GATHER_AT_MOST_S", 60.0)


def test_those_who_were_answered_join_those_who_wait(patient):
    async def scenario():
        requests = WaitingRequests(60.0)
        await answered(requests, 3)
        requests.add(waiting())
        coming = asyncio.create_task(come_one_by_one(requests, 5))
        await requests.gather()
        batch, rows = requests.take()
        await coming
        return len(batch), rows, requests.rows

    assert asyncio.run(scenario()) == (4, 4, 2)  # the one who waited, and as many as were answered


def test_nobody_waits_for_who_does_not_come():
    async def scenario():
        requests = WaitingRequests(60.0)
        await answered(requests, 3)
        requests.add(waiting())
        await asyncio.wait_for(requests.gather(), 60)
        return len(requests.take()[0])

    assert asyncio.run(scenario()) == 1


def test_where_nobody_waits_there_is_nothing_to_gather_for(patient):
    async def scenario():
        requests = WaitingRequests(60.0)
        await answered(requests, 3)
        await requests.gather()
        return bool(requests)

    assert asyncio.run(scenario()) is False


def test_rows_that_make_a_full_round_trip_wait_for_no_others(patient):
    async def scenario():
        requests = WaitingRequests(60.0)
        await answered(requests, 3)
        requests.add(waiting(rows=32))
        await requests.gather()
        return requests.take()[1]

    assert asyncio.run(scenario()) == 32


def test_a_round_trip_takes_no_more_rows_than_it_can_hold_but_at_least_one_request():
    async def scenario():
        requests = WaitingRequests(60.0)
        for rows in (500, 128, 128, 128):
            requests.add(waiting(rows))
        return [requests.take()[1] for _ in range(3)], requests.rows

    assert asyncio.run(scenario()) == ([500, 256, 128], 0)
