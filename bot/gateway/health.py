"""Is it alive, is it ready, and how is it doing."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from bot.gateway import settings
from bot.metrics import render_metrics
from bot.services.workers import ready_workers

routes = web.RouteTableDef()
log = logging.getLogger(__name__)


@routes.get("/healthz")
async def healthz(_request: web.Request) -> web.Response:
    """200 while the process lives."""
    return web.json_response({"status": "alive"})


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """200 when the database answers and a worker holds a loaded model; 503 with the reason otherwise."""
    try:
        workers = await ready_workers(request.app[settings.DATABASE], request.app[settings.CLOCK])
    except Exception as error:  # whatever the driver calls it
        log.warning("not ready: the database does not answer (%s)", type(error).__name__)
        return web.json_response({"status": "unavailable", "reason": "the database does not answer"}, status=503)
    if not workers:
        reason = "no worker holds a loaded model yet; messages are kept and answered as soon as one does"
        return web.json_response({"status": "starting", "reason": reason}, status=503)
    models = sorted({worker.model for worker in workers if worker.model})
    return web.json_response({"status": "ready", "workers": len(workers), "models": models})


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """What all processes that share the metrics folder have measured, as Prometheus text."""
    text = await asyncio.to_thread(render_metrics, request.app[settings.SETTINGS].metrics_dir)
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
