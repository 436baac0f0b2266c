import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Database, Tx } from '../../../src/core/database/index.ts';
import { DomainError, InvalidInput } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { wholeUnits } from '../../../src/core/money.ts';
import type { TierKey } from '../domain/tiers.ts';
import { awardCommand, type LedgerCommand } from '../ledger/commands.ts';
import { type AccountRow, ruleUses } from '../ledger/queries.ts';
import { decide } from '../ledger/service-decide.ts';
import type { Desk } from '../ledger/service-desk.ts';
import { createLotBook } from '../ledger/service-lots.ts';
import type { PostingPorts } from '../ledger/service-posting.ts';
import { basePointsOfOrder } from './domain/orders.ts';
import { isTriggered, type StreamEvent } from './domain/triggers.ts';
import type { Programme } from './programme.ts';
import { asksForTraits, type CapUse, capOf, type Earned } from './service-earn.ts';
import { openQualification } from './service-qualification.ts';
import { ORDER_RULE } from './settings.ts';

/** What `simulateEarning` is asked: one of a rule, an event and an order. */
export interface SimulateInput {
  readonly customerId: string;
  readonly rule?: string | null | undefined;
  readonly count?: number | null | undefined;
  readonly event?: StreamEvent | null | undefined;
  /** Minor units of the reporting currency. */
  readonly orderAmountMinor?: number | null | undefined;
  /** Now when left out; may lie ahead. */
  readonly at?: Date | null | undefined;
}

/** A cap as it would stand. */
export interface SimulatedCap extends CapUse {
  /** Before and after. */
  readonly used: number;
  readonly usedAfter: number;
}

/** What one rule would give. */
export interface SimulatedEarning {
  readonly rule: string;
  readonly points: number;
  readonly base: number;
  readonly ruleVersion: number;
  readonly campaigns: Earned['by'];
  /** Why it would give nothing. */
  readonly refusal: DomainError | null;
  readonly cap: SimulatedCap | null;
}

/** What would be earned, rule by rule. */
export interface Simulation {
  readonly customerId: string;
  readonly at: Date;
  readonly points: number;
  readonly tierBefore: TierKey;
  readonly tierAfter: TierKey;
  /** Empty when nothing answers: no rule to the event, or orders earn nothing, or not this one. */
  readonly earnings: readonly SimulatedEarning[];
}

/** What simulations stand on. */
export interface SimulationPorts {
  readonly database: Pick<Database, 'transaction'>;
  readonly clock: Clock;
  readonly posting: PostingPorts;
  reportingCurrency(): Promise<string>;
}

/** Thrown so that the transaction is rolled back. */
const UNDO = new Error('a simulation leaves nothing behind');

/**
 * Decides as an award would, by the same rules on the same rows, in a transaction that is rolled back: nothing is written.
 * @throws InvalidInput, CustomerNotFound, NotAMember
 */
export async function simulateEarning(ports: SimulationPorts, call: Call, input: SimulateInput): Promise<Simulation> {
  let simulation: Simulation | undefined;
  await ports.database
    .transaction(async (tx) => {
      simulation = await simulate(tx, ports, call, input);
      throw UNDO;
    })
    .catch((error: unknown) => {
      if (error !== UNDO) throw error;
    });
  return simulation as Simulation;
}

