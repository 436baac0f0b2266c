import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { z } from 'zod';
import { type Call, systemCall } from '../../src/core/call.ts';
import { createDatabase, type Database } from '../../src/core/database/index.ts';
import { createEventRegistry, defineEvent, type NewEvent, newEvent } from '../../src/core/events/index.ts';
import { newId } from '../../src/core/ids.ts';
import { createLogger } from '../../src/core/logger.ts';

export const logger = createLogger(process.env['HOLDFAST_TEST_LOG'] ?? 'silent');

export const counted = defineEvent({
  type: 'test.counted',
  version: 1,
  description: 'A number was counted.',
  payload: z.object({ n: z.number().int() }),
});

export const noted = defineEvent({
  type: 'test.noted',
  version: 1,
  description: 'Something else happened.',
  payload: z.object({ n: z.number().int() }),
});

export const registry = createEventRegistry([counted, noted]);
export const call: Call = systemCall('test');

export const count = (n: number, customerId: string | null = null): NewEvent =>
  newEvent(counted, { customerId, payload: { n } });
export const note = (n: number, customerId: string | null = null): NewEvent => newEvent(noted, { customerId, payload: { n } });

/** The number an event of these tests carries. */
export const numberOf = (event: { readonly payload: unknown }): number => (event.payload as { n: number }).n;

export interface TestDatabase {
  readonly database: Database;
  readonly url: string;
  drop(): Promise<void>;
}

/** An empty database with core's tables. */
export async function createTestDatabase(maxConnections = 24): Promise<TestDatabase> {
  const server = process.env['DATABASE_URL'];
  if (server === undefined) throw new Error('DATABASE_URL names the server of the tests');
  const name = `events_${newId().replaceAll('-', '')}`;
  const admin = async (statement: string) => {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await admin(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const database = createDatabase({ url: url.href, logger, maxConnections });
  const folder = new URL('../../prisma/migrations/', import.meta.url);
  const core = readdirSync(folder).find((entry) => entry.endsWith('_core'));
  await database.query(readFileSync(new URL(`${core}/migration.sql`, folder), 'utf8'));
  return {
    database,
    url: url.href,
    async drop() {
      await database.close();
      await admin(`drop database ${name} with (force)`);
    },
  };
}
