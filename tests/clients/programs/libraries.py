"""What applications do through Python's libraries beside psycopg: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE. A line a check, then `== N of M`."""
import asyncio, datetime, decimal, json, os, sys, tempfile, uuid
AT = {k: os.environ["PG" + k.upper()] for k in ("host", "port", "user", "password", "database")}
PORT = int(AT["port"])
from urllib.parse import quote
URL = f"{AT['user']}:{quote(AT['password'], safe='')}@{AT['host']}:{PORT}/{AT['database']}"
count = [0, 0]


def check(name, body):
    count[1] += 1
    try:
        body()
        count[0] += 1
        print("ok   ", name)
    except BaseException as error:
        print("FAIL ", name + ":", type(error).__name__, " ".join(str(error).split())[:300])


def same(got, wanted):
    assert got == wanted, f"{got!r}, not {wanted!r}"


def throw(error):
    if error is not None:
        raise error


def with_pg8000():
    import pg8000.dbapi, pg8000.native
    options = dict(user=AT["user"], password=AT["password"], host=AT["host"], port=PORT, database=AT["database"])
    native = pg8000.native.Connection(**options)

    def types():
        values = [1, 1.5, "text", True, decimal.Decimal("1.50"), datetime.date(2026, 2, 28), uuid.UUID(int=5), b"\0\xff", [1, 2], {"a": [1]}]
        names = ["int4", "float8", "text", "bool", "numeric", "date", "uuid", "bytea", "int4[]", "jsonb"]
        for value, name in zip(values, names):
            given = json.dumps(value) if name == "jsonb" else value
            same(native.run(f"SELECT CAST(:v AS {name})", v=given), [[value]])

    def tables():
        native.run("DROP TABLE IF EXISTS p8")
        native.run("CREATE TABLE p8 (id serial PRIMARY KEY, name text UNIQUE, made timestamptz DEFAULT now())")
        same(native.run("INSERT INTO p8 (name) VALUES (:n) RETURNING id", n="a"), [[1]])
        same([c["name"] for c in native.columns], ["id"])
        same(native.row_count, 1)

    def errors():
        try:
            native.run("INSERT INTO p8 (name) VALUES ('a')")
            raise SystemExit("not refused")
        except pg8000.native.DatabaseError as error:
            same((error.args[0]["C"], error.args[0]["n"]), ("23505", "p8_name_key"))

    def dbapi():
        connection = pg8000.dbapi.connect(**options)
        cursor = connection.cursor()
        cursor.executemany("INSERT INTO p8 (name) VALUES (%s)", [("b",), ("c",)])
        cursor.execute("SELECT name FROM p8 ORDER BY id")
        same(cursor.fetchall(), (["a"], ["b"], ["c"]))
        connection.rollback()
        cursor.execute("SELECT count(*) FROM p8")
        same(cursor.fetchone(), [1])
        connection.close()

    def copying():
        import io
        native.run("COPY p8 (name) FROM STDIN", stream=io.StringIO("x\ny\n"))
        out = io.BytesIO()
        native.run("COPY (SELECT name FROM p8 WHERE name IN ('x', 'y') ORDER BY 1) TO STDOUT WITH (FORMAT csv)", stream=out)
        same(out.getvalue(), b"x\ny\n")

    def prepared():
        statement = native.prepare("SELECT name FROM p8 WHERE id = :id")
        same([statement.run(id=1), statement.run(id=99)], [[["a"]], []])
        statement.close()

    for name, body in dict(types=types, tables=tables, errors=errors, dbapi=dbapi, COPY=copying, prepared=prepared).items():
        check("pg8000: " + name, body)
    native.close()


