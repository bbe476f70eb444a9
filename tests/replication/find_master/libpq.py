import os, time, psycopg2
ports = os.environ["SHOP_PORTS"]
where = f"host=127.0.0.1,127.0.0.1 port={ports} user=dba dbname=shop target_session_attrs=read-write"
connection = None
while True:
    try:
        if connection is None:
            connection = psycopg2.connect(where)
            connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("INSERT INTO item (name) VALUES (%s)", (os.environ["SHOP_NAME"],))
        if connection.info.port == int(ports.split(",")[-1]):
            break
    except psycopg2.Error as error:
        print(error, flush=True)
        if connection is not None:
            connection.close()
        connection = None
    time.sleep(0.02)
