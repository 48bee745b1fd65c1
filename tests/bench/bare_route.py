"""The yardstick of predictions: a FastAPI route that reads a JSON body and answers a constant score."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

app = FastAPI(title="a bare route")


@app.post("/predict")
async def predict(body: dict[str, Any]) -> dict[str, float]:
    """The body goes through FastAPI's own JSON, the answer too."""
    return {"score": 0.5}
