"""A small rules file with every part in it, and what is wrong after a change to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evalsys.rules.loading import Fault, RulesFaulty, loads

SMALL = """\
format = 1
version = "1"
title = { zh = "小规则", en = "Small rules" }
answered_share = 0.5

[[parties]]
code = "buyer"
name = { zh = "购买主体", en = "Buyer" }
minimum = 1

[[parties]]
code = "recipient"
name = { zh = "服务对象", en = "Recipient" }
minimum = 5

[[dimensions]]
code = "outcomes"
name = { zh = "成效", en = "Outcomes" }

[[dimensions]]
code = "management"
name = { zh = "管理", en = "Management" }

[[scales]]
code = "good"
kind = "levels"
levels = [
  { zh = "差", en = "Poor" },
  { zh = "中", en = "Fair" },
  { zh = "好", en = "Good" },
]

[[scales]]
code = "yes"
kind = "yes_no"

[[scales]]
code = "table"
kind = "bands"
unit = { zh = "天", en = "days" }
bands = [
  { at = 1, points = 20 },
  { at = 5, points = 60 },
]

[[scales]]
code = "posts"
kind = "goalposts"
unit = { zh = "比例", en = "share" }
worst = 0.5
best = 1

[[service_types]]
code = "care"
name = { zh = "照料", en = "Care" }
kind = "personal"

[[service_types]]
code = "training"
name = { zh = "培训", en = "Training" }
kind = "transactional"

[[criteria]]
code = "buyer_result"
party = "buyer"
dimension = "outcomes"
scale = "yes"
weight = 2
text = { zh = "完成了吗", en = "Done?" }

[[criteria]]
code = "buyer_staff"
party = "buyer"
dimension = "management"
scale = "posts"
source = "measured"
text = { zh = "人员", en = "Staff" }

[[criteria]]
code = "help_care"
party = "recipient"
dimension = "outcomes"
scale = "good"
service_types = ["care"]
text = { zh = "有帮助吗", en = "Did it help?" }

[[criteria]]
code = "help_training"
party = "recipient"
dimension = "outcomes"
scale = "good"
service_types = ["training"]
text = { zh = "学会了吗", en = "Did you learn?" }

[[criteria]]
code = "proxy"
party = "recipient"
scale = "yes"
source = "adjuster"
required = false
text = { zh = "本人回答吗", en = "Yourself?" }

[[weights]]
dimension = "outcomes"
share = 0.6
parties = { buyer = 0.25, recipient = 0.75 }

[[weights]]
dimension = "management"
share = 0.4
parties = { buyer = 1 }

[cap]
dimension_below = 40
grade = "fair"

[status]
rated_half_width = 10
provisional_half_width = 20

[[grades]]
code = "good"
name = { zh = "良", en = "Good" }
from = 80
to = 100

[[grades]]
code = "fair"
name = { zh = "中", en = "Fair" }
from = 60
to = 80

[[grades]]
code = "poor"
name = { zh = "差", en = "Poor" }
from = 0
to = 60

[[peer_groups]]
code = "all"
name = { zh = "全部", en = "All" }

[[peer_groups]]
code = "personal"
name = { zh = "服务性", en = "Personal" }
service_types = ["care"]
parent = "all"

[selection]
look_back = 3

[[selection.uses]]
code = "open_tender"
name = { zh = "公开招标", en = "Open tender" }
past_performance = "beside"
price_minimum = 0.1
price_maximum = 0.3
ground = { zh = "依据", en = "Ground" }

[[selection.uses]]
code = "renewal"
name = { zh = "续签", en = "Renewal" }
past_performance = "free"
ground = { zh = "依据", en = "Ground" }

[weighting]
trim = 4

[adjustment]
ground = { zh = "上一年度", en = "The year before" }

[[adjustment.coefficients]]
dimension = "outcomes"
mode = "telephone"
points = 3
mean = 0.2

[[adjustment.coefficients]]
dimension = "outcomes"
criterion = "proxy"
points = -1.5

[severity]
party = "buyer"

[shrinkage]
method = "PM"

[rank_sets]
draws = 500

[sensitivity]
draws = 500

[reliability]
target = 0.7

[integrity]
twins = 4
"""

Change = tuple[str, str, str]
FaultsAfter = Callable[..., tuple[tuple[Fault, ...], int]]  # the changes, one after the other


@pytest.fixture
def small() -> str:
    return SMALL


@pytest.fixture
def faults_after() -> FaultsAfter:
    """`faults_after((anchor, old, new), ...)`: the faults after each first `old` behind its anchor became `new`.

    Beside them the line on which the fault is expected: where `#!` stands, else where the last change begins.
    """

    def changed(*changes: Change) -> tuple[tuple[Fault, ...], int]:
        text, place = SMALL, 0
        for anchor, old, new in changes:
            place = text.index(old, text.index(anchor))
            text = text[:place] + new + text[place + len(old) :]
        place = text.find("#!") if "#!" in text else place
        with pytest.raises(RulesFaulty) as caught:
            loads(text.encode(), "small.toml")
        return caught.value.faults, text.count("\n", 0, place) + 1

    return changed
