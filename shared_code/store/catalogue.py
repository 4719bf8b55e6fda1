"""Describes a database's schema as comparable lines, from PostgreSQL's own catalogue.

Alembic's autogenerate sees neither CHECK constraints nor partitioning, views, functions or grants;
these lines hold them all. Partitions made at run time are left out.
"""

from typing import Final

from sqlalchemy import Connection, text

PARTITION_SUFFIX: Final = "_p[0-9]{8}"

_TABLES: Final = """
    pg_class AS relation
    JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
     AND namespace.nspname = 'public'
"""
_OURS: Final = f"""
    relation.relname !~ '{PARTITION_SUFFIX}' AND relation.relname !~ '^alembic_version'
"""

_QUERIES: Final = {
    "column": f"""
        SELECT relation.relname, attribute.attname,
               format_type(attribute.atttypid, attribute.atttypmod),
               attribute.attnotnull, attribute.attidentity,
               pg_get_expr(value.adbin, value.adrelid), collation_.collname
        FROM {_TABLES}
        JOIN pg_attribute AS attribute ON attribute.attrelid = relation.oid
         AND attribute.attnum > 0 AND NOT attribute.attisdropped
        LEFT JOIN pg_attrdef AS value
          ON value.adrelid = relation.oid AND value.adnum = attribute.attnum
        LEFT JOIN pg_collation AS collation_ ON collation_.oid = attribute.attcollation
        WHERE {_OURS} AND relation.relkind IN ('r', 'p')
    """,
    "constraint": f"""
        SELECT relation.relname, constraint_.conname, pg_get_constraintdef(constraint_.oid),
               constraint_.convalidated
        FROM {_TABLES}
        JOIN pg_constraint AS constraint_ ON constraint_.conrelid = relation.oid
        WHERE {_OURS} AND constraint_.contype <> 'n'
    """,
    "index": f"""
        SELECT relation.relname, pg_get_indexdef(index_.indexrelid)
        FROM {_TABLES}
        JOIN pg_index AS index_ ON index_.indrelid = relation.oid
        WHERE {_OURS}
    """,
    "partitioning": f"""
        SELECT relation.relname, pg_get_partkeydef(relation.oid)
        FROM {_TABLES}
        WHERE {_OURS} AND relation.relkind = 'p'
    """,
    "view": f"""
        SELECT relation.relname, pg_get_viewdef(relation.oid)
        FROM {_TABLES}
        WHERE {_OURS} AND relation.relkind = 'v'
    """,
    "comment": f"""
        SELECT relation.relname, attribute.attname, description.description
        FROM {_TABLES}
        JOIN pg_description AS description ON description.objoid = relation.oid
         AND description.classoid = 'pg_class'::regclass
        LEFT JOIN pg_attribute AS attribute ON attribute.attrelid = relation.oid
         AND attribute.attnum = description.objsubid AND attribute.attnum > 0
        WHERE {_OURS} AND relation.relkind IN ('r', 'p', 'v')
    """,
    "storage": f"""
        SELECT relation.relname, array_to_string(relation.reloptions, ',')
        FROM {_TABLES}
        WHERE {_OURS} AND relation.reloptions IS NOT NULL
    """,
    "grant": f"""
        SELECT relation.relname, coalesce(grantee.rolname, 'PUBLIC'), acl.privilege_type,
               acl.is_grantable
        FROM {_TABLES}
        CROSS JOIN LATERAL aclexplode(relation.relacl) AS acl
        LEFT JOIN pg_roles AS grantee ON grantee.oid = acl.grantee
        WHERE {_OURS} AND acl.grantee <> relation.relowner
    """,
    "column grant": f"""
        SELECT relation.relname, attribute.attname, coalesce(grantee.rolname, 'PUBLIC'),
               acl.privilege_type, acl.is_grantable
        FROM {_TABLES}
        JOIN pg_attribute AS attribute ON attribute.attrelid = relation.oid
        CROSS JOIN LATERAL aclexplode(attribute.attacl) AS acl
        LEFT JOIN pg_roles AS grantee ON grantee.oid = acl.grantee
        WHERE {_OURS}
    """,
    "trigger": f"""
        SELECT relation.relname, pg_get_triggerdef(trigger_.oid), trigger_.tgenabled
        FROM {_TABLES}
        JOIN pg_trigger AS trigger_ ON trigger_.tgrelid = relation.oid
        WHERE {_OURS} AND NOT trigger_.tgisinternal
    """,
    "row security": f"""
        SELECT relation.relname, relation.relrowsecurity, relation.relforcerowsecurity
        FROM {_TABLES}
        WHERE {_OURS} AND (relation.relrowsecurity OR relation.relforcerowsecurity)
    """,
    "function": """
        SELECT routine.proname, pg_get_functiondef(routine.oid), (
            SELECT string_agg(
                format('%s %s %s', coalesce(grantee.rolname, 'PUBLIC'), acl.privilege_type,
                       acl.is_grantable),
                ',' ORDER BY grantee.rolname
            )
            FROM aclexplode(coalesce(routine.proacl, acldefault('f', routine.proowner))) AS acl
            LEFT JOIN pg_roles AS grantee ON grantee.oid = acl.grantee
            WHERE acl.grantee <> routine.proowner
        )
        FROM pg_proc AS routine
        JOIN pg_namespace AS namespace ON namespace.oid = routine.pronamespace
         AND namespace.nspname = 'public'
        LEFT JOIN pg_depend AS extension
          ON extension.objid = routine.oid AND extension.deptype = 'e'
        WHERE extension.objid IS NULL
    """,
    "vocabulary": "SELECT vocabulary, number, name FROM vocabularies",
}


def describe(connection: Connection) -> frozenset[str]:
    """Return one line per column, constraint, index, partition key, view, function and grant."""
    return frozenset(
        " | ".join([kind, *(str(value) for value in row)])
        for kind, query in _QUERIES.items()
        for row in connection.execute(text(query.replace(":", r"\:")))
    )
