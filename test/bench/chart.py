"""The benchmark's chart: ratios to native as dots on a logarithmic axis."""

import math

COLORS = {"ours": "#0b6e4f", "runc": "#888888", "crun": "#bbbbbb", "gvisor": "#c0392b"}
ROW, LEFT, WIDTH, TOP = 18, 190, 560, 64
LOWEST, HIGHEST = 0.25, 400


def position(ratio):
    clipped = min(max(ratio, LOWEST), HIGHEST)
    share = math.log(clipped / LOWEST) / math.log(HIGHEST / LOWEST)
    return LEFT + share * WIDTH


def panel(title, rows, names, top):
    """(elements, height) of one table."""
    height = ROW * len(rows)
    parts = [f'<text x="{LEFT}" y="{top - 24}" font-weight="bold">{title}</text>']
    for tick in (0.5, 1, 2, 3, 5, 10, 30, 100, 300):
        x = position(tick)
        color = "#444" if tick == 1 else "#ddd"
        parts.append(f'<line x1="{x:.1f}" y1="{top - 6}" x2="{x:.1f}" y2="{top + height}" '
                     f'stroke="{color}"/>')
        parts.append(f'<text x="{x:.1f}" y="{top - 9}" text-anchor="middle" font-size="10">'
                     f'{tick:g}</text>')
    for index, (case, row) in enumerate(rows.items()):
        y = top + ROW * index + ROW / 2
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{case}</text>')
        for name in reversed(names):
            if name == "native" or name not in row or "native" not in row:
                continue
            ratio = row[name] / row["native"]
            parts.append(f'<circle cx="{position(ratio):.1f}" cy="{y:.1f}" r="4" '
                         f'fill="{COLORS.get(name, "#36c")}"><title>{name} {case}: {ratio:.2f}'
                         '</title></circle>')
    return parts, height


def svg(report, names):
    titles = {"spare": "time relative to native, a core to spare (left is better)",
              "one": "time relative to native, everything on one core (left is better)"}
    parts, top = [], TOP + 20
    for kind, rows in report["micro"].items():
        elements, height = panel(titles[kind], rows, names, top)
        parts += elements
        top += height + 60
    for label, key, scale in (("run true, median ms", "start_up_ms", 1),
                              ("idle sandbox, PSS in MiB", "idle_pss_kib", 1024)):
        values = ", ".join(f"{name} {value / scale:.1f}" for name, value in report[key].items())
        parts.append(f'<text x="{LEFT}" y="{top - 24}">{label}: {values}</text>')
        top += 20
    legend, x = [], LEFT
    for name in names:
        if name == "native":
            continue
        legend.append(f'<circle cx="{x}" cy="24" r="4" fill="{COLORS.get(name, "#36c")}"/>'
                      f'<text x="{x + 8}" y="28">{name}</text>')
        x += 80
    machine = report["machine"]
    legend.append(f'<text x="{x + 20}" y="28" font-size="10">kernel {machine["kernel"]}, '
                  f'{machine["cpus"]} CPUs, {machine["date"]}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 30}" '
            f'height="{top}" font-family="sans-serif" font-size="12">'
            '<rect width="100%" height="100%" fill="white"/>' + "".join(legend + parts) +
            "</svg>\n")
