import { describe, expect, test } from 'vitest';
import { sourceOf, sourcesOf } from './sources.ts';
import { analyticsTables, tableOwners, tablesWritten, trespasses } from './tables.ts';

describe('a module writes only tables that its own model file declares', () => {
  const declared = tableOwners();
  const analytics = analyticsTables();
  const sources = sourcesOf(['modules/**/*.ts', 'src/**/*.ts']);

  test('the program keeps the rule', () => {
    expect(sources.flatMap((source) => trespasses(source, declared, analytics))).toEqual([]);
  });

  test('the rule sees the writes there are', () => {
    const written = new Set(sources.flatMap(tablesWritten));
    const neverWritten = [...declared.keys()].filter((table) => !written.has(table));
    expect(neverWritten).toEqual([]);
  });

  const owners = new Map([
    ['customer', 'customers'],
    ['loyalty_entry', 'loyalty'],
  ]);

  test.each([
    ['insert', 'tx.query(`insert into customer (id) select * from unnest($1::uuid[])`)'],
    ['insert, quoted', 'tx.query(\'INSERT INTO "customer" ("id") VALUES ($1)\')'],
    ['update', `tx.query(\`with x as (select 1) update customer c set name = \${bind(name)}\`)`],
    ['delete', "tx.query('delete from only customer where id = $1')"],
    ['merge', "tx.query('merge into customer as c using incoming i on c.id = i.id')"],
    ['copy', "tx.client.query(from('copy customer (id, name) from stdin'))"],
    ['truncate', "tx.query('truncate customer cascade')"],
    ['name put together', `tx.query(\`insert into \${table} values (1)\`)`],
    ['name of a table to be put in', "createStore({ table: 'customer', columns: {} })"],
    ['list of tables', `for (const table of ['loyalty_entry', 'customer']) tx.query(\`update \${table} set a = 1\`)`],
    ['no such table', "tx.query('delete from nowhere')"],
  ])('a planted %s is caught', (_, text) => {
    const planted = sourceOf('modules/loyalty/service.ts', text);
    expect(trespasses(planted, owners, analytics)).toHaveLength(1);
  });

  test.each([
    ['own table', "tx.query('insert into loyalty_entry default values')"],
    ['reading', "tx.query('select * from customer for update')"],
    ['upsert clause', "tx.query('insert into loyalty_entry values (1) on conflict (id) do update set points = 2')"],
    ['own temporary table', "tx.query('create temp table incoming (id uuid)'); tx.query('copy incoming from stdin')"],
    ['named elsewhere', `tx.query(\`insert into \${spec.table} values (1)\`)`],
    ['staging in ClickHouse', `run.analytics.command(\`INSERT INTO \${table} SELECT 1\`)`],
    ['plain English', "const description = 'Update the customer, then set the tier. Truncate the name.'"],
    ['comment', '// insert into customer\nexport {}'],
  ])('%s is allowed', (_, text) => {
    expect(trespasses(sourceOf('modules/loyalty/service.ts', text), owners, analytics)).toEqual([]);
  });
});
