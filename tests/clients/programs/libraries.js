// What applications do through Node's libraries, on any PostgreSQL server: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE. A line a check,
// then `== N of M`. The libraries are found by NODE_PATH.
const assert = require('assert');
const env = process.env;
const at = { host: env.PGHOST, port: Number(env.PGPORT), user: env.PGUSER, password: env.PGPASSWORD, database: env.PGDATABASE };
const url = `postgres://${at.user}:${encodeURIComponent(at.password)}@${at.host}:${at.port}/${at.database}`;
let good = 0, all = 0;
async function check(name, body) {
  all++;
  try { await body(); good++; console.log(`ok    ${name}`); }
  catch (error) { console.log(`FAIL  ${name}: ${String(error.message || error).split('\n').join(' ').slice(0, 300)}`); }
}
const same = assert.deepStrictEqual;

async function nodePostgres() {
  const pg = require('pg');
  const client = new pg.Client(at);
  await client.connect();
  await client.query('DROP TABLE IF EXISTS np_child, np');
  await check('pg: tables and RETURNING', async () => {
    await client.query('CREATE TABLE np (id serial PRIMARY KEY, name text NOT NULL, price numeric(8,2), tags text[], body jsonb, made timestamptz DEFAULT now(), raw bytea, day date)');
    const made = await client.query("INSERT INTO np (name, price, tags, body, raw, day) VALUES ($1, $2, $3, $4, $5, $6) RETURNING *",
      ['lamp', 12.5, ['a', 'b c'], { k: [1, 2] }, Buffer.from([0, 255]), '2026-02-28']);
    const row = made.rows[0];
    same([row.id, row.name, row.price, row.tags, row.body], [1, 'lamp', '12.50', ['a', 'b c'], { k: [1, 2] }]);
    same([...row.raw], [0, 255]);
    assert(row.made instanceof Date && row.day instanceof Date);
  });
  await check('pg: prepared statements by name', async () => {
    for (const id of [1, 2, 1]) {
      const { rows } = await client.query({ name: 'by-id', text: 'SELECT name FROM np WHERE id = $1', values: [id] });
      same(rows.length, id === 1 ? 1 : 0);
    }
  });
  await check('pg: rows as arrays, several statements of a text', async () => {
    const { rows, fields } = await client.query({ text: 'SELECT 1 AS a, 2 AS a', rowMode: 'array' });
    same([rows, fields.map(f => f.name)], [[[1, 2]], ['a', 'a']]);
    const many = await client.query('SELECT 1 AS x; SELECT 2 AS y');
    same(many.map(r => r.rows[0]), [{ x: 1 }, { y: 2 }]);
  });
  await check('pg: errors with their fields', async () => {
    await assert.rejects(client.query('INSERT INTO np (id, name) VALUES (1, $1)', ['x']),
      e => e.code === '23505' && e.constraint === 'np_pkey' && e.table === 'np' && e.detail === 'Key (id)=(1) already exists.' && e.schema === 'public');
    await assert.rejects(client.query('SELECT nope FROM np'), e => e.code === '42703' && e.position === '8');
  });
  await check('pg: transactions and savepoints', async () => {
    await client.query('BEGIN');
    await client.query("INSERT INTO np (name) VALUES ('gone')");
    await client.query('SAVEPOINT s');
    await assert.rejects(client.query('SELECT 1/0'), e => e.code === '22012');
    await client.query('ROLLBACK TO s');
    same((await client.query("SELECT count(*) FROM np WHERE name = 'gone'")).rows[0].count, '1');
    await client.query('ROLLBACK');
  });
  await check('pg: ANY of an array, types of parameters', async () => {
    same((await client.query('SELECT id FROM np WHERE id = ANY($1::int[]) ORDER BY 1', [[1, 2, 3]])).rows, [{ id: 1 }]);
    same((await client.query('SELECT $1::int + 1 AS n, $2::text AS t, $3::bool AS b, $4::float8 AS f', [41, 'x', true, 1.5])).rows[0], { n: 42, t: 'x', b: true, f: 1.5 });
  });
  await client.end();
  await check('pg: a pool', async () => {
    const pool = new pg.Pool({ ...at, max: 4 });
    const answers = await Promise.all([...Array(20).keys()].map(n => pool.query('SELECT $1::int AS n', [n])));
    same(answers.map(a => a.rows[0].n), [...Array(20).keys()]);
    await pool.end();
  });
}

