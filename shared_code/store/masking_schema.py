"""What people may see of refused events: of their bodies only the shape, as SQL."""

from typing import Final

# Of JSON the keys stay, other texts become an ellipsis, and digits become 9, wherever they are. Of
# anything else only punctuation and white space of ASCII stay: what is no letter to one collation
# is one to another. A string may end in an escaped quote, so that strings are taken as a whole.
MASKED_EVENT_BODY: Final = """\
CREATE FUNCTION masked_event_body(body text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM body::json;
    RETURN (
        SELECT string_agg(
            CASE WHEN part[1] IS NULL THEN regexp_replace(part[2], '[0-9]', '9', 'g')
                 WHEN part[1] ~ ':$' THEN regexp_replace(part[1], '[0-9]', '9', 'g')
                 ELSE '"…"' END,
            '' ORDER BY place)
        FROM regexp_matches(body, '("(?:[^"\\\\]|\\\\.)*"(?:[ \\t\\r\\n]*:)?)|([^"]+)', 'g')
             WITH ORDINALITY AS found (part, place)
    );
EXCEPTION
    WHEN data_exception OR program_limit_exceeded THEN
        RETURN regexp_replace(body COLLATE "C", '[^] \\t\\r\\n!-/:-@[^_`{-~-]', 'x', 'g');
END
$$"""

# The place of a row tells events of one instant apart: the hash of a body is no one's to see.
# A detail quotes what was found, as Python or PostgreSQL do or as it stood in the event, which may
# hold quotes of its own or, redacted, have lost one. So it is cut where only our own words can be:
# at the last of those behind what was found, at the first of those before. Short codes stay.
MASKED_REJECTED_EVENTS: Final = """\
CREATE VIEW masked_rejected_events AS
SELECT rejected.ctid AS row_place,
       rejected.rejected_at,
       rejected.reason,
       CASE
           WHEN concat(rejected.reason, ': ', rejected.detail) ~ concat(
               '^(unknown_[a-z_]+: ''[A-Za-z_]{1,16}'' is n(o ISO 4217 currency|one of [a-z_, ]+)',
               '|invalid_text: ([A-Za-z_]{1,16} holds NUL or half of a surrogate pair',
               '|the event is no valid UTF-8|metadata are no valid UTF-8)',
               '|(invalid_amount|invalid_event_time|not_an_object): expected [^,]+, found ',
               '(["'']?[A-Za-z_]{1,16}["'']?|[0-9]{1,9} bytes of text))$'
           ) THEN rejected.detail
           WHEN rejected.reason IN (
               'unknown_currency', 'unknown_payment_method', 'unknown_payment_status'
           ) THEN concat('…', substring(rejected.detail FROM '^.*( is n.*)$'))
           WHEN rejected.reason = 'invalid_text'
               THEN concat('…', substring(rejected.detail FROM '^.*( holds NUL.*)$'))
           WHEN rejected.detail LIKE 'expected %'
               THEN regexp_replace(rejected.detail, ', found .*', ', found …')
           ELSE regexp_replace(rejected.detail, '["''].*["'']', '…')
       END AS detail,
       rejected.eventhub_namespace,
       rejected.event_hub,
       rejected.partition_id,
       rejected.sequence_number,
       rejected.event_index,
       masked_event_body(rejected.body) AS masked_body
FROM rejected_events AS rejected"""
