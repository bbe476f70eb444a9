# For each mode a letter: y = within TLS, c = in clear text, n = not at all.
import os
import sys

import psycopg

for mode in sys.argv[1:]:
    try:
        with psycopg.connect(
            host=os.environ["HOST"], port=os.environ["PORT"], user="dba", dbname="shop",
            password=os.environ["SECRET"], sslmode=mode, sslrootcert=os.environ["ROOT"],
        ) as connection:
            tls = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()[0]
            print("y" if tls else "c", end="")
    except psycopg.OperationalError as error:
        print(mode, error, file=sys.stderr)
        print("n", end="")
