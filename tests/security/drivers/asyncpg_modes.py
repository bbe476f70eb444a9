# For each mode a letter: y = within TLS, c = in clear text, n = not at all.
import asyncio
import os
import ssl
import sys
from urllib.parse import quote

import asyncpg


async def letter(mode):
    address = "postgresql://dba@{HOST}:{PORT}/shop".format(**os.environ)
    try:
        connection = await asyncpg.connect(
            f"{address}?sslmode={mode}&sslrootcert={quote(os.environ['ROOT'])}", password=os.environ["SECRET"]
        )
    except (ssl.SSLError, OSError, asyncpg.PostgresError) as error:
        print(mode, error, file=sys.stderr)
        return "n"
    tls = await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    await connection.close()
    return "y" if tls else "c"


for mode in sys.argv[1:]:
    print(asyncio.run(letter(mode)), end="")
