from contextlib import closing

import psycopg2


def test_each_test_gets_a_database_of_its_own_without_tables(empty_database: str) -> None:
    with closing(psycopg2.connect(empty_database)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_user_tables")
        assert cursor.fetchone() == (0,)
