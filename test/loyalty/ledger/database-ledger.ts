import { type LedgerCommand, type Posted, requestOf } from '../../../modules/loyalty/ledger/commands.ts';
import { POINTS_EXPIRY } from '../../../modules/loyalty/ledger/settings.ts';
import { systemCall } from '../../../src/core/call.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { type LoyaltyWorld, plantCustomers, START } from '../world.ts';
import { CUSTOMERS, type TestedLedger } from './model.ts';
import { MONTHS, type Standing } from './naive.ts';

const call = systemCall('model');
const voiding = systemCall('loyalty.voidTimedOut');
const NOBODY: Standing = { balance: 0, held: 0, pending: 0, debt: 0, earned: 0, tier: 'BRONZE', lots: [] };

/** Points of the world last as long as those of the model. */
export const likeTheModel = (world: LoyaltyWorld) =>
  world.settings.change(call, POINTS_EXPIRY.key, { months: MONTHS, at: 'END_OF_DAY' });

function refusal(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  throw error;
}

/** The real service on PostgreSQL, with customers of its own. */
export async function databaseLedger(world: LoyaltyWorld): Promise<TestedLedger> {
  const { service, database, clock } = world;
  // What other histories left is over.
  await service.voidTimedOut(voiding);
  clock.set(START);
  const customers = await plantCustomers(database, CUSTOMERS);
  const prefix = newId();
  /** As callers do where they can, so that what is decided without locks is decided here, too; else as handlers do. */
  const ask = async (command: LedgerCommand, idempotencyKey: string): Promise<Posted | DomainError> => {
    if (command.kind === 'award') return service.awardPoints(call, { ...command, idempotencyKey });
    if (command.kind === 'adjust') return service.adjustPoints(call, { ...command, idempotencyKey });
    if (command.kind === 'reverse') return service.reversePoints(call, { ...command, idempotencyKey });
    const request = requestOf(call, idempotencyKey, command);
    const [answer] = await database.transaction((tx) => service.post(tx, [request]));
    return answer as Posted | DomainError;
  };
  return {
    customers,
    now: clock.now,
    advance: clock.advance,
    async run(command, key) {
      const answer = await ask(command, `${prefix}-${key}`).catch(refusal);
      if (answer instanceof DomainError) return { code: answer.code };
      return { code: 'ok', entryId: answer.entry.id, replayed: answer.replayed };
    },
    expire: async () => void (await service.expireLots(call)),
    voidTimedOut: async () => void (await service.voidTimedOut(voiding)),
    async standing(customerId) {
      const [row] = await database.query<Standing>(
        `select a.balance, a.held, a.pending, a.debt, a.earned, a.tier,
                coalesce((select json_agg(l.points order by l.earned_at, l.entry_id) from loyalty_lot l
                          where l.account_id = a.id), '[]') as lots
         from loyalty_account a where a.customer_id = $1`,
        [customerId],
      );
      return row ?? NOBODY;
    },
  };
}