async function postgresJs() {
  const postgres = require('postgres');
  const sql = postgres(url, { max: 3, onnotice() {} });
  await check('postgres.js: tables and helpers', async () => {
    await sql`DROP TABLE IF EXISTS pj`;
    await sql`CREATE TABLE pj (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, n int, data jsonb, list int[], made timestamptz DEFAULT now())`;
    const rows = [{ name: 'a', n: 1 }, { name: 'b', n: 2 }];
    same([...await sql`INSERT INTO pj ${sql(rows, 'name', 'n')} RETURNING name, n`].map(r => ({ ...r })), rows);
  });
  await check('postgres.js: json, arrays, dates', async () => {
    const [row] = await sql`UPDATE pj SET data = ${sql.json({ x: [1] })}, list = ${[1, 2, 3]} WHERE name = 'a' RETURNING data, list, made`;
    same([row.data, row.list], [{ x: [1] }, [1, 2, 3]]);
    assert(row.made instanceof Date);
  });
  await check('postgres.js: lists and parts of statements', async () => {
    const found = await sql`SELECT name FROM pj WHERE name IN ${sql(['a', 'c'])} ${sql`AND n > ${0}`} ORDER BY ${sql('name')}`;
    same(found.map(r => r.name), ['a']);
    await sql`UPDATE pj SET ${sql({ name: 'z', n: 9 }, 'name', 'n')} WHERE name = 'b'`;
    same((await sql`SELECT n FROM pj WHERE name = 'z'`)[0].n, 9);
  });
  await check('postgres.js: transactions, savepoints, errors', async () => {
    await assert.rejects(sql.begin(async sql => { await sql`DELETE FROM pj`; throw new Error('undone'); }), /undone/);
    await sql.begin(async sql => {
      await sql.savepoint(async sql => { await sql`SELECT 1/0`; }).catch(e => same(e.code, '22012'));
      await sql`UPDATE pj SET n = n + 1`;
    });
    same((await sql`SELECT count(*)::int AS n FROM pj`)[0].n, 2);
  });
  await check('postgres.js: cursors and pipelines', async () => {
    let seen = 0;
    await sql`SELECT * FROM generate_series(1, 100) AS g(n)`.cursor(10, rows => { seen += rows.length; });
    same(seen, 100);
    const many = await Promise.all([...Array(30).keys()].map(n => sql`SELECT ${n}::int AS n`));
    same(many.map(r => r[0].n), [...Array(30).keys()]);
  });
  await check('postgres.js: COPY both ways', async () => {
    const { pipeline } = require('stream/promises');
    const { Readable } = require('stream');
    await pipeline(Readable.from(['x\t7\n', 'y\t8\n']), await sql`COPY pj (name, n) FROM STDIN`.writable());
    let text = '';
    for await (const part of await sql`COPY (SELECT name FROM pj WHERE n IN (7, 8) ORDER BY 1) TO STDOUT`.readable()) text += part;
    same(text, 'x\ny\n');
  });
  await check('postgres.js: LISTEN', async () => {
    let heard;
    const came = new Promise(resolve => { heard = resolve; });
    const listening = await sql.listen('pj_news', heard);
    await sql.notify('pj_news', 'hello');
    same(await came, 'hello');
    await listening.unlisten();
  });
  await check('postgres.js: describe', async () => {
    const told = await sql`SELECT id, name FROM pj WHERE n = ${1}`.describe();
    same([told.types, told.columns.map(c => c.name)], [[23], ['id', 'name']]);
  });
  await sql.end();
}

