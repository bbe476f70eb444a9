import asyncio, os, asyncpg
ports = [int(port) for port in os.environ["SHOP_PORTS"].split(",")]


async def write():
    connection = None
    while True:
        try:
            if connection is None:
                connection = await asyncpg.connect(
                    host=["127.0.0.1", "127.0.0.1"], port=ports, user="dba", database="shop",
                    password=os.environ["PGPASSWORD"], target_session_attrs="read-write")
            await connection.execute("INSERT INTO item (name) VALUES ($1)", os.environ["SHOP_NAME"])
            if await connection.fetchval("SELECT inet_server_port()") == ports[-1]:
                break
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            print(repr(error), flush=True)
            if connection is not None:
                connection.terminate()
            connection = None
        await asyncio.sleep(0.02)
    await connection.close()

asyncio.run(write())
