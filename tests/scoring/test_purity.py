"""The core stands on NumPy and light parts of SciPy alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from evalsys import scoring

MODULES = sorted(path.stem for path in Path(scoring.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize("unwanted", ["flask", "sqlalchemy", "scipy.stats", "pandas"])
def test_importing_the_core_loads_nothing_heavy(unwanted: str) -> None:
    lines = [f"import evalsys.scoring.{module}" for module in MODULES]
    code = "\n".join(["import sys", *lines, f"sys.exit({unwanted!r} in sys.modules)"])
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