async function knexJs() {
  const knex = require('knex')({ client: 'pg', connection: at, pool: { min: 0, max: 2 } });
  await knex.schema.dropTableIfExists('kn_item').dropTableIfExists('kn_shop');
  await check('knex: schema builder', async () => {
    await knex.schema.createTable('kn_shop', t => { t.increments('id'); t.string('name').notNullable().unique(); t.timestamps(true, true); });
    await knex.schema.createTable('kn_item', t => {
      t.bigIncrements('id'); t.integer('shop_id').notNullable().references('kn_shop.id').onDelete('CASCADE');
      t.decimal('price', 8, 2).defaultTo(0); t.jsonb('data'); t.enu('kind', ['a', 'b']); t.uuid('key').defaultTo(knex.raw('gen_random_uuid()'));
      t.boolean('sold').defaultTo(false); t.date('day'); t.specificType('tags', 'text[]'); t.index(['shop_id', 'price']);
    });
    assert(await knex.schema.hasTable('kn_shop') && await knex.schema.hasColumn('kn_item', 'price'));
  });
  await check('knex: alter table', async () => {
    await knex.schema.alterTable('kn_shop', t => { t.string('city', 40).defaultTo('Lyon'); });
    await knex.schema.alterTable('kn_shop', t => { t.renameColumn('city', 'town'); });
    await knex.schema.alterTable('kn_shop', t => { t.string('town', 60).alter(); });
    assert((await knex('kn_shop').columnInfo()).town.maxLength === 60);
  });
  await check('knex: insert, returning, joins', async () => {
    const [{ id }] = await knex('kn_shop').insert({ name: 'one' }).returning('id');
    await knex('kn_item').insert([{ shop_id: id, price: 5, data: { a: 1 }, kind: 'a', tags: ['x'] }, { shop_id: id, price: 7.5, kind: 'b' }]);
    const rows = await knex('kn_item as i').join('kn_shop as s', 's.id', 'i.shop_id').where('s.name', 'one').sum('i.price as total').groupBy('s.id');
    same(rows, [{ total: '12.50' }]);
    same((await knex('kn_item').whereJsonPath('data', '$.a', '=', 1).catch(() => knex('kn_item').whereRaw("data ->> 'a' = '1'"))).length, 1);
  });
  await check('knex: upsert, subqueries, with', async () => {
    await knex('kn_shop').insert({ name: 'one', town: 'Bath' }).onConflict('name').merge(['town']);
    same((await knex('kn_shop').first('town')).town, 'Bath');
    const rows = await knex.with('dear', knex('kn_item').where('price', '>', 6)).select('*').from('dear').whereIn('shop_id', knex('kn_shop').select('id'));
    same(rows.length, 1);
  });
  await check('knex: transactions', async () => {
    await assert.rejects(knex.transaction(async t => { await t('kn_item').del(); throw new Error('no'); }), /no/);
    same((await knex('kn_item').count('* as n'))[0].n, '2');
    await knex.transaction(async t => { await t('kn_shop').forUpdate().first(); await t('kn_item').increment('price', 1); });
  });
  await check('knex: migrations', async () => {
    const source = { getMigrations: async () => ['one', 'two'], getMigrationName: m => m, getMigration: async m => ({ up: k => k.schema.createTable(`kn_m_${m}`, t => t.increments()), down: k => k.schema.dropTable(`kn_m_${m}`) }) };
    const config = { migrationSource: source, tableName: 'kn_migrations' };
    await knex.migrate.latest(config);
    assert(await knex.schema.hasTable('kn_m_two'));
    await knex.migrate.rollback(config, true);
    assert(!await knex.schema.hasTable('kn_m_one'));
    await knex.schema.dropTableIfExists('kn_migrations').dropTableIfExists('kn_migrations_lock');
  });
  await check('knex: batches', async () => {
    await knex.batchInsert('kn_shop', [...Array(50).keys()].map(n => ({ name: `s${n}` })), 20);
    same((await knex('kn_shop').count('* as n'))[0].n, '51');
  });
  await knex.destroy();
}

