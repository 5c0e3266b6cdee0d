"""A run as a fragment of HTML, for notebooks: a table of metrics and the learning curves."""

from collections.abc import Mapping, Sequence
from html import escape

from nettrain.numbers import is_finite

Metrics = Mapping[str, Mapping[str, float]]

WIDTH, HEIGHT = 420, 180
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 10, 26  # margins, in pixels
COLOURS = {"train": "#0072b2", "validation": "#d55e00"}  # Okabe & Ito 2008, safe for colour-blind
_CELL = "text-align:right;padding:2px 10px"


def metrics_table(metrics: Metrics, baseline: Metrics) -> str:
    """One row per metric, two columns per part: the network's value, and the baseline's."""
    names = list(dict.fromkeys(name for part in metrics.values() for name in part))
    head = "".join(
        f'<th style="{_CELL}">{escape(part)}</th><th style="{_CELL};opacity:.6">baseline</th>'
        for part in metrics
    )
    rows = "".join(
        f'<tr><th style="text-align:left;padding:2px 10px">{escape(name)}</th>'
        + "".join(
            f'<td style="{_CELL}">{_number(values.get(name))}</td>'
            f'<td style="{_CELL};opacity:.6">{_number(baseline.get(part, {}).get(name))}</td>'
            for part, values in metrics.items()
        )
        + "</tr>"
        for name in names
    )
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>"


def curves(rows: Sequence[Mapping[str, object]]) -> str:
    """The loss of the training and the validation part by epoch, as SVG; nothing below two epochs.

    Args:
        rows: One per epoch, as metrics.jsonl has them.
    """
    lines = {part: _points(rows, f"{part}_loss") for part in COLOURS}
    lines = {part: points for part, points in lines.items() if len(points) > 1}
    if not lines:
        return ""
    xs = [x for points in lines.values() for x, _ in points]
    ys = [y for points in lines.values() for _, y in points]
    left, right, low, high = min(xs), max(xs), min(ys), max(ys)
    span = high - low or 1.0

    def at(x: float, y: float) -> str:
        across = LEFT + (x - left) / (right - left) * (WIDTH - LEFT - RIGHT)
        down = TOP + (high - y) / span * (HEIGHT - TOP - BOTTOM)
        return f"{across:.1f},{down:.1f}"

    drawn = "".join(
        f'<polyline fill="none" stroke="{COLOURS[part]}" stroke-width="1.6" points="'
        + " ".join(at(x, y) for x, y in points)
        + '"/>'
        for part, points in lines.items()
    )
    key = "".join(
        f'<text x="{WIDTH - RIGHT}" y="{TOP + 12 + 14 * index}" text-anchor="end" '
        f'fill="{COLOURS[part]}">{part} loss</text>'
        for index, part in enumerate(lines)
    )
    bottom = HEIGHT - BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" role="img" '
        'aria-label="loss by epoch" font-family="sans-serif" font-size="11" fill="currentColor">'
        f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="currentColor" '
        'opacity=".4"/>'
        f'<text x="{LEFT - 5}" y="{TOP + 8}" text-anchor="end">{_number(high)}</text>'
        f'<text x="{LEFT - 5}" y="{bottom}" text-anchor="end">{_number(low)}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 10}">epoch {left:g}</text>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">{right:g}</text>'
        f"{drawn}{key}</svg>"
    )


def paragraph(*sentences: str) -> str:
    """Sentences, escaped."""
    return f"<p>{escape(' '.join(sentences))}</p>"


def warning_list(warnings: Sequence[str]) -> str:
    """Warnings, escaped; nothing where there are none."""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f"<ul>{items}</ul>" if items else ""


def _points(rows: Sequence[Mapping[str, object]], name: str) -> list[tuple[float, float]]:
    points = []
    for row in rows:
        epoch, value = row.get("epoch"), row.get(name)
        if isinstance(epoch, int) and is_finite(value):
            points.append((float(epoch), float(value)))
    return points


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
