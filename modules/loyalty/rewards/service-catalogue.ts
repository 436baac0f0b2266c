import { audit } from '../../../src/core/audit.ts';
import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { IdempotencyConflict } from '../../../src/core/errors.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { claimKeys, hashInput, storeAnswers } from '../../../src/core/idempotency.ts';
import { newId } from '../../../src/core/ids.ts';
import { fellLow } from './domain/reward.ts';
import { RewardNotFound } from './errors.ts';
import { type CatalogueChange, rewardChanged, rewardStockLow } from './events.ts';
import { checkedDraft, checkId, checkKey, checkWhole, invalid, type RewardDraft } from './inputs.ts';
import { lockReward, type RewardRow, rewardsByIds, saveReward } from './queries-rewards.ts';

/** What the catalogue stands on; `systemClock` dates the audit. */
export interface CataloguePorts {
  readonly clock: Clock;
  readonly systemClock: Clock;
}

/** What `createReward` is asked. */
export interface CreateRewardInput extends Partial<Optional<RewardDraft>> {
  readonly idempotencyKey: string;
  readonly name: string;
  readonly kind: RewardDraft['kind'];
  readonly cost: number;
}

/** What `changeReward` is asked: what is left out stays, and null takes a limit away. */
export interface ChangeRewardInput extends Partial<Optional<RewardDraft>> {
  readonly rewardId: string;
  /** Units that came in, or went out when negative: safe beside redemptions under way. */
  readonly addStock?: number | null | undefined;
}

type Optional<T> = { readonly [K in keyof T]: T[K] | null | undefined };

const SCOPE = 'loyalty.rewards';
const STOCK_STEP_MAX = 1_000_000_000;

const FIELDS = [
  'name',
  'description',
  'kind',
  'cost',
  'stock',
  'lowStockAt',
  'lowestTier',
  'validFrom',
  'validUntil',
  'limitPerCustomer',
  'voucherLifetimeDays',
] as const satisfies readonly (keyof RewardDraft)[];

/** Puts a reward into the catalogue. @throws InvalidInput, IdempotencyConflict */
export async function createReward(
  tx: Tx,
  ports: CataloguePorts,
  call: Call,
  input: CreateRewardInput,
): Promise<RewardRow> {
  const { idempotencyKey: key, ...said } = input;
  checkKey(key);
  const draft = checkedDraft({
    name: said.name,
    description: said.description ?? '',
    kind: said.kind,
    cost: said.cost,
    stock: said.stock ?? null,
    lowStockAt: said.lowStockAt ?? null,
    lowestTier: said.lowestTier ?? 'BRONZE',
    validFrom: said.validFrom ?? null,
    validUntil: said.validUntil ?? null,
    limitPerCustomer: said.limitPerCustomer ?? null,
    voucherLifetimeDays: said.voucherLifetimeDays ?? null,
  });
  const [claim] = await claimKeys<{ rewardId: string }>(tx, SCOPE, [{ key, hash: hashInput(draft) }]);
  if (claim?.kind === 'conflict') throw new IdempotencyConflict(key);
  if (claim?.kind === 'replay') return (await rewardsByIds(tx, [claim.answer.rewardId]))[0] as RewardRow;
  const at = ports.clock.now();
  const reward = { ...draft, id: newId(), createdAt: at, updatedAt: at, archivedAt: null };
  await saveReward(tx, reward);
  await storeAnswers(tx, SCOPE, [{ key, answer: { rewardId: reward.id } }]);
  await tell(tx, ports, call, null, reward, 'CREATED');
  return reward;
}

/** Changes what is said of a reward. Redemptions made before keep their price. @throws InvalidInput, RewardNotFound */
export async function changeReward(
  tx: Tx,
  ports: CataloguePorts,
  call: Call,
  input: ChangeRewardInput,
): Promise<RewardRow> {
  const { rewardId, addStock, ...said } = input;
  const before = await lockOrThrow(tx, rewardId);
  const missing = (['name', 'description', 'kind', 'cost', 'lowestTier'] as const).find((name) => said[name] === null);
  if (missing !== undefined) throw invalid(missing, `"${missing}" cannot be null; leave it out to keep it.`);
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  const wished: RewardRow = { ...before, ...given };
  const stock = stockOf(wished, said.stock, addStock ?? null);
  const reward: RewardRow = { ...wished, ...checkedDraft({ ...wished, stock }), updatedAt: ports.clock.now() };
  if (changedFields(before, reward).length === 0) return before;
  await saveReward(tx, reward);
  await tell(tx, ports, call, before, reward, 'CHANGED');
  return reward;
}

function stockOf(reward: RewardRow, given: number | null | undefined, addStock: number | null): number | null {
  if (addStock === null) return reward.stock;
  if (given !== undefined) throw invalid('addStock', 'Give either "stock" or "addStock", not both.');
  if (reward.stock === null) throw invalid('addStock', 'The reward has no stock to add to; give "stock".');
  checkWhole(addStock, 'addStock', -STOCK_STEP_MAX, STOCK_STEP_MAX);
  if (reward.stock + addStock < 0) {
    throw invalid('addStock', `"addStock" is ${addStock} and only ${reward.stock} are left.`);
  }
  return reward.stock + addStock;
}

/** Takes a reward out of the catalogue, or up again; redemptions made before go on. @throws RewardNotFound */
export async function archiveReward(
  tx: Tx,
  ports: CataloguePorts,
  call: Call,
  input: { readonly rewardId: string; readonly archived: boolean },
): Promise<RewardRow> {
  const before = await lockOrThrow(tx, input.rewardId);
  if ((before.archivedAt !== null) === input.archived) return before;
  const at = ports.clock.now();
  const reward = { ...before, archivedAt: input.archived ? at : null, updatedAt: at };
  await saveReward(tx, reward);
  await tell(tx, ports, call, before, reward, input.archived ? 'ARCHIVED' : 'RESTORED');
  return reward;
}

async function lockOrThrow(tx: Tx, rewardId: string): Promise<RewardRow> {
  checkId(rewardId, 'rewardId');
  const reward = await lockReward(tx, rewardId);
  if (reward === null) throw new RewardNotFound(rewardId);
  return reward;
}

const plain = (value: RewardRow[keyof RewardRow]) => (value instanceof Date ? value.toISOString() : value);

const changedFields = (before: RewardRow, after: RewardRow) =>
  FIELDS.filter((name) => plain(before[name]) !== plain(after[name]));

/** Writes down who changed what, and publishes it. */
async function tell(
  tx: Tx,
  { clock, systemClock }: CataloguePorts,
  call: Call,
  before: RewardRow | null,
  after: RewardRow,
  change: CatalogueChange,
): Promise<void> {
  const fields = before === null ? [...FIELDS] : changedFields(before, after);
  const detail = Object.fromEntries(
    fields.map((name) => [name, before === null ? after[name] : { from: before[name], to: after[name] }]),
  );
  await audit(tx, call, systemClock, {
    action: `loyalty.reward${change.charAt(0)}${change.slice(1).toLowerCase()}`,
    subject: after.id,
    detail,
  });
  const events = [
    newEvent(rewardChanged, { customerId: null, payload: { rewardId: after.id, change, fields: [...fields] } }),
  ];
  const { stock, lowStockAt } = after;
  if (before !== null && stock !== null && lowStockAt !== null && fellLow(before.stock ?? stock, stock, lowStockAt)) {
    events.push(newEvent(rewardStockLow, { customerId: null, payload: { rewardId: after.id, stock, lowStockAt } }));
  }
  await appendEvents(tx, call, clock, events);
}
