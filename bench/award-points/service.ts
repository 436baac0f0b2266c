import { customersByIds, subscriptionsOf } from '../../modules/customers/queries/facts.ts';
import { survivors } from '../../modules/customers/service/references.ts';
import { createLoyaltyService } from '../../modules/loyalty/service.ts';
import { loyaltySettings } from '../../modules/loyalty/settings.ts';
import type { Call } from '../../src/core/call.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Database } from '../../src/core/database/index.ts';
import { BUSINESS, createSettings } from '../../src/core/settings/index.ts';

/** The loyalty service as the server makes it, with settings of the benchmark in force. */
export async function createBenchService(
  database: Database,
  call: Call,
  changes: readonly { readonly key: string; readonly value: unknown }[],
) {
  const settings = createSettings(database, systemClock);
  settings.declare([BUSINESS, ...loyaltySettings]);
  for (const { key, value } of changes) await settings.change(call, key, value);
  return createLoyaltyService(
    { database, settings, clock: systemClock },
    {
      byIds: (ids, within = database) => customersByIds(within, ids),
      survivors: (ids, within = database) => survivors(within, ids),
      subscriptions: (ids, within = database) => subscriptionsOf(within, ids),
    },
  );
}
