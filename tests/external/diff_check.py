#!/usr/bin/env python3
"""Holds the statistics of `spangraph diff` to SciPy's, and draws differences with the real Graphviz, Mermaid and librsvg.

Two random snapshots are written as `spangraph snapshot --format json --query include=histograms` prints them and
compared by the binary. Then, for every element:
- rates: scipy.stats.binomtest where its variance is at most 2,500, else the normal approximation by scipy.stats.norm;
- failed ratios: scipy.stats.fisher_exact where its variance is at most 2,500, else the pooled z by scipy.stats.norm;
- latency: the distance is scipy.stats.ks_2samp's on the bucket of each sample, its p scipy.stats.kstwobign's at
  sqrt(n1 n2 / (n1 + n2)) D, that of the slowest twentieth fisher_exact's, and both together Bonferroni's;
- all adjusted p-values: scipy.stats.false_discovery_control (Benjamini and Hochberg).
Tolerance: relative 1e-6 (SciPy's exact tests and bodies of nine digits), absolute 1e-12.
"""

import hashlib
import json
import math
import os
import pathlib
import random
import subprocess
import tempfile

from scipy import stats

from _hostile import NAMES as HOSTILE
from _hostile import shown
from drawings_check import install_mermaid, mermaid, squeezed
from svg_check import ET, check_inert, in_xml, render

CASES = 60
EDGES = 25
MAX_EXACT_VARIANCE = 2_500
GOLDEN = pathlib.Path(__file__).parent.parent / "golden"
# What tests/render_diff.rs draws in hostile_diff.*, besides the service `a`.
NAMES = ['say "hi"', "trailing\\", "\\N \\G \\E", "line\nbreak", "nul\0byte", "\u202egnp.exe", "</script>&lt;", "] } ; --", "digraph"]


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12)


def histogram(dice, count, scale, center):
    """Lognormal samples by bucket; a few of exactly zero."""
    buckets = {}
    zeros = sum(dice.random() < 0.02 for _ in range(count))
    for _ in range(count - zeros):
        index = math.ceil(dice.gauss(center, 1.2) * 2**scale) - 1
        buckets[index] = buckets.get(index, 0) + 1
    if not count:
        return None
    low, high = (min(buckets), max(buckets)) if buckets else (0, -1)
    counts = [buckets.get(i, 0) for i in range(low, high + 1)]
    return {"scale": scale, "count": count, "sum_s": 1.0, "min_s": 0.0, "max_s": 9.0, "zero_count": zeros,
            "offset": low, "counts": counts}


def edge_id(server):
    return hashlib.sha256(f"web\0{server}\0".encode()).hexdigest()[:16]


