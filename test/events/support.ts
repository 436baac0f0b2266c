import { expect, vi } from 'vitest';
import { createDatabase, type Database } from '../../src/core/database/index.ts';
import { type Position, presentPosition } from '../../src/core/events/index.ts';
import { createTestDatabase } from '../support/database.ts';
import { logger } from './definitions.ts';

export * from './definitions.ts';

export interface EventsDatabase {
  readonly database: Database;
  readonly url: string;
  drop(): Promise<void>;
}

/** A migrated database with a pool for many concurrent writers. */
export async function openTestDatabase(maxConnections = 24): Promise<EventsDatabase> {
  const created = await createTestDatabase();
  const database = createDatabase({ url: created.url, logger, maxConnections });
  return {
    database,
    url: created.url,
    async drop() {
      await database.close();
      await created.drop();
    },
  };
}

/**
 * A place behind every event committed so far. Transactions of other databases on the same server hold the horizon back
 * as well, so this may have to wait for them.
 */
export async function settledPosition(database: Database): Promise<Position> {
  return vi.waitFor(
    async () => {
      const position = await presentPosition(database);
      const behind = await database.query(
        'select from outbox_event where (epoch, xid) >= ($1::int, $2::xid8) limit 1',
        [position.epoch, String(position.xid)],
      );
      if (behind.length > 0) throw new Error('committed events are not settled yet');
      return position;
    },
    { timeout: 20_000, interval: 5 },
  );
}

/** Waits until what the function tells is as expected; patient, since the machine may be busy. */
export const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 20_000, interval: 10 });
