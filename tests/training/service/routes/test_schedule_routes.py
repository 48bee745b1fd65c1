"""Schedules by REST: put, paused, resumed, removed; what cannot be is refused where it is wrong."""

from __future__ import annotations

from tests.training.service.conftest import Service

NIGHTLY = {"cron": "0 3 * * *", "time_zone": "Europe/Berlin", "parameters": {"top": 5}}


def test_a_schedule_is_put_listed_paused_resumed_and_removed(service: Service) -> None:
    put = service.client.put("/v1/schedules/nightly", json=NIGHTLY)
    assert put.status_code == 200, put.text
    assert put.json()["next_tick"].split("T")[1].startswith("03:00:00+0")
    assert service.client.get("/v1/schedules").json() == [put.json()]
    assert service.client.post("/v1/schedules/nightly/pause").json()["next_tick"] is None
    assert service.client.post("/v1/schedules/nightly/resume").json()["next_tick"]
    new_day = service.client.put("/v1/schedules/nightly", json={**NIGHTLY, "new_partition": "day", "new_labels": 50})
    assert (new_day.json()["new_partition"], new_day.json()["new_labels"]) == ("day", 50)
    assert "Europe/Berlin, after 50 new labels, after a new day" in service.client.get("/").text
    assert service.client.delete("/v1/schedules/nightly").status_code == 204
    gone = service.client.post("/v1/schedules/nightly/pause")
    assert (gone.status_code, gone.json()["type"]) == (404, "/docs#unknown-name")


def test_a_schedule_that_cannot_be_is_refused_where_it_is_wrong(service: Service) -> None:
    for changed, path in (
        ({"cron": "0 0 31 4 *"}, "$.cron"),
        ({"time_zone": "Europe/Berln"}, "$.time_zone"),
        ({"new_labels": -1}, "$.new_labels"),
        ({"new_partition": "month"}, "$.new_partition"),
        (
            {
                "template": "batch-score",
                "new_partition": "day",
                "parameters": {"model": "m", "spine": "rows.csv", "output": "out.parquet"},
            },
            "$.new_partition",
        ),
        ({"template": "score"}, "$.template"),
        ({"parameters": {"seed": "x"}}, "$.parameters.seed"),
    ):
        answer = service.client.put("/v1/schedules/never", json={**NIGHTLY, **changed})
        assert (answer.status_code, answer.json().get("path")) == (422, path), answer.text
    assert service.client.get("/v1/schedules").json() == []