async function sequelizeJs() {
  const { Sequelize, DataTypes, Op } = require('sequelize');
  const db = new Sequelize(url, { logging: false });
  const Shop = db.define('SqShop', { name: { type: DataTypes.STRING(40), allowNull: false, unique: true }, opened: DataTypes.DATEONLY, rank: { type: DataTypes.INTEGER, defaultValue: 1 } });
  const Item = db.define('SqItem', { price: DataTypes.DECIMAL(8, 2), data: DataTypes.JSONB, tags: DataTypes.ARRAY(DataTypes.TEXT), kind: DataTypes.STRING(1), key: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 }, sold: DataTypes.BOOLEAN }, { paranoid: true });
  Shop.hasMany(Item, { foreignKey: 'shopId' }); Item.belongsTo(Shop, { foreignKey: 'shopId' });
  await check('sequelize: sync', async () => { await db.sync({ force: true }); });
  await check('sequelize: sync once more, altering', async () => { await db.sync({ alter: true }); });
  await check('sequelize: create and include', async () => {
    const shop = await Shop.create({ name: 'one', opened: '2026-01-02', SqItems: [{ price: 5, data: { a: { b: 1 } }, tags: ['x', 'y'], kind: 'a' }, { price: 7.25, kind: 'b' }] }, { include: [Item] });
    const found = await Shop.findOne({ where: { name: 'one' }, include: [Item], order: [[Item, 'price', 'ASC']] });
    same([found.id, found.opened, found.SqItems.length, found.SqItems[0].price, found.SqItems[0].tags], [shop.id, '2026-01-02', 2, '5.00', ['x', 'y']]);
  });
  await check('sequelize: operators on arrays and json', async () => {
    same(await Item.count({ where: { tags: { [Op.contains]: ['x'] } } }), 1);
    same(await Item.count({ where: { tags: { [Op.overlap]: ['y', 'z'] } } }), 1);
    same(await Item.count({ where: { 'data.a.b': 1 } }), 1);
    same(await Item.count({ where: { price: { [Op.between]: [5, 6] }, kind: { [Op.in]: ['a', 'b'] } } }), 1);
  });
  await check('sequelize: upsert, bulk, aggregates', async () => {
    await Shop.upsert({ name: 'one', rank: 5 });
    await Shop.bulkCreate([{ name: 'two', rank: 2 }, { name: 'one', rank: 7 }], { updateOnDuplicate: ['rank'] });
    same([await Shop.sum('rank'), await Shop.max('rank')], [9, 7]);
    const [rows] = await db.query('SELECT count(*)::int AS n FROM "SqShops"');
    same(rows[0].n, 2);
  });
  await check('sequelize: transactions and errors', async () => {
    await assert.rejects(db.transaction(async t => { await Shop.create({ name: 'three' }, { transaction: t }); await Shop.create({ name: 'one' }, { transaction: t }); }), e => e.name === 'SequelizeUniqueConstraintError' && e.errors[0].path === 'name');
    same(await Shop.count(), 2);
    await assert.rejects(Item.create({ shopId: 999 }), e => e.name === 'SequelizeForeignKeyConstraintError');
  });
  await check('sequelize: paranoid deletion', async () => {
    await Item.destroy({ where: { kind: 'b' } });
    same([await Item.count(), await Item.count({ paranoid: false })], [1, 2]);
    await Item.restore();
  });
  await check('sequelize: query interface', async () => {
    const face = db.getQueryInterface();
    const told = await face.describeTable('SqShops');
    same([told.name.type, told.name.allowNull, told.id.primaryKey], ['CHARACTER VARYING(40)', false, true]);
    assert((await face.showIndex('SqShops')).some(i => i.primary));
    assert((await face.showAllTables()).length >= 2);
    await face.addColumn('SqShops', 'city', { type: DataTypes.TEXT, comment: 'the town' });
    await face.addIndex('SqShops', ['city']);
    assert((await face.getForeignKeyReferencesForTable('SqItems')).length === 1);
    await face.removeColumn('SqShops', 'city');
  });
  // Its type is made in a DO block, which eloqdb does not have.
  if (env.CLIENTS_ALL) await check('sequelize: a column of an ENUM', async () => {
    const Mood = db.define('SqMood', { felt: DataTypes.ENUM('sad', 'glad') });
    await Mood.sync({ force: true });
    same((await Mood.create({ felt: 'glad' })).felt, 'glad');
    await db.query('DROP TABLE "SqMoods"');
  });
  await db.query('DROP TABLE "SqItems", "SqShops"'); await db.close();
}

