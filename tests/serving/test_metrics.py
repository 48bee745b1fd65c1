"""What Prometheus sees of serving."""

import asyncio

from tests.serving.conftest import INSTANCE

PATH = "/v1/views/breakdown:predict"


def test_metrics_count_answers_by_status_ages_and_missing_entities(serving):
    async def requests():
        async with serving() as client:
            for body in (INSTANCE, INSTANCE, INSTANCE | {"plant": "south"}, {}):
                await client.post(PATH, json={"instances": [body]})
            await client.post("/v1/views/none:predict", json={})
            return (await client.get("/metrics")).text

    text = asyncio.run(requests())
    for line in (
        'serving_requests_total{status="200",view="breakdown:v1"} 3.0',
        'serving_requests_total{status="422",view="breakdown:v1"} 1.0',
        'serving_requests_total{status="404",view=""} 1.0',
        'serving_feature_age_seconds_count{group="machine_heat"} 2.0',
        'serving_missing_entities_total{group="hot_plant"} 1.0',
        'serving_unreadable_states_total{group="machine_heat"} 0.0',
        'serving_model_info{model="breakdown",version="1",view="breakdown:v1"} 1.0',
        "serving_batch_instances_sum 3.0",
    ):
        assert line in text, line