def with_peewee():
    import peewee as p
    from playhouse.postgres_ext import ArrayField, BinaryJSONField, PostgresqlExtDatabase
    from playhouse.migrate import PostgresqlMigrator, migrate
    from playhouse.reflection import generate_models
    db = PostgresqlExtDatabase(AT["database"], user=AT["user"], password=AT["password"], host=AT["host"], port=PORT)

    class Base(p.Model):
        class Meta:
            database = db

    class Shop(Base):
        name = p.CharField(unique=True, max_length=40)
        opened = p.DateField(null=True)

    class Item(Base):
        shop = p.ForeignKeyField(Shop, backref="items", on_delete="CASCADE")
        price = p.DecimalField(max_digits=8, decimal_places=2, default=0)
        data = BinaryJSONField(null=True, index=False)
        tags = ArrayField(p.TextField, null=True, index=False)
        key = p.UUIDField(default=uuid.uuid4)

    def tables():
        db.drop_tables([Item, Shop], safe=True)
        db.create_tables([Shop, Item])
        assert Shop.table_exists() and {"item", "shop"} <= set(db.get_tables())

    def rows():
        shop = Shop.create(name="one", opened=datetime.date(2026, 1, 2))
        Item.create(shop=shop, price="5", data={"a": 1}, tags=["x", "y"])
        Item.insert_many([{"shop": shop, "price": 7}, {"shop": shop, "price": 9}]).execute()
        found = Item.select(p.fn.SUM(Item.price)).join(Shop).where(Shop.name == "one").scalar()
        same(found, decimal.Decimal("21.00"))
        same(Item.select().where(Item.price > 5).count(), 2)
        item = Item.get(Item.price == 5)
        same((item.data, item.tags, item.shop.opened), ({"a": 1}, ["x", "y"], datetime.date(2026, 1, 2)))

    def operators():
        same(Item.select().where(Item.data["a"] == "1").count(), 1)
        same(Item.select().where(Item.data.contains({"a": 1})).count(), 1)
        same(Item.select().where(Item.tags.contains("x")).count(), 1)
        same(Shop.select().where(Shop.name.startswith("o")).count(), 1)

    def upsert():
        Shop.insert(name="one").on_conflict(conflict_target=[Shop.name], update={Shop.opened: None}).execute()
        same(Shop.get().opened, None)
        same(Item.update(price=Item.price + 1).where(Item.price > 8).execute(), 1)
        same(list(Item.delete().where(Item.price > 9).returning(Item.price).tuples().execute())[0][0], decimal.Decimal("10.00"))

    def transactions():
        try:
            with db.atomic():
                Shop.create(name="two")
                with db.atomic():
                    Shop.create(name="one")
        except p.IntegrityError:
            pass
        same(Shop.select().count(), 1)

    def introspection():
        columns = {c.name: (c.data_type, c.null, c.primary_key) for c in db.get_columns("item")}
        same((columns["id"], columns["price"]), (("integer", False, True), ("numeric", False, False)))
        same([(k.column, k.dest_table, k.dest_column) for k in db.get_foreign_keys("item")], [("shop_id", "shop", "id")])
        assert any(i.unique for i in db.get_indexes("shop")) and db.get_primary_keys("shop") == ["id"]
        assert "shop" in generate_models(db)

    def migrations():
        migrator = PostgresqlMigrator(db)
        migrate(migrator.add_column("shop", "town", p.CharField(default="Lyon")), migrator.add_index("shop", ("town",), False))
        migrate(migrator.rename_column("shop", "town", "city"), migrator.drop_not_null("shop", "city"), migrator.drop_column("shop", "city"))

    for name, body in dict(tables=tables, rows=rows, operators=operators, upsert=upsert, transactions=transactions, introspection=introspection, migrations=migrations).items():
        check("Peewee: " + name, body)
    db.drop_tables([Item, Shop])
    db.close()


def with_alembic():
    import sqlalchemy as s
    from alembic.autogenerate import compare_metadata, produce_migrations
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    engine = s.create_engine("postgresql+psycopg://" + URL)
    metadata = s.MetaData()
    shop = s.Table("al_shop", metadata, s.Column("id", s.Integer, primary_key=True), s.Column("name", s.String(40), nullable=False, unique=True), s.Column("opened", s.Date, server_default=s.text("current_date")), comment="where things are sold")
    s.Table("al_item", metadata, s.Column("id", s.BigInteger, s.Identity(), primary_key=True), s.Column("shop_id", s.ForeignKey("al_shop.id", ondelete="CASCADE"), nullable=False, index=True), s.Column("price", s.Numeric(8, 2), s.CheckConstraint("price >= 0")), s.Column("tags", s.ARRAY(s.Text)), s.Column("data", s.dialects.postgresql.JSONB), s.Column("kind", s.Enum("a", "b", name="al_kind")))
    metadata.drop_all(engine)
    only = lambda thing, name, kind, *rest: kind != "table" or name.startswith("al_")
    options = dict(opts={"include_object": only, "compare_type": True, "compare_server_default": True})

    def creates():
        with engine.begin() as connection:
            context = MigrationContext.configure(connection, **options)
            script = produce_migrations(context, metadata)
            operations = Operations(context)
            for operation in script.upgrade_ops.ops:
                for part in getattr(operation, "ops", [operation]):
                    operations.invoke(part)

    def finds_nothing():
        with engine.connect() as connection:
            same(compare_metadata(MigrationContext.configure(connection, **options), metadata), [])

    def finds_changes():
        shop.append_column(s.Column("city", s.Text))
        with engine.connect() as connection:
            found = compare_metadata(MigrationContext.configure(connection, **options), metadata)
            same([(f[0], f[3].name) for f in found], [("add_column", "city")])

    def operations():
        with engine.begin() as connection:
            o = Operations(MigrationContext.configure(connection))
            o.add_column("al_shop", s.Column("city", s.Text))
            o.alter_column("al_shop", "name", type_=s.String(60), nullable=True)
            o.create_index("al_city", "al_shop", ["city"])
            o.create_unique_constraint("al_once", "al_shop", ["name", "city"])
            o.drop_constraint("al_once", "al_shop")
            o.alter_column("al_shop", "city", new_column_name="town")
            o.drop_index("al_city")
            o.drop_column("al_shop", "town")
            o.rename_table("al_shop", "al_market")
            o.rename_table("al_market", "al_shop")

    def versions():
        from alembic import command
        from alembic.config import Config
        with tempfile.TemporaryDirectory() as folder:
            config = Config(folder + "/alembic.ini", stdout=open(os.devnull, "w"))
            command.init(config, folder + "/m")
            config = Config(folder + "/alembic.ini", stdout=open(os.devnull, "w"))
            config.set_main_option("script_location", folder + "/m")
            config.set_main_option("sqlalchemy.url", ("postgresql+psycopg://" + URL).replace("%", "%%"))
            command.revision(config, "one")
            command.upgrade(config, "head")
            command.downgrade(config, "base")

    for name, body in {"creates": creates, "compares: equal": finds_nothing, "compares: a change": finds_changes, "operations": operations, "versions": versions}.items():
        check("Alembic: " + name, body)
    metadata.drop_all(engine)
    with engine.begin() as connection:
        connection.execute(s.text("DROP TABLE IF EXISTS alembic_version"))


