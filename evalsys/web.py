"""The application: the only place that knows all views. Error pages and headers stand here too."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFError, CSRFProtect
from jinja2 import StrictUndefined
from sqlalchemy import exists, select, text
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from evalsys import config
from evalsys.accounts import signing_in
from evalsys.accounts import views as accounts
from evalsys.appeals import follow_up_views, letter_views, rectification_views, reply_views
from evalsys.appeals import views as appeals
from evalsys.base import access, forms, language, navigation, outages, problems
from evalsys.base.bodies import ReadToTheEnd
from evalsys.base.compression import compressed
from evalsys.base.db import LARGEST_ID, Database, close_reading, reading
from evalsys.base.errors import Fault
from evalsys.base.listing import PAGE_SIZES
from evalsys.base.post import PostOffice
from evalsys.collection import (
    cosign_views,
    desk_views,
    evidence_views,
    export_views,
    interest_views,
    interview_views,
    invitation_views,
    late_views,
    measured_views,
    outcome_views,
    paper_views,
    plan_views,
    ratings_views,
    recheck_views,
    return_views,
    sample_views,
    survey_views,
    worksheet_views,
)
from evalsys.collection import views as collection
from evalsys.collection.messages import views as messages
from evalsys.collection.slots import SLOTS
from evalsys.config import Settings
from evalsys.evaluation import early_views, integrity_views, reliability_views
from evalsys.evaluation import views as evaluation
from evalsys.publication import officer_views as publishing
from evalsys.publication import views as publication
from evalsys.publication.api import views as api
from evalsys.registry import views as registry
from evalsys.registry.models import Cycle
from evalsys.selection import views as selection

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
UPLOAD_LIMIT = 32 * 1024 * 1024
TEXT_LIMIT = 1024 * 1024


class IdConverter(IntegerConverter):
    """A row's id in an address; one that no row can have is no page, instead of the database's error."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=LARGEST_ID)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application.

    Args:
        settings: read from the environment when not given.

    Raises:
        SettingMissing: there is no secret key, or a way out for messages cannot be read.
    """
    settings = settings or Settings.from_environment()
    app = Flask("evalsys", template_folder=str(config.TEMPLATES), static_folder=str(Path(__file__).parent / "static"))
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.require_secret_key(),
        MAX_CONTENT_LENGTH=UPLOAD_LIMIT,
        MAX_FORM_MEMORY_SIZE=TEXT_LIMIT,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https://"),
        WTF_CSRF_TIME_LIMIT=None,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.url_map.converters["int"] = IdConverter
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["database"] = Database(settings.database_url)
    app.extensions["post_office"] = PostOffice.of(settings)
    app.teardown_appcontext(close_reading)
    Bootstrap5(app)
    csrf = CSRFProtect(app)
    language.install(app)
    _limit_text(app)
    forms.install(app)
    signing_in.install(app)
    app.extensions.update(SLOTS)
    access.guard(app)
    signing_in.require_own_password(app)
    _register_views(app, csrf)
    _answer_errors(app)
    outages.install(app)
    problems.install(app)
    _set_headers(app)
    _give_templates(app)
    app.wsgi_app = ReadToTheEnd(app.wsgi_app)  # type: ignore[method-assign]  # how Flask takes middleware
    if settings.proxies:  # outermost, so that everything sees the visitor's own address
        hops = settings.proxies
        trusting = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
        app.wsgi_app = trusting  # type: ignore[method-assign]  # as above
    return app


def _register_views(app: Flask, csrf: CSRFProtect) -> None:
    """Every blueprint of every room; the menu follows this order."""
    accounts.install(app)
    publication.install(app)
    collection.install(app)
    cosign_views.install(app)
    app.register_blueprint(evidence_views.bp)
    app.register_blueprint(measured_views.bp)
    app.register_blueprint(worksheet_views.bp)
    app.register_blueprint(return_views.bp)
    interest_views.install(app)
    app.register_blueprint(plan_views.bp)
    app.register_blueprint(late_views.bp)
    ratings_views.install(app)
    interview_views.install(app)
    recheck_views.install(app)
    sample_views.install(app)
    paper_views.install(app)
    evaluation.install(app)
    app.register_blueprint(reliability_views.bp)
    app.register_blueprint(integrity_views.bp)
    app.register_blueprint(early_views.bp)
    publishing.install(app)
    appeals.install(app)
    reply_views.install(app)
    letter_views.install(app)
    rectification_views.install(app)
    selection.install(app)
    registry.install(app)
    accounts.offer_administration(app)
    csrf.exempt(survey_views.bp)  # no session there to abuse; the code and the form's own token are asked instead
    app.register_blueprint(survey_views.bp)
    csrf.exempt(follow_up_views.bp)  # likewise
    app.register_blueprint(follow_up_views.bp)
    app.register_blueprint(invitation_views.bp)
    app.register_blueprint(outcome_views.bp)
    app.register_blueprint(desk_views.bp)
    app.register_blueprint(export_views.bp)
    messages.install(app)
    api.install(app)

    @app.get("/healthz")
    @access.public
    def healthz() -> ResponseReturnValue:
        reading().execute(text("SELECT 1"))
        return jsonify(status="ready")


def _limit_text(app: Flask) -> None:
    @app.url_value_preprocessor
    def limit(_endpoint: str | None, _values: dict[str, object] | None) -> None:
        """MAX_FORM_MEMORY_SIZE holds for forms with files only. Before anything reads the form."""
        if request.mimetype == "application/x-www-form-urlencoded":
            request.max_content_length = TEXT_LIMIT


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(Fault)
    def fault(error: Fault) -> ResponseReturnValue:
        if problems.asked_by_program():
            return problems.problem(
                error.status, error.message, remedy=error.remedy, faults=error.details, headers=error.headers
            )
        page = render_template("errors/fault.html", message=error.message, remedy=error.remedy, details=error.details)
        return page, error.status, error.headers

    @app.errorhandler(CSRFError)
    def forged(_error: CSRFError) -> ResponseReturnValue:
        message = _("The form was open for too long, or came from another site.")
        return render_template(
            "errors/fault.html", message=message, remedy=_("Go back, reload the page and send it again."), details=()
        ), 400

    @app.errorhandler(HTTPException)
    def plain(error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        if status == 500:
            close_reading()  # a statement that failed leaves PostgreSQL's transaction unusable, and the page reads too
        allowed = getattr(error, "valid_methods", None)  # of what may only be read, or only be posted to
        headers = {"Allow": ", ".join(sorted(allowed))} if allowed else {}
        if problems.asked_by_program():
            return problems.problem(status, headers=headers)
        message, remedy = _said(status)
        return render_template("errors/fault.html", message=message, remedy=remedy, details=()), status, headers


def _said(status: int) -> tuple[str, str]:
    """An HTTP status in words, with what to do."""
    return {
        400: (_("The request could not be understood."), _("Go back, reload the page and try again.")),
        403: (_("This page is not open to you."), _("Sign in with an account that has the right role.")),
        404: (_("There is no such page."), _("Check the address, or start from the home page.")),
        405: (_("The page cannot be used in this way."), _("Go back and use the buttons of the page.")),
        413: (_("What was sent is too large."), _("Send a file of at most 32 MB, or text of at most 1 MB.")),
    }.get(status, (_("Something went wrong on our side."), _("Try again in a moment; nothing was half saved.")))


def _set_headers(app: Flask) -> None:
    @app.after_request
    def headers(response: Response) -> Response:
        given = response.headers
        given.setdefault("X-Content-Type-Options", "nosniff")
        given.setdefault("Referrer-Policy", "same-origin")
        if response.mimetype not in {"text/css", "text/javascript"}:  # what follows is for what can be opened by itself
            given.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            given.setdefault("Cross-Origin-Opener-Policy", "same-origin")
            given.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if request.endpoint is not None and not request.endpoint.endswith("static"):
            given.setdefault("Cache-Control", "no-store")
            return response
        return compressed(response, keep=True)


def _give_templates(app: Flask) -> None:
    @cache
    def static_version(filename: str) -> str:
        path = Path(app.static_folder or "") / filename
        return hashlib.sha256(path.read_bytes()).hexdigest()[:10]

    app.jinja_env.globals["static_version"] = static_version

    @app.context_processor
    def everywhere() -> dict[str, object]:
        return {
            "actor": access.actor_or_none(),
            "Role": access.Role,
            "is_simulated": bool(reading().scalar(select(exists().where(Cycle.simulated)))),
            "navigation": navigation.navigation,
            "page_sizes": PAGE_SIZES,
        }
