import { DateTime } from 'luxon';
import type { Call } from '../../src/core/call.ts';
import { InvalidInput } from '../../src/core/errors.ts';
import { appendEvents, type NewEvent, newEvent } from '../../src/core/events/index.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import type { CustomerPort } from '../customers/contract.ts';
import { type ChurnPort, customerChurned, customerReactivated } from './contract.ts';
import { type ChurnCause, deriveLifecycle, type Lifecycle } from './domain/lifecycle.ts';
import { type MonthlyChurn, monthlyChurn } from './domain/rate.ts';
import {
  activitySpans,
  churnedByCause,
  clearDue,
  dueCustomers,
  lockStatuses,
  monthlyMoves,
  replaceLifecycles,
  type Status,
} from './queries.ts';
import { INACTIVITY } from './settings.ts';

const DAY_MS = 86_400_000;
/** Customers derived at once: bounds memory and the length of a transaction. */
const BATCH = 500;
const MAX_MONTHS = 120;

export interface RefreshOptions {
  /** History: statuses are brought up to date, nobody is told. */
  readonly quiet?: boolean;
  readonly causes?: ReadonlyMap<string, string>;
}

/** Churn of a period as `Query.churn` shows it. */
export interface ChurnReport {
  readonly months: readonly MonthlyChurn[];
  readonly inactiveAfterDays: number;
  readonly causes: readonly { readonly cause: ChurnCause; readonly customers: number }[];
}

export interface ChurnService extends ChurnPort {
  report(fromDay: string, toDay: string): Promise<ChurnReport>;
  /** Derives comings and goings of some customers anew. Harmless when run twice. */
  refresh(call: Call, customerIds: readonly string[], options?: RefreshOptions): Promise<void>;
  /** The same for everybody, quietly. */
  refreshAll(call: Call, signal?: AbortSignal): Promise<number>;
  /** Finds those whose time has run out and says that they are gone. */
  sweep(call: Call, signal?: AbortSignal): Promise<number>;
}

export function createChurnService(infra: Infrastructure, customers: CustomerPort): ChurnService {
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
    const [{ days }, activity, subscriptions] = await Promise.all([
      settings.get(INACTIVITY),
      customers.eventIds(knownIds).then((owners) => activitySpans({ analytics, database }, owners, now)),
      customers.subscriptions(knownIds),
    ]);
    const lifecycles = new Map<string, Lifecycle>();
    for (const { id, status, churnedAt } of known) {
      const spans = subscriptions
        .filter((subscription) => subscription.customerId === id)
        .map(({ startedAt, cancelledAt }) => ({ fromMs: startedAt.getTime(), toMs: cancelledAt?.getTime() ?? null }));
      const facts = {
        activity: activity.get(id) ?? [],
        subscriptions: spans,
        declaredChurnedAtMs: status === 'CHURNED' && churnedAt !== null ? churnedAt.getTime() : null,
      };
      lifecycles.set(id, deriveLifecycle(facts, days * DAY_MS, now.getTime()));
    }
    await database.transaction(async (tx) => {
      const before = await lockStatuses(tx, [...knownIds].sort());
      await replaceLifecycles(tx, lifecycles);
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

  const months = async (fromDay: string, toDay: string) => {
    const { timeZone } = await settings.get(BUSINESS);
    const from = DateTime.fromISO(fromDay, { zone: timeZone }).startOf('month');
    const end = DateTime.fromISO(toDay, { zone: timeZone });
    const now = DateTime.fromJSDate(clock.now(), { zone: timeZone });
    if (!from.isValid || !end.isValid || end <= DateTime.fromISO(fromDay, { zone: timeZone })) {
      throw new InvalidInput(`The period from ${fromDay} to ${toDay} is empty; "to" is the day after its last day.`, {
        path: ['period', 'to'],
      });
    }
    const firstDays: DateTime[] = [];
    for (let month = from; month < end && month <= now; month = month.plus({ months: 1 })) firstDays.push(month);
    if (firstDays.length > MAX_MONTHS) {
      throw new InvalidInput(`The period has ${firstDays.length} months; ask for at most ${MAX_MONTHS}.`, {
        path: ['period'],
      });
    }
    const last = firstDays.at(-1);
    return {
      timeZone,
      firstDays,
      from: from.toJSDate(),
      to: (last ?? from).plus({ months: last === undefined ? 0 : 1 }).toJSDate(),
    };
  };

  const service: ChurnService = {
    async monthly(fromDay, toDay) {
      const period = await months(fromDay, toDay);
      const { moves, activeBefore } = await monthlyMoves(database, period);
      return monthlyChurn(
        period.firstDays.map((day) => day.toISODate() as string),
        moves,
        activeBefore,
      );
    },
    async report(fromDay, toDay) {
      const period = await months(fromDay, toDay);
      const [monthly, causes, { days }] = await Promise.all([
        service.monthly(fromDay, toDay),
        churnedByCause(database, period),
        settings.get(INACTIVITY),
      ]);
      return { months: monthly, causes, inactiveAfterDays: days };
    },
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
