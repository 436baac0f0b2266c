import type { Call } from '../../src/core/call.ts';
import { appendEvents, type NewEvent, newEvent } from '../../src/core/events/index.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import type { ConvertMoney, CustomerFacts, CustomerPort, SubscriptionState } from '../customers/contract.ts';
import { customerChurned, customerReactivated } from './contract.ts';
import { type ActivitySpan, deriveLifecycle, type Lifecycle } from './domain/lifecycle.ts';
import { deriveMovements, type Movement } from './domain/movements.ts';
import { runningSpans } from './domain/subscriptions.ts';
import {
  activitySpans,
  clearDue,
  derivedByOthers,
  dueCustomers,
  lockStatuses,
  replaceLifecycles,
  replaceMovements,
  type Status,
} from './queries/lifecycles.ts';
import { INACTIVITY } from './settings.ts';

const DAY_MS = 86_400_000;
/** Customers derived at once: bounds memory and the length of a transaction. */
const BATCH = 500;

export interface RefreshOptions {
  /** History: statuses are brought up to date, nobody is told. */
  readonly quiet?: boolean;
  readonly causes?: ReadonlyMap<string, string>;
}

export interface RefreshService {
  /** Derives comings, goings and MRR movements of some customers anew. Harmless when run twice. */
  refresh(call: Call, customerIds: readonly string[], options?: RefreshOptions): Promise<void>;
  /** The same for everybody, quietly. */
  refreshAll(call: Call, signal?: AbortSignal): Promise<number>;
  /** The same when somebody's life was derived by settings that are no longer in force. */
  refreshStale(call: Call, signal?: AbortSignal): Promise<number>;
  /** Finds those whose time has run out and says that they are gone. */
  sweep(call: Call, signal?: AbortSignal): Promise<number>;
}

/** The settings by which lives are derived. */
interface Terms {
  readonly inactiveAfterMs: number;
  readonly reportingCurrency: string;
  readonly convert: ConvertMoney;
  readonly nowMs: number;
}

const termsText = (days: number, reportingCurrency: string): string => `${days} d ${reportingCurrency}`;

/** Keeps what is derived from facts: who is here, since when, and what they pay. */
export function createRefreshService(infra: Infrastructure, customers: CustomerPort): RefreshService {
  const { database, analytics, settings, clock } = infra;

  const refreshBatch = async (call: Call, ids: readonly string[], options: RefreshOptions): Promise<void> => {
    const now = clock.now();
    const known = await customers.byIds(ids);
    const knownIds = known.map((customer) => customer.id);
    if (known.length < ids.length) {
      const living = new Set(knownIds);
      await clearDue(
        database,
        ids.filter((id) => !living.has(id)),
      );
    }
    if (known.length === 0) return;
    const [{ days }, { reportingCurrency, convert }, activity, history] = await Promise.all([
      settings.get(INACTIVITY),
      customers.converter(),
      customers.eventIds(knownIds).then((owners) => activitySpans({ analytics, database }, owners, now)),
      customers.subscriptionHistory(knownIds),
    ]);
    const states = Map.groupBy(history, (state) => state.customerId);
    const terms = { inactiveAfterMs: days * DAY_MS, reportingCurrency, convert, nowMs: now.getTime() };
    const lifecycles = new Map<string, Lifecycle>();
    const movements = new Map<string, readonly Movement[]>();
    for (const customer of known) {
      const own = derive(customer, activity.get(customer.id) ?? [], states.get(customer.id) ?? [], terms);
      lifecycles.set(customer.id, own.life);
      movements.set(customer.id, own.movements);
    }
    await database.transaction(async (tx) => {
      const before = await lockStatuses(tx, [...knownIds].sort());
      await replaceLifecycles(tx, lifecycles, termsText(days, reportingCurrency));
      await replaceMovements(tx, movements);
      if (options.quiet === true) return;
      const events: NewEvent[] = [];
      for (const [customerId, life] of lifecycles) {
        const event = tell(customerId, before.get(customerId)?.status ?? null, life);
        if (event === null) continue;
        const cause = options.causes?.get(customerId);
        events.push(cause === undefined ? event : { ...event, call: { ...call, causationId: cause } });
      }
      await appendEvents(tx, call, clock, events);
    });
  };

  const service: RefreshService = {
    async refresh(call, customerIds, options = {}) {
      const ids = [...new Set(customerIds)].sort();
      for (let start = 0; start < ids.length; start += BATCH)
        await refreshBatch(call, ids.slice(start, start + BATCH), options);
    },
    async refreshAll(call, signal) {
      let after: string | null = null;
      for (let count = 0; ; ) {
        signal?.throwIfAborted();
        const ids: string[] = await customers.idsAfter(after, BATCH);
        if (ids.length === 0) return count;
        await refreshBatch(call, ids, { quiet: true });
        count += ids.length;
        after = ids.at(-1) as string;
      }
    },
    async refreshStale(call, signal) {
      const [{ days }, { reportingCurrency }] = await Promise.all([settings.get(INACTIVITY), settings.get(BUSINESS)]);
      const stale = await derivedByOthers(database, termsText(days, reportingCurrency));
      return stale ? service.refreshAll(call, signal) : 0;
    },
    async sweep(call, signal) {
      for (let count = 0; ; ) {
        signal?.throwIfAborted();
        const ids = await dueCustomers(database, clock.now(), BATCH);
        if (ids.length === 0) return count;
        await refreshBatch(call, ids, {});
        count += ids.length;
      }
    },
  };
  return service;
}

function derive(
  customer: CustomerFacts,
  activity: readonly ActivitySpan[],
  history: readonly SubscriptionState[],
  terms: Terms,
): { life: Lifecycle; movements: Movement[] } {
  const states = history.map(({ at, ...state }) => ({ ...state, atMs: at.getTime() }));
  const isDeclared = customer.status === 'CHURNED';
  const facts = {
    activity,
    subscriptions: runningSpans(states),
    declaredChurnedAtMs: isDeclared && customer.churnedAt !== null ? customer.churnedAt.getTime() : null,
    declaredReason: isDeclared ? customer.churnReason : null,
  };
  return {
    life: deriveLifecycle(facts, terms.inactiveAfterMs, terms.nowMs),
    movements: deriveMovements(states, terms.reportingCurrency, (amountMinor, currency, atMs) =>
      terms.convert(amountMinor, currency, new Date(atMs)),
    ),
  };
}

/** What subscribers hear when the status is another than before; the first status of a customer is no news. */
function tell(customerId: string, before: Status | null, life: Lifecycle): NewEvent | null {
  const last = life.changes.at(-1);
  if (last === undefined || before === null) return null;
  const at = new Date(last.atMs).toISOString();
  if (last.kind === 'CHURNED' && before === 'ACTIVE') {
    return newEvent(customerChurned, { customerId, payload: { at, cause: last.cause ?? 'INACTIVITY' } });
  }
  if (last.kind !== 'CHURNED' && before === 'CHURNED')
    return newEvent(customerReactivated, { customerId, payload: { at } });
  return null;
}
