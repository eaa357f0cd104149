"""What ran by itself, and how it ended."""

from __future__ import annotations

from flask import Response, render_template

from tracker.workflows import monitoring
from webui import auth
from webui.monitor import room
from webui.monitor.room import pages
from webui.services import services


@pages.get("/study/jobs")
def jobs() -> str:
    """The newest slots of all jobs."""
    return render_template("monitor_jobs.html", slots=monitoring.jobs(services().access, auth.now()))


@pages.get("/study/jobs.csv")
def jobs_csv() -> Response:
    """The same as a table."""
    rows = (
        [s.job, s.slot, s.state, s.ended_at.isoformat() if s.ended_at else "", s.outcome or ""]
        for s in monitoring.jobs(services().access, auth.now())
    )
    return room.table("jobs", ("job", "slot", "state", "ended_at", "outcome"), rows)