def with_tortoise():
    from tortoise import Tortoise, fields, transactions
    from tortoise.models import Model
    import types
    module = types.ModuleType("tort")

    class Shop(Model):
        id = fields.IntField(primary_key=True)
        name = fields.CharField(max_length=40, unique=True)
        opened = fields.DateField(null=True)

        class Meta:
            table = "to_shop"

    class Item(Model):
        id = fields.UUIDField(primary_key=True)
        shop = fields.ForeignKeyField("models.Shop", related_name="items")
        price = fields.DecimalField(max_digits=8, decimal_places=2)
        data = fields.JSONField(null=True)
        made = fields.DatetimeField(auto_now_add=True)

        class Meta:
            table = "to_item"

    module.Shop, module.Item = Shop, Item
    sys.modules["tort"] = module

    async def begin():
        await Tortoise.init(db_url="asyncpg://" + URL, modules={"models": ["tort"]})
        await Tortoise.get_connection("default").execute_script("DROP TABLE IF EXISTS to_item; DROP TABLE IF EXISTS to_shop")
        await Tortoise.generate_schemas()
        await Tortoise.generate_schemas(safe=True)

    async def rows():
        shop = await Shop.create(name="one", opened=datetime.date(2026, 1, 2))
        await Item.create(shop=shop, price=decimal.Decimal("5.50"), data={"a": 1})
        await Item.bulk_create([Item(shop=shop, price=7), Item(shop=shop, price=9)])
        found = await Shop.get(name="one").prefetch_related("items")
        same((len(found.items), await Item.filter(shop__name="one", price__gt=6).count()), (3, 2))
        from tortoise.functions import Sum
        same((await Shop.annotate(total=Sum("items__price")).values("total"))[0]["total"], decimal.Decimal("21.50"))

    async def in_transactions():
        try:
            async with transactions.in_transaction():
                await Shop.create(name="two")
                raise ValueError
        except ValueError:
            pass
        same(await Shop.all().count(), 1)
        from tortoise.exceptions import IntegrityError
        try:
            await Shop.create(name="one")
            raise SystemExit("not refused")
        except IntegrityError:
            pass

    async def changes():
        await Shop.update_or_create(name="one", defaults={"opened": None})
        same(await Item.filter(price__lt=6).update(price=6), 1)
        same(await Item.filter(price__gte=9).delete(), 1)

    async def end():
        await Tortoise.get_connection("default").execute_script("DROP TABLE to_item; DROP TABLE to_shop")
        await Tortoise.close_connections()

    async def steps():
        for name, body in dict(schema=begin, rows=rows, transactions=in_transactions, changes=changes, end=end).items():
            outcome = None
            try:
                await body()
            except BaseException as error:
                outcome = error
            check("Tortoise: " + name, lambda: throw(outcome))

    asyncio.run(steps())


if __name__ == "__main__":
    known = dict(pg8000=with_pg8000, peewee=with_peewee, alembic=with_alembic, tortoise=with_tortoise)
    for name in sys.argv[1:] or known:
        before = list(count)
        try:
            known[name]()
        except Exception as error:
            count[1] += 1
            print("FAIL ", name, "ended early:", type(error).__name__, str(error)[:300])
        print(f"== {name}: {count[0] - before[0]} of {count[1] - before[1]}")
    sys.exit(count[0] != count[1])