async function typeOrm() {
  require('reflect-metadata');
  const { DataSource, EntitySchema, In } = require('typeorm');
  const Author = new EntitySchema({ name: 'ToAuthor', columns: { id: { type: Number, primary: true, generated: true }, name: { type: 'varchar', length: 50, unique: true }, born: { type: 'date', nullable: true }, mood: { type: 'enum', enum: ['sad', 'glad'], default: 'glad' }, made: { type: 'timestamptz', createDate: true } }, relations: { books: { type: 'one-to-many', target: 'ToBook', inverseSide: 'author', cascade: true } } });
  const Book = new EntitySchema({ name: 'ToBook', columns: { id: { type: 'uuid', primary: true, generated: 'uuid' }, title: { type: 'text' }, price: { type: 'numeric', precision: 8, scale: 2, nullable: true }, tags: { type: 'text', array: true, default: '{}' }, data: { type: 'jsonb', nullable: true } }, relations: { author: { type: 'many-to-one', target: 'ToAuthor', joinColumn: true, onDelete: 'CASCADE' } }, indices: [{ columns: ['title'] }] });
  const source = new DataSource({ type: 'postgres', host: at.host, port: at.port, username: at.user, password: at.password, database: at.database, entities: [Author, Book], synchronize: false, uuidExtension: 'pgcrypto', installExtensions: false });
  await source.initialize();
  await check('typeorm: synchronize', async () => { await source.synchronize(true); });
  await check('typeorm: synchronize once more finds nothing', async () => {
    const log = await source.driver.createSchemaBuilder().log();
    same(log.upQueries.map(q => q.query), []);
  });
  const authors = source.getRepository('ToAuthor'), books = source.getRepository('ToBook');
  await check('typeorm: save with relations', async () => {
    await authors.save({ name: 'Ada', born: '1815-12-10', books: [{ title: 'Notes', price: 5.5, tags: ['x'], data: { a: 1 } }, { title: 'More' }] });
    const found = await authors.findOne({ where: { name: 'Ada' }, relations: { books: true } });
    same([found.born, found.mood, found.books.length], ['1815-12-10', 'glad', 2]);
  });
  await check('typeorm: query builder', async () => {
    const rows = await books.createQueryBuilder('b').innerJoin('b.author', 'a').select('a.name', 'name').addSelect('count(*)', 'n').groupBy('a.name').getRawMany();
    same(rows, [{ name: 'Ada', n: '2' }]);
    same(await books.count({ where: { title: In(['Notes', 'x']) } }), 1);
    const [page, total] = await books.findAndCount({ order: { title: 'ASC' }, take: 1, skip: 1 });
    same([page[0].title, page[0].price, page[0].tags, total], ['Notes', '5.50', ['x'], 2]);
  });
  await check('typeorm: upsert, update, delete', async () => {
    await authors.upsert({ name: 'Ada', mood: 'sad' }, ['name']);
    same((await authors.findOneBy({ name: 'Ada' })).mood, 'sad');
    await books.update({ title: 'More' }, { price: 1 });
    same((await books.delete({ title: 'More' })).affected, 1);
  });
  await check('typeorm: transactions', async () => {
    await assert.rejects(source.transaction(async m => { await m.save('ToAuthor', { name: 'Bob' }); throw new Error('no'); }), /no/);
    same(await authors.count(), 1);
  });
  await check('typeorm: schema of a query runner', async () => {
    const runner = source.createQueryRunner();
    const table = await runner.getTable('to_book');
    same([table.columns.length, table.foreignKeys.length, table.indices.length], [6, 1, 1]);
    assert(await runner.hasColumn('to_author', 'mood'));
    await runner.release();
  });
  await source.dropDatabase(); await source.destroy();
}

