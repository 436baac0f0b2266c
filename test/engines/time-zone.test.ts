import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type Database } from '../../src/core/database/index.ts';
import { createLogger } from '../../src/core/logger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { query } from './support.ts';

let created: TestDatabase;
let database: Database;
beforeAll(async () => {
  created = await createTestDatabase();
  await query(
    created.url,
    `do $$ begin execute format('alter database %I set timezone = ''Asia/Tokyo''', current_database()); end $$`,
  );
  database = createDatabase({ url: created.url, logger: createLogger('silent') });
});
afterAll(async () => {
  await database.close();
  await created.drop();
});

test('a server that lives in another time zone tells the same instants, to SQL and to Prisma', async () => {
  const at = new Date('2026-07-01T10:20:30.400Z');
  await database.query(
    `insert into setting_version (key, version, value, actor, changed_at) values ('k', 1, '1', 'a', $1)`,
    [at],
  );
  expect(await database.query('select changed_at as at from setting_version')).toEqual([{ at }]);
  expect((await database.prisma.settingVersion.findFirst())?.changedAt).toEqual(at);
});
