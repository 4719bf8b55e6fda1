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
MASKED_REJECTED_EVENTS: Final = """\
CREATE VIEW masked_rejected_events AS
SELECT rejected.ctid AS row_place,
       rejected.rejected_at,
       rejected.reason,
       rejected.detail,
       rejected.eventhub_namespace,
       rejected.event_hub,
       rejected.partition_id,
       rejected.sequence_number,
       rejected.event_index,
       masked_event_body(rejected.body) AS masked_body
FROM rejected_events AS rejected"""
