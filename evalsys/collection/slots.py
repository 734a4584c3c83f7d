"""What the registry asks of this floor, by the name of the slot in `app.extensions` that it asks through."""

from __future__ import annotations

from evalsys.collection.rated import rated_criteria
from evalsys.collection.sample_cases import forget_numbers, sampled_entries

SLOTS = {"rated_criteria": rated_criteria, "sampled_entries": sampled_entries, "forget_numbers": forget_numbers}
