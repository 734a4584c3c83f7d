"""What is bought and how: service types and ways of procurement, with their names.

The catalogue of service types is data: the shipped rules name the usual ones, and every rules file that was ever
pinned to a cycle may add its own.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from flask import g
from flask_babel import gettext as _
from sqlalchemy import select

from evalsys import config
from evalsys.base.db import reading
from evalsys.base.language import words
from evalsys.registry.models import ProcurementMethod, RulesVersion
from evalsys.registry.pins import rules_of_version
from evalsys.rules.loading import load
from evalsys.rules.model import ServiceType


@lru_cache(maxsize=1)
def _shipped() -> tuple[ServiceType, ...]:
    return load(config.SHIPPED_RULES).service_types


def service_types() -> dict[str, ServiceType]:
    """Every service type by its code: the shipped ones first, then those that pinned rules add."""
    if "service_types" not in g:
        kinds = {kind.code: kind for kind in _shipped()}
        for version in reading().scalars(select(RulesVersion).order_by(RulesVersion.id)):
            for kind in rules_of_version(version).service_types:
                kinds.setdefault(kind.code, kind)
        g.service_types = kinds
    return cast("dict[str, ServiceType]", g.service_types)


def service_type_name(code: str) -> str:
    """A service type in the reader's language; an unknown code stays as it is."""
    kind = service_types().get(code)
    return words(kind.name) if kind else code


def service_kind_name(kind: str) -> str:
    """事务性 or 服务性."""
    names: dict[str, str] = {"transactional": _("Transactional services"), "personal": _("Personal services")}
    return names[kind]


def procurement_methods() -> dict[str, str]:
    """The name of each way of procurement by its code, in the order of the law."""
    return {
        ProcurementMethod.OPEN_TENDER.value: _("Open tender"),
        ProcurementMethod.INVITED_TENDER.value: _("Invited tender"),
        ProcurementMethod.COMPETITIVE_NEGOTIATION.value: _("Competitive negotiation"),
        ProcurementMethod.COMPETITIVE_CONSULTATION.value: _("Competitive consultation"),
        ProcurementMethod.SINGLE_SOURCE.value: _("Single-source procurement"),
        ProcurementMethod.OTHER.value: _("Other procurement"),
    }


def procurement_method_name(code: str) -> str:
    """A way of procurement in the reader's language."""
    return procurement_methods()[code]
