"""How an answer is written: JSON or CSV, with an ETag by which it is not sent twice."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from shared_code.web.exchange import Answer, Request

JSON_TYPE: Final = "application/json; charset=utf-8"
_CACHING: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept"}
_TAG: Final = re.compile(r'(?:W/)?"[!#-~\x80-\xff]*"')
_encoder: Final = msgspec.json.Encoder()


def json_bytes(value: Any) -> bytes:
    """Return a value as JSON: times in UTC with Z, decimals as strings."""
    return _encoder.encode(value)


def etag_of(*parts: bytes) -> str:
    """Return the weak tag of what an answer says, whenever it is said."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return f'W/"{digest.hexdigest()[:32]}"'


def conditional(
    request: Request, tag: str, media_type: str, body: bytes, headers: Mapping[str, str]
) -> Answer:
    """Return an answer, or 304 if the client holds it already."""
    headers = {**_CACHING, "ETag": tag, **headers}
    held = request.headers.get("if-none-match", "")
    if held.strip() == "*" or tag.removeprefix("W/") in {
        each.removeprefix("W/") for each in _TAG.findall(held)
    }:
        return Answer(304, headers=headers)
    return Answer(200, body, media_type, headers)


def prefers_csv(request: Request) -> bool:
    """Tell whether the client would rather have CSV than JSON, by its Accept header."""
    quality = {"text/csv": 0.0, "application/json": 0.0}
    ranges = {"text/csv": {"text/csv"}, "application/json": {"application/json", "*/*", ""}}
    for part in request.headers.get("accept", "").split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        if re.fullmatch(r"[01](\.[0-9]{0,3})?", weight):
            for media_type, names in ranges.items():
                if name in names:
                    quality[media_type] = max(quality[media_type], float(weight))
    return quality["text/csv"] > quality["application/json"]
