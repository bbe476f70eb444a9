"""Line charts as SVG, readable on light and on dark ground."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 76, 32, 44, 52
COLORS = {"eloqdb": "#2a78c8", "postgresql": "#d9822b", "limit": "#7a8794"}
DASHES = {"limit": ' stroke-dasharray="5 4"'}
STYLE = """
text { font: 12px sans-serif; fill: #333; } .title { font-size: 14px; font-weight: bold; }
.axis { stroke: #888; fill: none; } .grid { stroke: #888; stroke-opacity: 0.3; }
@media (prefers-color-scheme: dark) { text { fill: #ddd; } }
"""


class Chart:
    """Curves over one axis that doubles. `curves[system]` is a list of (x, y); the points in
    `disturbed`, pairs of system and x, are drawn hollow."""

    def __init__(self, title, x_label, y_label, curves, x_names=None, disturbed=()):
        self.title, self.x_label, self.y_label = title, x_label, y_label
        self.curves = {name: points for name, points in curves.items() if points}
        self.x_names = x_names or {}
        self.disturbed = disturbed
        xs = sorted({x for points in self.curves.values() for x, _ in points})
        self.xs = xs
        self.low, self.high = math.log2(xs[0]), math.log2(xs[-1])
        top = max(y for points in self.curves.values() for _, y in points)
        self.step = _round_step(top / 5 or 1)
        self.top = math.ceil(top / self.step) * self.step or 1

    def svg(self):
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                 f'role="img" aria-label="{escape(self.title)}"><style>{STYLE}</style>',
                 f'<text class="title" x="{LEFT}" y="18">{escape(self.title)}</text>']
        parts += self._axes() + self._legend()
        for name, points in self.curves.items():
            parts += self._curve(name, sorted(points))
        return "\n".join([*parts, "</svg>\n"])

    def _x(self, x):
        width = WIDTH - LEFT - RIGHT
        span = (self.high - self.low) or 1
        return LEFT + width * (math.log2(x) - self.low) / span

    def _y(self, y):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / self.top

    def _axes(self):
        bottom = HEIGHT - BOTTOM
        parts = [f'<path class="axis" d="M{LEFT} {TOP} V{bottom} H{WIDTH - RIGHT}"/>']
        tick = 0
        while tick <= self.top * 1.001:
            y = self._y(tick)
            parts.append(f'<path class="grid" d="M{LEFT} {y:.1f} H{WIDTH - RIGHT}"/>'
                         f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
                         f'{tick:,.6g}</text>')
            tick += self.step
        for x in self.xs:
            name = self.x_names.get(x, f"{x:,}")
            parts.append(f'<text x="{self._x(x):.1f}" y="{bottom + 17}" text-anchor="middle">'
                         f'{escape(name)}</text>')
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">'
                     f'{escape(self.x_label)}</text>')
        parts.append(f'<text transform="translate(14 {(TOP + bottom) / 2}) rotate(-90)" '
                     f'text-anchor="middle">{escape(self.y_label)}</text>')
        return parts

    def _legend(self):
        parts, x = [], LEFT
        for name in self.curves:
            parts.append(f'<path stroke="{COLORS[name]}" stroke-width="2"{DASHES.get(name, "")} '
                         f'd="M{x} 32 h24"/><text x="{x + 30}" y="36">{name}</text>')
            x += 120
        return parts

    def _curve(self, name, points):
        color = COLORS[name]
        path = " L".join(f"{self._x(x):.1f} {self._y(y):.1f}" for x, y in points)
        dots = ""
        for x, y in points:
            fill = "none" if (name, x) in self.disturbed else color
            dots += (f'<circle cx="{self._x(x):.1f}" cy="{self._y(y):.1f}" r="3" fill="{fill}" '
                     f'stroke="{color}"><title>{x:,}: {y:,.6g}</title></circle>')
        return [f'<path fill="none" stroke="{color}" stroke-width="2"{DASHES.get(name, "")} '
                f'd="M{path}"/>{dots}']


def _round_step(step):
    """1, 2 or 5 and zeros, at least the given."""
    unit = 10 ** math.floor(math.log10(step))
    return next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= step)
