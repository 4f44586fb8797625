# SPDX-License-Identifier: MIT
"""Figures of many rounds: medians, tables with ratios, and the results file."""
import json
import os
import statistics


def short(value):
    """Three significant digits, without exponents."""
    if value is None:
        return "-"
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:.2f}M"
    if size >= 1e4:
        return f"{value / 1e3:.1f}k"
    if size >= 100:
        return f"{value:.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.1 or size == 0 else f"{value:.3f}"


class Figures:
    """What was measured: workload -> system -> metric -> one value per round."""

    def __init__(self):
        self.values = {}
        self.units = {}
        self.skipped = {}

    def add(self, workload, system, metric, value, unit):
        row = self.values.setdefault(workload, {}).setdefault(system, {})
        row.setdefault(metric, []).append(value)
        self.units[workload, metric] = unit

    def skip(self, workload, system, reason):
        self.skipped.setdefault(workload, {})[system] = reason

    def median(self, workload, system, metric):
        values = self.values.get(workload, {}).get(system, {}).get(metric)
        return statistics.median(values) if values else None

    def records(self):
        for workload, systems in self.values.items():
            for system, metrics in systems.items():
                for metric, values in metrics.items():
                    yield {
                        "workload": workload,
                        "system": system,
                        "metric": metric,
                        "value": round(statistics.median(values), 6),
                        "unit": self.units[workload, metric],
                        "min": round(min(values), 6),
                        "max": round(max(values), 6),
                        "rounds": len(values),
                    }

    def cell(self, workload, system, metric, spread):
        values = self.values[workload][system].get(metric)
        if not values:
            return "-"
        text = short(statistics.median(values))
        if spread and len(values) > 1:
            text += f" ({short(min(values))}-{short(max(values))})"
        return text

    def table(self, workload, columns, ratios):
        """Rows of cells. `columns` is [(metric, heading, spread)], `ratios` the metrics that are
        set against the best of our own systems: above 1, the system needs that much more."""
        systems = self.values.get(workload, {})
        head = ["system"]
        for metric, heading, _ in columns:
            head.append(heading)
            if metric in ratios:
                head.append("x ours")
        rows = [head]
        for system in systems:
            row = [system]
            for metric, _, spread in columns:
                row.append(self.cell(workload, system, metric, spread))
                if metric in ratios:
                    row.append(self.ratio(workload, system, metric))
            rows.append(row)
        return rows

    def ratio(self, workload, system, metric):
        own = [
            self.median(workload, s, metric)
            for s in self.values[workload]
            if s.startswith("celadon") and self.median(workload, s, metric)
        ]
        value = self.median(workload, system, metric)
        return f"{value / min(own):.2f}" if own and value is not None else "-"


def show(rows, out):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for n, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip(), file=out)
        if n == 0:
            print("  ".join("-" * w for w in widths), file=out)


def write(path, records, ran):
    """Replaces the records of the workloads that ran and keeps those of the others."""
    kept = []
    if os.path.exists(path):
        try:
            with open(path) as f:
                kept = [r for r in json.load(f) if r["workload"] not in ran]
        except (ValueError, KeyError, TypeError):
            kept = []
    lines = [json.dumps(r, ensure_ascii=False) for r in kept + list(records)]
    with open(path + ".new", "w") as f:
        f.write("[\n" + ",\n".join(lines) + "\n]\n")
    os.replace(path + ".new", path)
