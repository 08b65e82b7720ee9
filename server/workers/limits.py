"""From settings to the limits of fetching, verifying and the pipeline."""

from __future__ import annotations

from dataclasses import replace

from server.config import Settings
from server.media.verify import VerifyLimits
from server.net.limits import FetchLimits, RobotsTxt
from server.pipeline.batches import BatchLimits
from server.pipeline.pipeline import PipelineLimits
from server.pipeline.retry import RetryPolicy
from server.pipeline.schedule import ScheduleLimits
from server.services.training import JobRules


def fetch_limits(settings: Settings) -> FetchLimits:
    """Return how much an address may take, and its server be asked."""
    fetch = settings.fetch
    return FetchLimits(
        allowed_hosts=fetch.allowed_hosts,
        max_bytes=fetch.max_bytes,
        total_s=fetch.total_s,
        connect_s=fetch.connect_s,
        read_s=fetch.idle_s,
        max_redirects=fetch.max_redirects,
        concurrency=fetch.concurrency,
        per_host=fetch.per_host,
        respect_opt_out=fetch.respect_opt_out,
        robots_txt=RobotsTxt(fetch.robots_txt),
        contact=fetch.contact,
    )


def verify_limits(settings: Settings) -> VerifyLimits:
    """Return what is taken for an image."""
    fetch = settings.fetch
    return VerifyLimits(max_pixels=fetch.max_pixels, min_side_px=fetch.min_side_px)


def job_rules(settings: Settings) -> JobRules:
    """Return how long a worker may be silent, and how often a job is claimed."""
    return JobRules(settings.training.lease_s, settings.training.max_attempts)


def pipeline_limits(
    settings: Settings, *, decode_niceness: int = 0, has_thumbnails: bool = True
) -> PipelineLimits:
    """Return the bounds of the download pipeline.

    Args:
        settings: All of them.
        decode_niceness: See `PipelineLimits`; for programs that answer somebody meanwhile.
        has_thumbnails: Whether they are kept; they are not encoded for nothing.
    """
    fetch = settings.fetch
    return PipelineLimits(
        schedule=ScheduleLimits(
            total=fetch.concurrency,
            per_host=fetch.per_host,
            capacity=fetch.max_waiting,
            pace_s=fetch.pace_s,
        ),
        batch=BatchLimits(rows=fetch.batch_rows, wait_s=fetch.batch_s),
        retry=RetryPolicy(fetch.max_attempts, fetch.backoff_s, fetch.max_backoff_s),
        verify=replace(verify_limits(settings), has_thumbnail=has_thumbnails),
        decode_threads=fetch.decode_threads,
        body_bytes=fetch.max_body_bytes,
        decode_niceness=decode_niceness,
    )
