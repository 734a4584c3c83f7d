"""The text that lies in every bundle, for whoever opens it without knowing what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT = """\
# {title}，第 {number} 版 · Edition {number}

{simulated}本文件包是评价结果公告的开放数据：凭其中的 inputs.csv、terms.csv 和 rules.toml，任何人都能重新算出每个项目的
分数、误差范围和等级。每个文件的 SHA-256 写在 edition.json 里，edition.json 由 signatures.json 签名。

This is the open data of a published evaluation. From inputs.csv, terms.csv and rules.toml anybody can compute every
score, interval and grade again. edition.json states the SHA-256 of every file; signatures.json signs edition.json.

    evalsys verify bundle.zip

| file | 内容 | what it holds |
| --- | --- | --- |
| edition.json | 公告说明、各文件的哈希值、收到答卷的根哈希 | what, when, hashes, Merkle root of the answers received |
| signatures.json | Ed25519 签名 | Ed25519 signatures over edition.json |
| rules.toml | 评价规则原文 | the rules as they were pinned |
| contracts.csv | 服务项目 | the contracts, their vendors and frames |
| inputs.csv | 计算所用的合计数（每组至少 5 名服务对象） | sums over groups of at least 5 recipients, and by evaluator |
| raters.csv | 评价员化名及宽严校正 | evaluators under pseudonyms of this edition, their severity |
| terms.csv | 首次计算时冻结的参数 | terms frozen when the cycle was first scored |
| adjusted.csv | 答题方式和答题人调整（启用时才有） | step 3, only where it is on |
| levels.csv | 各题答案的分布（人少的档次合并） | how answers are spread; levels that few chose are told together |
| scores.csv | 分数、误差范围、等级、名次范围 | scores, intervals, grades, rank sets |
| leaves.txt | 收到的每份答卷的哈希值 | a hash for every answer received |
| datapackage.json | 各表格的列说明 | Table Schema of every table |
"""


def readme(statement: Mapping[str, Any]) -> str:
    """README.md of an edition."""
    simulated = "**模拟数据 · Simulated data.**\n\n" if statement["simulated"] else ""
    return _TEXT.format(title=statement["cycle"]["title"], number=statement["number"], simulated=simulated)
