"""Taking in files: regions, purchasers, vendors, contracts, frames and rosters, all or nothing."""

from evalsys.registry.imports.kinds import KINDS, kind_named, template
from evalsys.registry.imports.plans import Kind, Plan, Sample, Scope, carry_out, make_plan

__all__ = ["KINDS", "Kind", "Plan", "Sample", "Scope", "carry_out", "kind_named", "make_plan", "template"]
