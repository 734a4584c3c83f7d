#!/usr/bin/env python3
"""Recompute an edition as a stranger would: standard library and NumPy, nothing of evalsys.

    python3 verify_independently.py bundle.zip

Computes every score, interval and grade from rules.toml, inputs.csv, terms.csv and raters.csv, compares them with
scores.csv to 4 decimals, and checks all hashes, the Merkle root and that of the edition before. The formulas are steps
5, 6 and 8 of the method page, in arithmetic form. Signature, statuses and step 3 are left to `evalsys verify`.
"""

import csv
import io
import json
import sys
import tomllib
import zipfile
from collections import defaultdict
from hashlib import sha256
from statistics import NormalDist

import numpy as np


def main(path):
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    edition, rules = json.loads(files["edition.json"]), tomllib.loads(files["rules.toml"].decode("utf-8-sig"))
    wrong = [name for name, stated in edition["files"].items() if sha256(files[name]).hexdigest() != stated]
    print(f"files: {len(edition['files']) - len(wrong)} as stated", *(f"CHANGED: {name}" for name in wrong))
    leaves = [bytes.fromhex(line) for line in files["leaves.txt"].decode().splitlines()]
    before, rooted = edition["consistency"], edition["leaves"] == {"size": len(leaves), "root": root(leaves).hex()}
    grown = not before or root(leaves[: before["size"]]).hex() == before["root"]
    print(f"answers received: {len(leaves)}, root", "as stated" if rooted else "DIFFERS", "" if grown else "SOME LOST")
    scores, seen, differing = recompute(files, rules), 0, []
    for row in rows(files, "scores.csv"):
        if row["score"] and row["contract"] in scores:
            *limits, grade = scores[row["contract"]]
            seen, stated = seen + 1, [float(row[name]) for name in ("score", "low", "high")]
            if not np.allclose(limits, stated, rtol=0, atol=5e-5) or grade != row["grade"]:
                differing.append(row["contract"])
    print(f"scores, intervals and grades: {seen - len(differing)} of {seen} recomputed", *differing)
    return 1 if wrong or not rooted or not grown or differing else 0


def root(leaves):
    """RFC 9162: a node is SHA-256(0x01, left, right); one without a partner moves up as it is."""
    while len(leaves) > 1:
        pairs = [sha256(b"\x01" + left + right).digest() for left, right in zip(leaves[::2], leaves[1::2])]
        leaves = pairs + leaves[2 * len(pairs) :]
    return leaves[0] if leaves else sha256(b"").digest()


def rows(files, name):
    return csv.DictReader(io.StringIO(files[name].decode("utf-8")))


def recompute(files, rules):
    """Score, low, high and grade of every contract of which all weighted cells are told."""
    parties, dimensions = ([one["code"] for one in rules[name]] for name in ("parties", "dimensions"))
    of = {row["dimension"]: [row["share"], *(row["parties"].get(p, 0) for p in parties)] for row in rules["weights"]}
    shares, *parts = np.array([of[dimension] for dimension in dimensions]).T
    weight = np.array(parts) / np.sum(parts, axis=0) * shares / shares.sum()
    settings = {"level": 0.95, "prior_strength": 8} | rules.get("interval", {})
    z = NormalDist().inv_cdf((1 + settings["level"]) / 2)
    frozen = {tuple(row.values())[:4]: float(row["value"]) for row in rows(files, "terms.csv")}
    severity = {row["rater"]: float(row["severity"]) for row in rows(files, "raters.csv")}
    cells = defaultdict(lambda: np.zeros(6))  # n, Σw, Σw², Σw(y - centre), Σw(y - centre)², Σ(severity - centre)
    for row in rows(files, "inputs.csv"):
        if not row["other_dimension"]:
            n, *sums = [float(row[name] or 0) for name in ("n", "weight", "squares", "sum", "products")]
            off = n * (severity.get(row["rater"], 0.0) - float(row["centre"]))
            cells[row["contract"], row["party"], row["dimension"]] += [n, *sums, off]
    related = np.array([[[frozen.get(("correlation", p, *sorted((d, e), key=dimensions.index)), 1.0)
                          for e in dimensions] for d in dimensions] for p in parties])  # fmt: skip
    found = {}
    for row in rows(files, "contracts.csv"):
        theta, arms, frame = np.zeros(weight.shape), np.zeros((2, *weight.shape)), float(row["frame"] or "inf")
        for p, d in np.argwhere(weight > 0):
            n, w, w2, s, ss, off = cells[row["contract"], parties[p], dimensions[d]]
            if not n:
                break
            theta[p, d] = np.clip(s / w - off / n, 0, 100)
            if parties[p] == "recipient":
                variance = max(ss - s * s / w, 0) * n / w / max(n - 1, 1)
                pooled = frozen["dispersion", parties[p], dimensions[d], ""]
                phi = dispersion(theta[p, d], variance, n, pooled, settings["prior_strength"])
                ends = wilson(theta[p, d], phi * (1 - (n / frame if frame >= n else 0)) * w2 / (w * w), z)
            else:
                arm = z * np.sqrt(frozen["rater_variance", parties[p], dimensions[d], ""] / n)
                ends = np.clip([theta[p, d] - arm, theta[p, d] + arm], 0, 100)
            arms[:, p, d] = weight[p, d] * np.abs(ends - theta[p, d])
        else:
            score, points = (weight * theta).sum(), (weight * theta).sum(axis=0) / weight.sum(axis=0)
            down, up = (np.sqrt(np.einsum("pd,pde,pe", arm, related, arm)) for arm in arms)
            limits = np.clip([score, score - down, score + up], 0, 100)
            found[row["contract"]] = *limits, grade_of(score, points.min(), rules)
    return found


def dispersion(points, variance, n, pooled, prior):
    m = points / 100
    if variance <= 0 or not 0 < m < 1:
        return pooled
    return (prior * pooled + (n - 1) * variance / 1e4 / (m * (1 - m))) / (prior + n - 1)


def wilson(points, per_answer, z):
    m, v = points / 100, z * z * per_answer
    middle, arm = m + v / 2, np.sqrt(v * (m * (1 - m) + v / 4))
    return 100 * np.clip([min((middle - arm) / (1 + v), m), max((middle + arm) / (1 + v), m)], 0, 1)


def grade_of(score, weakest, rules):
    bands, cap = {one["code"]: one["from"] for one in rules["grades"]}, rules.get("cap")
    best = max((code for code in bands if score >= bands[code]), key=bands.get)
    return min(best, cap["grade"], key=bands.get) if cap and weakest < cap["dimension_below"] else best


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
