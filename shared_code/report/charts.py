"""Bar charts as SVG, drawn for paper: no script, no font and no colour that a copier loses."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, SubElement

_WIDTH: Final = 720
_HEIGHT: Final = 180
_LEFT: Final = 70
_TOP: Final = 12
_BOTTOM: Final = 28
_FILLED: Final = 0.85
_HOUR: Final = 3600


class Bar(NamedTuple):
    """The value of one period, and the part of it that is drawn dark."""

    start: datetime
    value: Decimal
    part: Decimal = Decimal(0)


class Axis(NamedTuple):
    """The span that a chart shows, ``[start, end)``, and the length of each period in seconds."""

    start: datetime
    end: datetime
    period_seconds: int

    def place(self, moment: datetime) -> float:
        """Return how many periods a moment lies behind the start."""
        return (moment - self.start).total_seconds() / self.period_seconds


def bar_chart(title: str, bars: Sequence[Bar], axis: Axis) -> Element:
    """Return a chart that says as a text what it shows; a period without a bar stays empty.

    Args:
        title: what the values are, for people who hear the page.
        bars: at least one, not before the axis starts.
        axis: of all charts of a page, so that they can be compared.
    """
    hours = axis.period_seconds == _HOUR
    most = max(bar.value for bar in bars) or Decimal(1)
    svg = Element("svg", {"viewBox": f"0 0 {_WIDTH} {_HEIGHT}", "role": "img"})
    unit = "hour" if hours else "day"
    SubElement(svg, "title").text = f"{title}; at most {most:,} in one {unit}"
    floor = _HEIGHT - _BOTTOM
    step = (_WIDTH - _LEFT) / max(axis.place(axis.end), 1)
    for bar in bars:
        left = _LEFT + max(axis.place(bar.start), 0) * step
        for value, name in ((bar.value, "whole"), (bar.part, "part")):
            tall = float(value / most) * (floor - _TOP)
            if tall:
                place = {"x": left, "y": floor - tall, "width": step * _FILLED, "height": tall}
                shape = {key: f"{of:.1f}" for key, of in place.items()}
                SubElement(svg, "rect", {"class": name, **shape})
    line = {"x1": str(_LEFT), "x2": str(_WIDTH), "y1": str(floor), "y2": str(floor)}
    SubElement(svg, "line", line)
    _text(svg, _LEFT - 6, _TOP + 8, f"{most:,}", "end")
    _text(svg, _LEFT - 6, floor, "0", "end")
    shown = "%Y-%m-%d %H:%M" if hours else "%Y-%m-%d"
    _text(svg, _LEFT, _HEIGHT - 8, axis.start.strftime(shown), "start")
    _text(svg, _WIDTH, _HEIGHT - 8, axis.end.strftime(shown), "end")
    return svg


def _text(svg: Element, x: float, y: float, said: str, anchor: str) -> None:
    SubElement(svg, "text", {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor}).text = said