def edge(dice, at, size, covered_s):
    calls = dice.randint(1, size)
    failed = min(calls, dice.choice([0, 1, dice.randint(0, calls), calls // 50]))
    samples = histogram(dice, min(calls, 400), dice.choice([4, 4, 3, 0]), dice.uniform(-8, -5))
    figures = {"p50_ms": 1.0, "p90_ms": 1.0, "p95_ms": 1.0, "p99_ms": 1.0, "mean_ms": 1.0, "max_ms": 1.0}
    return {"id": edge_id(f"s{at}"), "client": "web", "server": f"s{at}", "connection_type": "", "calls": calls,
            "seen": {"both": calls, "client": 0, "server": 0}, "failed": failed, "rate_per_s": calls / covered_s,
            "failed_ratio": failed / calls, "latency": {"client": figures}, "histograms": {"client": samples}}


def snapshot(dice, covered_s, size):
    edges = [edge(dice, at, size, covered_s) for at in range(EDGES) if dice.random() < 0.9]
    names = ["web", *(e["server"] for e in edges)]
    return lawful({"schema": "spangraph.topology/1", "generated_at": "2026-11-23T01:05:00Z", "epoch": "e",
            "window": {"start": "2026-11-23T01:00:00Z", "end": "2026-11-23T01:05:00Z", "requested_s": 300,
                       "effective_s": 300, "covered_s": covered_s, "resolution_s": 1},
            "query": {"include": ["histograms"]}, "nodes": [{"type": "service", "failed": 0, "id": n, "name": n} for n in names],
            "edges": edges})


def lawful(body):
    """With the law and the nodes' calls counted from the edges: what does not add up is refused."""
    inbound = {edge["server"]: edge["seen"]["both"] for edge in body["edges"]}
    for node in body["nodes"]:
        node["calls_from"] = {"edges": inbound.get(node["id"], 0), "no_caller": 0, "unpaired": 0}
    return {**body, "law": {"calls": {"paired": sum(edge["calls"] for edge in body["edges"])}}}


def compared(base, head, *arguments):
    with tempfile.TemporaryDirectory() as there:
        paths = [pathlib.Path(there, name) for name in ("base.json", "head.json")]
        for path, body in zip(paths, (base, head)):
            path.write_text(json.dumps(body))
        command = [os.environ["SPANGRAPH_BIN"], "diff", *paths, "--fail-on=nothing", *arguments]
        return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def rate_p(c1, t1, c2, t2):
    share = t2 / (t1 + t2)
    n = c1 + c2
    variance = n * share * (1 - share)
    if variance <= MAX_EXACT_VARIANCE:
        return stats.binomtest(c2, n, share).pvalue
    return 2 * stats.norm.sf(abs(c2 - n * share) / math.sqrt(variance))


def failed_p(k1, n1, k2, n2):
    n, k = n1 + n2, k1 + k2
    if k in (0, n):
        return 1.0
    variance = k * (n - k) / n * (n1 / n) * (n2 / (n - 1))
    if variance <= MAX_EXACT_VARIANCE:
        return stats.fisher_exact([[k1, n1 - k1], [k2, n2 - k2]]).pvalue
    pooled = k / n
    z = (k2 / n2 - k1 / n1) / math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return 2 * stats.norm.sf(abs(z))


def samples(h, scale):
    """The bucket of each sample at a coarser scale."""
    shift = h["scale"] - scale
    out = [-10**9] * h["zero_count"]
    for at, count in enumerate(h["counts"], h["offset"]):
        out += [at >> shift] * count
    return out


def check_latency(got, b, h):
    scale = min(b["scale"], h["scale"])
    distance = stats.ks_2samp(samples(b, scale), samples(h, scale), method="asymp").statistic
    assert close(got["ks"], distance), (got, distance)
    ks_p = stats.kstwobign.sf(math.sqrt(b["count"] * h["count"] / (b["count"] + h["count"])) * distance)
    assert close(got["ks_p"], max(ks_p, 1e-300)) or ks_p < 1e-200, (got, ks_p)
    b, h = samples(b, scale), samples(h, scale)
    both = sorted(b + h)
    bound = both[len(both) - len(both) // 20 - 1]
    slow_p = failed_p(sum(x > bound for x in b), len(b), sum(x > bound for x in h), len(h))
    assert close(got["slow_p"], max(slow_p, 1e-300)), (got, slow_p)
    assert close(got["p"], max(min(2 * min(ks_p, slow_p), 1), 1e-300)) or ks_p < 1e-200, got


def check_edge(got, b, h, t1, t2):
    absent = {"calls": 0}
    p = rate_p((b or absent)["calls"], t1, (h or absent)["calls"], t2)
    assert close(got["rate_per_s"]["p"], max(p, 1e-300)), (got["id"], got["rate_per_s"], p)
    if not (b and h):
        assert got["status"] == ("removed" if b else "added"), got
        return 1
    p = failed_p(b["failed"], b["calls"], h["failed"], h["calls"])
    assert close(got["failed_ratio"]["p"], max(p, 1e-300)), (got["id"], got["failed_ratio"], p)
    b, h = (e["histograms"]["client"] for e in (b, h))
    check_latency(got["latency"]["client"], b, h)
    return 5


def check_adjusted(body):
    tests = []
    for element in [*body["nodes"], *body["edges"]]:
        found = [element["rate_per_s"], element["failed_ratio"], *filter(None, element["latency"].values())]
        tests += [test for test in found if test["p"] is not None]
    assert len(tests) == body["tests"]["made"], (len(tests), body["tests"])
    for test, expected in zip(tests, stats.false_discovery_control([t["p"] for t in tests], method="bh")):
        assert close(test["p_adjusted"], expected), (test, expected)
        assert not test["changed"] or test["p_adjusted"] <= body["tests"]["alpha"], test


def check_statistics():
    dice = random.Random(20261123)
    checked = 0
    for case in range(CASES):
        t1, t2 = dice.choice([300, 150, 7.5]), dice.choice([300, 300, 60])
        size = [30, 1_000, 200_000][case % 3]
        base, head = snapshot(dice, t1, size), snapshot(dice, t2, size)
        body = json.loads(compared(base, head, "--format=json", "--query=include=same"))
        edges = [{e["id"]: e for e in side["edges"]} for side in (base, head)]
        assert {e["id"] for e in body["edges"]} == set(edges[0]) | set(edges[1])
        for got in body["edges"]:
            checked += check_edge(got, edges[0].get(got["id"]), edges[1].get(got["id"]), t1, t2)
        check_adjusted(body)
    print(f"{checked} p-values of {CASES} comparisons are SciPy's")


def check_graphviz():
    for name, nodes in (("diff.dot", 6), ("hostile_diff.dot", 10)):
        text = (GOLDEN / name).read_bytes()
        for form in ("svg", "dot_json"):
            done = subprocess.run(["dot", f"-T{form}"], input=text, capture_output=True, check=True, timeout=60)
            assert not done.stderr, (name, done.stderr)
        # strict=False: Graphviz writes some characters raw into its JSON strings.
        objects = json.loads(done.stdout, strict=False).get("objects", [])
        found = [o for o in objects if "nodes" not in o and "subgraphs" not in o]
        assert len(found) == nodes, (name, [o["name"] for o in found])
        print(f"{name}: {nodes} nodes are drawn")


def check_mermaid():
    install_mermaid()
    texts = [(GOLDEN / name).read_text() for name in ("diff.mmd", "hostile_diff.mmd")]
    plain, hostile = mermaid("draw", texts)
    assert (len(plain["shapes"]), len(plain["edges"])) == (6, 5), plain
    labels = sorted(squeezed(label.replace("\u2060", "")) for label in hostile["nodeLabels"].values())
    assert labels == sorted(squeezed(shown(name)) for name in [*NAMES, "a"]), labels
    assert len(hostile["edges"]) == len(NAMES), hostile["edges"]
    for found in (plain, hostile):
        assert not found["markup"], found["markup"]
        assert found["title"].startswith("base 2026-11-23T00:55:00Z to "), found["title"]
    print(f"diff.mmd and hostile_diff.mmd: {len(plain['shapes']) + len(labels)} nodes are drawn under their names")


def check_svg():
    """Nodes with hostile names come, go and change: each is drawn once, and librsvg has nothing to say."""
    dice = random.Random(20261124)
    base, head = ({**snapshot(dice, 300, 1_000), "nodes": [], "edges": []} for _ in range(2))
    sides = ((base, 1), (head, 30))
    node = {"type": "service", "failed": 0}
    expected = set()
    for at, name in enumerate([*HOSTILE, "web"]):
        for number, (side, calls) in enumerate(sides):
            if at % 3 != number or name == "web":
                side["nodes"].append({**node, "id": name, "name": name, "namespace": HOSTILE[at // 9]})
            if at % 3 != number and name != "web":
                side["edges"].append({**edge(dice, at, 1_000, 300), "id": edge_id(name), "server": name, "calls": 100 * calls,
                                      "failed": 0, "failed_ratio": 0.0, "rate_per_s": calls / 3, "seen": {"both": 100 * calls, "client": 0, "server": 0},
                                      "histograms": {}})
                expected.add(edge_id(name))
    base, head = lawful(base), lawful(head)
    for look in ("", "rankdir=TB&theme=dark"):
        text = compared(base, head, "--format=svg", f"--query={look}")
        svg = ET.fromstring(text)
        check_inert(svg)
        drawn = {element.get("data-id"): element.get("data-status") for element in svg.iter() if element.get("data-id")}
        assert set(drawn) == expected | {in_xml(name) for name in [*HOSTILE, "web"]}, set(drawn)
        assert {drawn[i] for i in expected} == {"added", "removed", "changed"}
        assert render(text) == (int(svg.get("width")), int(svg.get("height")))
        print(f"diff.svg?{look}: {len(drawn)} elements with hostile names are drawn by librsvg")


if __name__ == "__main__":
    check_statistics()
    check_graphviz()
    check_mermaid()
    check_svg()