async function drizzleOrm() {
  const { drizzle } = require('drizzle-orm/node-postgres');
  const { pgTable, serial, text, integer, numeric, boolean, timestamp, jsonb } = require('drizzle-orm/pg-core');
  const { eq, gt, sql, desc, inArray, relations } = require('drizzle-orm');
  const { Pool } = require('pg');
  const pool = new Pool(at);
  await pool.query('DROP TABLE IF EXISTS dz_item, dz_shop');
  await pool.query('CREATE TABLE dz_shop (id serial PRIMARY KEY, name text NOT NULL UNIQUE); CREATE TABLE dz_item (id serial PRIMARY KEY, shop_id int REFERENCES dz_shop, price numeric(8,2), sold boolean DEFAULT false, made timestamp DEFAULT now(), data jsonb, tags text[])');
  const shop = pgTable('dz_shop', { id: serial('id').primaryKey(), name: text('name').notNull().unique() });
  const item = pgTable('dz_item', { id: serial('id').primaryKey(), shopId: integer('shop_id').references(() => shop.id), price: numeric('price', { precision: 8, scale: 2 }), sold: boolean('sold'), made: timestamp('made'), data: jsonb('data'), tags: text('tags').array() });
  const shopRelations = relations(shop, ({ many }) => ({ items: many(item) }));
  const itemRelations = relations(item, ({ one }) => ({ shop: one(shop, { fields: [item.shopId], references: [shop.id] }) }));
  const db = drizzle(pool, { schema: { shop, item, shopRelations, itemRelations } });
  await check('drizzle: insert and returning', async () => {
    const [made] = await db.insert(shop).values({ name: 'one' }).returning();
    await db.insert(item).values([{ shopId: made.id, price: '5.5', data: { a: 1 }, tags: ['x', 'y'] }, { shopId: made.id, price: '7' }]);
    same(made, { id: 1, name: 'one' });
  });
  await check('drizzle: joins, groups, conditions', async () => {
    const rows = await db.select({ name: shop.name, total: sql`sum(${item.price})` }).from(shop).leftJoin(item, eq(item.shopId, shop.id)).groupBy(shop.name);
    same(rows, [{ name: 'one', total: '12.50' }]);
    same((await db.select().from(item).where(gt(item.price, '6')).orderBy(desc(item.id))).length, 1);
    same((await db.select().from(item).where(inArray(item.id, [1, 9])))[0].tags, ['x', 'y']);
  });
  await check('drizzle: relational queries', async () => {
    const found = await db.query.shop.findFirst({ with: { items: { orderBy: (i, { asc }) => [asc(i.id)] } } });
    same([found.name, found.items.length, found.items[0].price, found.items[0].data], ['one', 2, '5.5', { a: 1 }]);
    const one = await db.query.item.findMany({ with: { shop: true }, where: (i, { eq }) => eq(i.id, 2) });
    same(one[0].shop.name, 'one');
  });
  await check('drizzle: upsert, update, transactions', async () => {
    await db.insert(shop).values({ name: 'one' }).onConflictDoUpdate({ target: shop.name, set: { name: 'uno' } });
    await db.update(item).set({ sold: true }).where(eq(item.id, 1));
    await assert.rejects(db.transaction(async t => { await t.delete(item); t.rollback(); }));
    same((await db.select().from(item).where(eq(item.sold, true))).length, 1);
  });
  await check('drizzle: prepared statements and subqueries', async () => {
    const byId = db.select().from(item).where(eq(item.id, sql.placeholder('id'))).prepare('dz_by_id');
    same((await byId.execute({ id: 2 }))[0].price, '7.00');
    const dear = db.$with('dear').as(db.select().from(item).where(gt(item.price, '6')));
    same((await db.with(dear).select().from(dear)).length, 1);
  });
  await pool.query('DROP TABLE dz_item, dz_shop');
  await pool.end();
}

