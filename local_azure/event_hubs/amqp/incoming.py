"""Frame bodies as they arrive, read into performatives and checked field by field."""

from dataclasses import MISSING, fields

from local_azure.event_hubs.amqp.decode import decode
from local_azure.event_hubs.amqp.performatives import (
    AmqpError,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Kind,
    Open,
    Performative,
    SaslInit,
    Source,
    Target,
    Transfer,
)
from local_azure.event_hubs.amqp.types import Described
from local_azure.event_hubs.errors import DecodeError

_FRAME_BODIES: dict[int, type[Performative]] = {
    kind.code: kind
    for kind in (Open, Begin, Attach, Flow, Transfer, Disposition, Detach, End, Close, SaslInit)
}
_COMPOSITES: dict[int, type[Performative]] = {
    kind.code: kind for kind in (AmqpError, Source, Target)
}


def read_performative(body: bytes) -> tuple[Performative, int]:
    """Read the performative at the beginning of a frame's body.

    Returns:
        The performative, and the position where the payload begins.

    Raises:
        DecodeError: The bytes are no performative that a client sends, a field has the wrong type
            or range, or a required field is missing.
    """
    value, end = decode(body)
    if not isinstance(value, Described):
        msg = f"a frame's body is a performative, not {type(value).__name__}"
        raise DecodeError(msg)
    kind = _FRAME_BODIES.get(value.descriptor) if isinstance(value.descriptor, int) else None
    if kind is None:
        msg = f"{value.descriptor!r:.60} describes no performative that a client sends"
        raise DecodeError(msg)
    return _build(kind, value.value), end


def _build(kind: type[Performative], items: object) -> Performative:
    if not isinstance(items, list):
        msg = f"{kind.__name__} is a list of fields, not {type(items).__name__}"
        raise DecodeError(msg)
    slots = fields(kind)
    if len(items) > len(slots):
        msg = f"{kind.__name__} has {len(slots)} fields, {len(items)} came"
        raise DecodeError(msg)
    values: dict[str, object] = {}
    for position, slot in enumerate(slots):
        value = items[position] if position < len(items) else None
        if value is None:
            if slot.name in kind.required:
                msg = f"{kind.__name__}.{slot.name} is required"
                raise DecodeError(msg)
            values[slot.name] = None if slot.default is MISSING else slot.default
        else:
            values[slot.name] = _read_field(kind, slot.name, kind.kinds[position], value)
    return kind(**values)


def _read_field(owner: type[Performative], name: str, kind: Kind, value: object) -> object:
    wrong_type = not isinstance(value, kind.accepts) or (
        # bool is an int in Python, in AMQP it is not.
        isinstance(value, bool) and int in kind.accepts
    )
    out_of_range = (
        not wrong_type
        and kind.maximum is not None
        and isinstance(value, int)
        and not 0 <= value <= kind.maximum
    )
    if wrong_type or out_of_range:
        msg = f"{owner.__name__}.{name} cannot be {value!r:.60}"
        raise DecodeError(msg)
    if isinstance(value, list) and str in kind.accepts:
        return tuple(str(item) for item in value)
    if isinstance(value, str) and list in kind.accepts:
        return (str(value),)
    if isinstance(value, Described) and kind.accepts == (Described,):
        return _read_composite(value)
    return value


def _read_composite(value: Described) -> object:
    kind = _COMPOSITES.get(value.descriptor) if isinstance(value.descriptor, int) else None
    # Outcomes and a transaction's coordinator stay as they are: nothing here acts on them.
    return value if kind is None else _build(kind, value.value)