async function simulate(tx: Tx, ports: SimulationPorts, call: Call, input: SimulateInput): Promise<Simulation> {
  const programme = await ports.posting.programme();
  const clockNow = ports.clock.now();
  const at = input.at ?? clockNow;
  // What is asked about next week is decided as of next week.
  const now = new Date(Math.max(at.getTime(), clockNow.getTime()));
  const commands = commandsOf(programme, input, at, now, await ports.reportingCurrency());
  const found = (await ports.posting.accountsOf(tx, call, [input.customerId], programme)).get(input.customerId);
  if (found === undefined) throw new Error('an account asked for was not answered');
  if (found instanceof DomainError) throw found;
  const desk = await openDesk(tx, ports, programme, now, found, commands);
  let account = found;
  const earnings: SimulatedEarning[] = [];
  for (const command of commands) {
    const cap = capOf(programme, command, now);
    const used = cap === null ? 0 : desk.used(account.id, cap.rule, cap.period.start);
    const decision = decide(desk, account, command);
    const rule = command.kind === 'award' ? (command.rule ?? '') : ORDER_RULE;
    const version = command.kind === 'award' ? programme.versions.rules : programme.versions.orders;
    if (decision instanceof DomainError) {
      const usage = cap === null ? null : { ...cap, used, usedAfter: used };
      earnings.push({ rule, points: 0, base: 0, ruleVersion: version, campaigns: [], refusal: decision, cap: usage });
      continue;
    }
    const usage = cap === null ? null : { ...cap, used, usedAfter: desk.used(account.id, cap.rule, cap.period.start) };
    const { points = 0, base = 0, by = [] } = decision.earned ?? {};
    earnings.push({ rule, points, base, ruleVersion: version, campaigns: by, refusal: null, cap: usage });
    account = decision.account;
  }
  return {
    customerId: account.customerId,
    at,
    points: earnings.reduce((sum, one) => sum + one.points, 0),
    tierBefore: found.tier,
    tierAfter: account.tier,
    earnings,
  };
}

type Earning = Extract<LedgerCommand, { kind: 'award' | 'order' }>;

function commandsOf(
  programme: Programme,
  input: SimulateInput,
  at: Date,
  now: Date,
  currency: string,
): readonly Earning[] {
  const { customerId, event, orderAmountMinor } = input;
  const asked = [input.rule, event, orderAmountMinor].filter((one) => one !== null && one !== undefined);
  if (asked.length !== 1) {
    throw new InvalidInput('Give one of "rule", "event" and "orderAmountMinor".', { path: ['rule'] });
  }
  const award = (rule: string, count: number | null | undefined): Earning =>
    awardCommand(
      { idempotencyKey: 'simulation', customerId, rule, count, effectiveAt: at },
      { maxPoints: Number.MAX_SAFE_INTEGER, now },
    ) as Earning;
  if (typeof input.rule === 'string') return [award(input.rule, input.count)];
  if (event !== null && event !== undefined) {
    return programme.rules
      .filter(({ trigger }) => trigger !== null && isTriggered(trigger, event))
      .map((rule) => award(rule.key, 1));
  }
  const amountMinor = orderAmountMinor ?? 0;
  if (!Number.isSafeInteger(amountMinor) || amountMinor < 0) {
    throw new InvalidInput('"orderAmountMinor" must be whole minor units from zero up.', {
      path: ['orderAmountMinor'],
    });
  }
  const points = basePointsOfOrder(programme.orderPoints, wholeUnits({ amountMinor, currency }));
  if (!programme.orderPoints.enabled || points === 0) return [];
  return [{ kind: 'order', customerId, orderId: newId(), points, placedAt: at }];
}

async function openDesk(
  tx: Tx,
  ports: SimulationPorts,
  programme: Programme,
  now: Date,
  account: AccountRow,
  commands: readonly Earning[],
): Promise<Desk> {
  const keyOf = (rule: string, start: Date) => `${rule} ${start.getTime()}`;
  const caps = commands.map((command) => capOf(programme, command, now)).filter((cap) => cap !== null);
  const wanted = caps.map((cap) => ({ accountId: account.id, rule: cap.rule, periodStart: cap.period.start }));
  const used = new Map((await ruleUses(tx, wanted)).map((use) => [keyOf(use.rule, use.periodStart), use.times]));
  const curious = commands.some((command) => asksForTraits(programme, command, now));
  const traits = curious ? await ports.posting.traitsOf(tx, [account.customerId]) : null;
  return {
    programme,
    now,
    qualification: await openQualification(tx, programme, now, [account.id]),
    used: (_accountId, rule, start) => used.get(keyOf(rule, start)) ?? 0,
    noteUse: (_accountId, { rule, period, after }) => void used.set(keyOf(rule, period.start), after),
    traits: (customerId) => traits?.get(customerId),
    lots: createLotBook(),
    entry: () => undefined,
    takenBy: () => [],
    lapsedOf: () => 0,
    noteLapsed: () => {},
    noteReversed: () => {},
    noteSettled: () => {},
  };
}
