"""Route templates of HTTP functions: ``v1/{*path}``, ``orders/{id:int}``, ``{lang=en}``.

The template language is that of ASP.NET routing, as far as functions use it. Matching ignores the
case of literal segments.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

_CONSTRAINTS: dict[str, str] = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "alpha": r"[A-Za-z]+",
    "bool": r"(?i:true|false)",
    "guid": r"\{?[0-9A-Fa-f]{8}(?:-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}\}?",
    "decimal": r"-?\d+(?:\.\d+)?",
    "double": r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
    "float": r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
    "datetime": r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
    r"(?:Z|[+-]\d{2}:?\d{2})?)?",
    "required": r".+",
}
_PARAMETER = re.compile(
    r"(?P<star>\*{0,2})(?P<name>[A-Za-z_][A-Za-z0-9_-]*)(?P<constraints>(?::[^=?]*)?)"
    r"(?P<optional>\??)(?:=(?P<default>.*))?"
)
_BOUNDS = re.compile(r"(min|max|length|minlength|maxlength|range)\((\d+)(?:,(\d+))?\)")
_SIZES = {"length": "{{{0}}}", "minlength": "{{{0},}}", "maxlength": "{{0,{0}}}"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A segment that must stand as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A segment in braces.

    Attributes:
        pattern: what a value must match whole.
        bounds: lowest and highest number allowed, both included.
        catch_all: it takes all segments that are left, also none.
    """

    name: str
    pattern: re.Pattern[str]
    bounds: tuple[int | None, int | None]
    optional: bool
    default: str | None
    catch_all: bool

    def accepts(self, value: str) -> bool:
        """Tell whether a value of the path satisfies the constraints."""
        if self.pattern.fullmatch(value) is None:
            return False
        low, high = self.bounds
        if low is None and high is None:
            return True
        if not re.fullmatch(r"-?\d+", value):
            return False
        return (low is None or int(value) >= low) and (high is None or int(value) <= high)


class RouteInvalid(ValueError):
    """A route template cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class RouteTemplate:
    """A route, parsed; ``text`` is how it was written, without the prefix."""

    text: str
    segments: tuple[Literal | Parameter, ...]

    @property
    def precedence(self) -> tuple[int, ...]:
        """Sorts routes as ASP.NET does: literals first, then constrained, free, catch-all."""
        return tuple(_weight(segment) for segment in self.segments)

    def match(self, path: str) -> Mapping[str, str] | None:
        """Compare a request's path, without the prefix and the leading slash.

        Returns:
            the route's parameters, percent-decoded; None when the path does not fit.
        """
        given = [part for part in path.split("/") if part]
        values: dict[str, str] = {}
        for position, segment in enumerate(self.segments):
            if isinstance(segment, Parameter) and segment.catch_all:
                rest = "/".join(unquote(part) for part in given[position:]) or segment.default or ""
                if rest and not segment.accepts(rest):
                    return None
                return {**values, segment.name: rest}
            value = unquote(given[position]) if position < len(given) else None
            if not _take(segment, value, values):
                return None
        return values if len(given) <= len(self.segments) else None


def _take(segment: Literal | Parameter, value: str | None, values: dict[str, str]) -> bool:
    if isinstance(segment, Literal):
        return value is not None and value.casefold() == segment.text.casefold()
    if value is None:
        if segment.default is not None:
            values[segment.name] = segment.default
        return segment.optional or segment.default is not None
    values[segment.name] = value
    return segment.accepts(value)


def _weight(segment: Literal | Parameter) -> int:
    if isinstance(segment, Literal):
        return 0
    if segment.catch_all:
        return 3
    return 1 if segment.pattern.pattern != ".+" or segment.bounds != (None, None) else 2


def parse_route(text: str) -> RouteTemplate:
    """Parse a route template.

    Raises:
        RouteInvalid: it cannot be read.
    """
    if text.startswith("/"):
        raise RouteInvalid("it starts with a slash; leave it out")
    if "?" in re.sub(r"\{[^{}]*\}", "", text):
        raise RouteInvalid("a query string is no part of a route")
    segments = tuple(_segment(part) for part in text.split("/")) if text else ()
    names = [segment.name for segment in segments if isinstance(segment, Parameter)]
    if len(set(names)) != len(names):
        raise RouteInvalid("a parameter's name stands in it twice")
    for segment in segments[:-1]:
        if isinstance(segment, Parameter) and (segment.catch_all or segment.optional):
            msg = f"'{{{segment.name}}}' must be the last segment"
            raise RouteInvalid(msg)
    return RouteTemplate(text, segments)


def _segment(part: str) -> Literal | Parameter:
    if not part:
        raise RouteInvalid("a segment is empty")
    if "{" not in part and "}" not in part:
        return Literal(part)
    if not (part.startswith("{") and part.endswith("}")):
        msg = f"'{part}' mixes text and braces; a segment is either the one or the other"
        raise RouteInvalid(msg)
    match = _PARAMETER.fullmatch(part[1:-1])
    if match is None:
        msg = f"'{part}' is no parameter; write {{name}}, {{name:int}}, {{name?}} or {{*name}}"
        raise RouteInvalid(msg)
    pattern, bounds = _constraints(match["constraints"])
    return Parameter(
        match["name"],
        pattern,
        bounds,
        optional=bool(match["optional"]),
        default=match["default"],
        catch_all=bool(match["star"]),
    )


def _constraints(text: str) -> tuple[re.Pattern[str], tuple[int | None, int | None]]:
    shapes: list[str] = []
    low: int | None = None
    high: int | None = None
    for name in filter(None, text.split(":")):
        sized = _BOUNDS.fullmatch(name)
        if name in _CONSTRAINTS:
            shapes.append(_CONSTRAINTS[name])
        elif sized and sized[1] in {"min", "max", "range"}:
            low = int(sized[2]) if sized[1] != "max" else low
            high = int(sized[3] or sized[2]) if sized[1] != "min" else high
        elif sized:
            upper = f",{sized[3]}" if sized[3] else ""
            shapes.append("." + _SIZES[sized[1]].format(sized[2] + upper))
        else:
            known = ", ".join([*_CONSTRAINTS, "min(n)", "max(n)", "range(a,b)", "length(n)"])
            msg = f"constraint '{name}' is not known; known are {known}"
            raise RouteInvalid(msg)
    lookaheads = "".join(f"(?={shape}\\Z)" for shape in shapes)
    return re.compile(f"{lookaheads}.+", re.DOTALL), (low, high)
