"""What a YAML document says, each value with its place: immutable, so that it can be shared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from simulator.configuration.errors import Path, Place

LARGEST_EXACT: Final = 2**53
"""Up to here every whole number is a float."""

_LONGEST: Final = 60

type Scalar = str | int | float | bool | None


class Entry(NamedTuple):
    """What a key of a map leads to, and where the key stands."""

    place: Place
    node: "Node"


@dataclass(frozen=True, slots=True)
class Node:
    """One value.

    Attributes:
        place: where it begins.
        content: by its type, a map, a list or a scalar.
        written: how it was written if it came from variables, whose values are nobody's business.
        size: how many values it consists of, itself included.
    """

    place: Place
    content: "Mapping[str, Entry] | tuple[Node, ...] | Scalar"
    written: str | None = None
    size: int = 1


def map_node(place: Place, entries: Mapping[str, Entry]) -> Node:
    """Return the node of a map."""
    return Node(place, entries, size=1 + sum(entry.node.size for entry in entries.values()))


def list_node(place: Place, items: Iterable[Node]) -> Node:
    """Return the node of a list."""
    content = tuple(items)
    return Node(place, content, size=1 + sum(item.size for item in content))


def plain(node: Node) -> Any:
    """Return the value without its places: dict, list or scalar."""
    match node.content:
        case Mapping() as entries:
            return {key: plain(entry.node) for key, entry in entries.items()}
        case tuple() as items:
            return [plain(item) for item in items]
        case scalar:
            return scalar


def node_at(root: Node, path: Path) -> Node | None:
    """Return the value at a path, None if the document does not say it."""
    found: Node | None = root
    for step in path:
        found = _child(found, step) if found else None
    return found


def place_at(root: Node, path: Path) -> Place:
    """Return where the value at a path begins, or else the last key or value on the way to it."""
    for length in range(len(path), 0, -1):
        node = node_at(root, path[:length])
        if node:
            # A map or a list begins below its key, which is where one looks for it.
            return node.place if _is_scalar(node) else key_place(root, path[:length])
    return root.place


def key_place(root: Node, path: Path) -> Place:
    """Return where the key stands that a path ends with; for an item of a list, the item."""
    above = node_at(root, path[:-1])
    if above and isinstance(above.content, Mapping):
        entry = above.content.get(str(path[-1]))
        return entry.place if entry else above.place
    node = node_at(root, path)
    return node.place if node else root.place


def merged(base: Node, over: Node) -> Node:
    """Return what two documents say together: maps deeply, of all else what is ``over`` it."""
    if not (isinstance(base.content, Mapping) and isinstance(over.content, Mapping)):
        return over
    entries = dict(base.content)
    for key, entry in over.content.items():
        below = entries.get(key)
        node = merged(below.node, entry.node) if below else entry.node
        entries[key] = Entry(entry.place, node)
    return map_node(over.place, entries)


def without(root: Node, paths: Iterable[Path]) -> Node:
    """Return a document without the values at some paths."""
    heads: dict[str | int, list[Path]] = {}
    for path in paths:
        heads.setdefault(path[0], []).append(path[1:])

    def kept(step: str | int, node: Node) -> Node | None:
        below = heads.get(step, [])
        if not below:
            return node
        return None if () in below else without(node, below)

    match root.content:
        case Mapping() as entries:
            members = ((key, entry.place, kept(key, entry.node)) for key, entry in entries.items())
            return map_node(
                root.place, {key: Entry(place, node) for key, place, node in members if node}
            )
        case tuple() as items:
            left = (kept(position, item) for position, item in enumerate(items))
            return list_node(root.place, (node for node in left if node))
        case _:
            return root


def shown(value: Any) -> str:
    """Return a value as messages show it: short, on one line, and fit for a terminal."""
    match value:
        case None:
            text = "nothing"
        case bool():
            text = str(value).lower()
        case Mapping():
            text = "a map"
        case list() | tuple():
            text = f"a list of {len(value)}"
        case float() if value.is_integer() and abs(value) <= LARGEST_EXACT:
            text = str(int(value))
        case str() if len(value) > _LONGEST:
            text = f"{value[:_LONGEST]!r}..."
        case _:
            text = repr(value)
    return text


def shown_node(node: Node) -> str:
    """Return the value of a node as messages show it, but for what came from variables."""
    if node.written is not None:
        return f"what {shown(node.written)} stands for"
    return shown(plain(node))


def _is_scalar(node: Node) -> bool:
    return not isinstance(node.content, Mapping | tuple)


def _child(node: Node, step: str | int) -> Node | None:
    content = node.content
    if isinstance(content, Mapping):
        entry = content.get(str(step))
        return entry.node if entry else None
    if isinstance(content, tuple) and isinstance(step, int) and step < len(content):
        return content[step]
    return None
