"""Taking in files: regions, purchasers, vendors, contracts, frames and rosters, all or nothing."""

from evalsys.registry.imports.kinds import KINDS, kind_named, template
from evalsys.registry.imports.plans import Kind, Known, Plan, Sample, Scope, Seen, carry_out, headed, make_plan

__all__ = [
    "KINDS",
    "Kind",
    "Known",
    "Plan",
    "Sample",
    "Scope",
    "Seen",
    "carry_out",
    "headed",
    "kind_named",
    "make_plan",
    "template",
]