async function kysely() {
  const { Kysely, PostgresDialect, sql, Migrator } = require('kysely');
  const { Pool } = require('pg');
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new Pool(at) }) });
  await db.schema.dropTable('ky_item').ifExists().execute();
  await db.schema.dropTable('ky_shop').ifExists().execute();
  await check('kysely: schema', async () => {
    await db.schema.createTable('ky_shop').addColumn('id', 'serial', c => c.primaryKey()).addColumn('name', 'varchar(40)', c => c.notNull().unique()).execute();
    await db.schema.createTable('ky_item').addColumn('id', 'integer', c => c.generatedAlwaysAsIdentity().primaryKey()).addColumn('shop_id', 'integer', c => c.references('ky_shop.id').onDelete('cascade')).addColumn('price', 'numeric(8, 2)').addColumn('data', 'jsonb').execute();
    await db.schema.createIndex('ky_item_shop').on('ky_item').columns(['shop_id', 'price']).execute();
  });
  await check('kysely: introspection', async () => {
    const tables = await db.introspection.getTables();
    const item = tables.find(t => t.name === 'ky_item');
    same(item.columns.map(c => [c.name, c.dataType, c.isNullable, c.isAutoIncrementing]), [['id', 'int4', false, true], ['shop_id', 'int4', true, false], ['price', 'numeric', true, false], ['data', 'jsonb', true, false]]);
    assert((await db.introspection.getSchemas()).some(s => s.name === 'public'));
  });
  await check('kysely: queries', async () => {
    const { id } = await db.insertInto('ky_shop').values({ name: 'one' }).returning('id').executeTakeFirstOrThrow();
    await db.insertInto('ky_item').values([{ shop_id: id, price: 5, data: JSON.stringify({ a: 1 }) }, { shop_id: id, price: 7 }]).execute();
    const rows = await db.selectFrom('ky_item as i').innerJoin('ky_shop as s', 's.id', 'i.shop_id').select(['s.name', eb => eb.fn.sum('i.price').as('total')]).groupBy('s.name').execute();
    same(rows, [{ name: 'one', total: '12.00' }]);
    const some = await db.selectFrom('ky_item').selectAll().where('price', '>', 6).where(eb => eb.exists(eb.selectFrom('ky_shop').select('id').whereRef('ky_shop.id', '=', 'ky_item.shop_id'))).execute();
    same(some.length, 1);
  });
  await check('kysely: json of subqueries', async () => {
    const { jsonArrayFrom } = require('kysely/helpers/postgres');
    const rows = await db.selectFrom('ky_shop').select(eb => ['name', jsonArrayFrom(eb.selectFrom('ky_item').select(['id', 'price']).whereRef('shop_id', '=', 'ky_shop.id').orderBy('id')).as('items')]).execute();
    same(rows, [{ name: 'one', items: [{ id: 1, price: 5.00 }, { id: 2, price: 7.00 }] }]);
  });
  await check('kysely: upsert, update, transactions, migrations', async () => {
    await db.insertInto('ky_shop').values({ name: 'one' }).onConflict(c => c.column('name').doUpdateSet({ name: 'uno' })).execute();
    const done = await db.updateTable('ky_item').set(eb => ({ price: eb('price', '+', 1) })).executeTakeFirst();
    same(done.numUpdatedRows, 2n);
    await assert.rejects(db.transaction().execute(async t => { await t.deleteFrom('ky_item').execute(); throw new Error('no'); }), /no/);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ m1: { up: d => d.schema.createTable('ky_m').addColumn('a', 'integer').execute(), down: d => d.schema.dropTable('ky_m').execute() } }) } });
    const { error, results } = await migrator.migrateToLatest();
    same([error, results[0].status], [undefined, 'Success']);
    await migrator.migrateDown();
    for (const t of ['kysely_migration', 'kysely_migration_lock']) await db.schema.dropTable(t).ifExists().execute();
  });
  await db.schema.dropTable('ky_item').execute(); await db.schema.dropTable('ky_shop').execute();
  await db.destroy();
}

(async () => {
  const libraries = { pg: nodePostgres, postgres: postgresJs, knex: knexJs, sequelize: sequelizeJs, typeorm: typeOrm, 'drizzle-orm': drizzleOrm, kysely };
  const wanted = process.argv.slice(2);
  for (const [name, run] of Object.entries(libraries)) {
    if (wanted.length && !wanted.includes(name)) continue;
    const before = [good, all];
    try { await run(); } catch (error) { all++; console.log(`FAIL  ${name}: ended early: ${error.message}`); }
    console.log(`== ${name}: ${good - before[0]} of ${all - before[1]}`);
  }
  process.exit(good === all ? 0 : 1);
})();
