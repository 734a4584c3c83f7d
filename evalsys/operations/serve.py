"""`evalsys serve`: the site on a production server."""

from __future__ import annotations

import os
import socket
import threading

import click
from flask import Flask
from flask_babel import gettext as _

from evalsys.base import migrations
from evalsys.base.command import application
from evalsys.base.errors import Conflict, Invalid
from evalsys.config import Settings
from evalsys.operations.jobs import worker_of
from evalsys.web import create_app

THREADS = 32  # a worker; recipients' answers that wait for the disk together are written together


def serve_site(settings: Settings, *, host: str, workers: int = 1) -> None:
    """Serve until a signal ends it. Each worker builds its own application from the environment."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    server = Granian(
        "evalsys.operations.serve:served_app",
        factory=True,
        address=host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        websockets=False,
        log_level=LogLevels.error,
    )
    server.serve()


def served_app() -> Flask:
    """The application of one process, with a worker beside it that sends messages.

    The worker ends with the process's main thread, when it has noted how the message in hand came out.
    """
    app = create_app()
    process = threading.main_thread()

    def work() -> None:
        with app.app_context():
            worker = worker_of(app.extensions["database"], app.extensions["post_office"], app.config["SETTINGS"])
            worker.run(go_on=process.is_alive, wait=process.join)

    threading.Thread(target=work, name="messages").start()
    return app


def require_free_port(host: str, port: int) -> None:
    """Raises Conflict when somebody listens there: servers would share the port, and answer in turn."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Conflict(
                _("Cannot listen on %(host)s:%(port)s: %(why)s.", host=host, port=port, why=error.strerror or error),
                remedy=_("Stop what listens there, or set PORT to another number."),
            ) from error


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--workers", type=click.IntRange(1), help="Processes: one on SQLite, else one for each processor.")
@click.option("--upgrade", is_flag=True, help="Bring the database's schema up to date first.")
def serve(host: str, workers: int | None, upgrade: bool) -> None:
    """Serve the site from the EVALSYS_* settings, on PORT (8000)."""
    settings = Settings.from_environment(demo_key=False)
    settings.require_secret_key()
    with application(settings, newest_schema=False) as database:
        if workers is None:
            workers = 1 if database.is_sqlite else os.cpu_count() or 1
        if database.is_sqlite and workers > 1:
            raise Invalid(
                _("On SQLite one process serves the site."),
                remedy=_("Leave --workers out, or set EVALSYS_DATABASE_URL to a PostgreSQL database."),
            )
        if upgrade:
            migrations.upgrade(database)
        migrations.require_newest(database)
        require_free_port(host, settings.port)
        place = database.url.render_as_string(hide_password=True)
        click.echo(f"evalsys: http://{host}:{settings.port} ({place})")
    serve_site(settings, host=host, workers=workers)
