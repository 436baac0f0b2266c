import { DEFAULT_TIERS } from '../../../modules/loyalty/defaults.ts';
import type { Tier } from '../../../modules/loyalty/domain/tiers.ts';
import type { AwardInput } from '../../../modules/loyalty/ledger/commands.ts';
import { systemCall } from '../../../src/core/call.ts';
import { newId } from '../../../src/core/ids.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { createTestDatabase } from '../../support/database.ts';
import { brokenInvariants, openLoyalty, plantCustomers } from '../world.ts';

export const call = systemCall('test');

/** More than any test has. */
const EVERYBODY = 1_000_000;

/** The loyalty service with the words these tests speak to it in. */
export async function openProgramme() {
  const created = await createTestDatabase();
  const world = await openLoyalty(created.url);
  const { service, database, settings, clock } = world;
  const change = (definition: { readonly key: string }, value: unknown) => settings.change(call, definition.key, value);
  return {
    ...world,
    change,
    timeZone: (timeZone: string) => change(BUSINESS, { ...BUSINESS.default, timeZone }),
    async customer(): Promise<string> {
      const [id] = await plantCustomers(database, 1);
      return id as string;
    },
    award: (customerId: string, input: Partial<AwardInput>) =>
      service.awardPoints(call, { idempotencyKey: newId(), customerId, ...input }),
    at(text: string): void {
      clock.set(new Date(text));
    },
    /** Reviews everybody. */
    async review() {
      const { next: _, ...run } = await service.reviewTiers(call, null, EVERYBODY);
      return run;
    },
    async tier(customerId: string): Promise<string | undefined> {
      const [member] = await service.members([customerId]);
      return member?.tier;
    },
    async accountOf(customerId: string): Promise<string> {
      const [row] = await database.query<{ id: string }>('select id from loyalty_account where customer_id = $1', [
        customerId,
      ]);
      return row?.id as string;
    },
    async standing(customerId: string) {
      const [standing] = await service.tierStandings([await this.accountOf(customerId)]);
      if (standing === null || standing === undefined) throw new Error('there is no such account');
      const { next, ...rest } = standing;
      return { ...rest, next: next === null ? null : `${next.tier.key} ${next.pointsToGo}` };
    },
    /** What was published, of some types, oldest first. */
    events: (...types: string[]) =>
      database.query<{ type: string; customerId: string; payload: Record<string, unknown> }>(
        `select type, customer_id as "customerId", payload from outbox_event where type = any($1::text[]) order by seq`,
        [types],
      ),
    history: (customerId: string) =>
      database.query<{ from: string; to: string; at: Date; cause: string }>(
        `select c.from_tier as "from", c.to_tier as "to", c.changed_at as at, c.cause
         from loyalty_tier_change c join loyalty_account a on a.id = c.account_id
         where a.customer_id = $1 order by c.changed_at, c.id`,
        [customerId],
      ),
    /** Whatever must hold; the rule of the tier holds only while all that was ever earned counts. */
    async close(options: { readonly windowed: boolean }) {
      const broken = await brokenInvariants(database);
      await world.close();
      await created.drop();
      return broken.filter(({ rule }) => !options.windowed || rule !== 'the tier follows what was earned');
    },
  };
}

export type Programme = Awaited<ReturnType<typeof openProgramme>>;

/** The tiers with other thresholds. */
export const tiersFrom = (silver: number, gold: number, platinum: number): Tier[] =>
  DEFAULT_TIERS.map((tier, index) => ({ ...tier, from: [0, silver, gold, platinum][index] as number }));
