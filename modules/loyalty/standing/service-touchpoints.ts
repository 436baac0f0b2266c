import type { Infrastructure } from '../../../src/core/module.ts';
import {
  byNewest,
  STREAM_KINDS,
  summaryOfDetail,
  summaryOfEvent,
  type Touchpoint,
  type TouchpointKind,
} from './domain/touchpoints.ts';
import type { StandingPorts } from './service-facts.ts';
import { keptTouchpoints, type TouchpointPlace } from './store.ts';

export interface Touchpoints {
  /**
   * The newest `limit` facts that moved each customer, newest first, behind a place: merged from the stream of events,
   * the customers themselves and what is kept here, by a handful of statements, however many customers.
   */
  touchpoints(
    customerIds: readonly string[],
    limit: number,
    after: TouchpointPlace | null,
  ): Promise<Map<string, Touchpoint[]>>;
}

const STREAM_NAMES = Object.keys(STREAM_KINDS);

export function createTouchpoints(
  { database }: Pick<Infrastructure, 'database'>,
  { customers }: Pick<StandingPorts, 'customers'>,
): Touchpoints {
  return {
    async touchpoints(customerIds, limit, after) {
      const [known, events, kept] = await Promise.all([
        customers.byIds(customerIds),
        customers.latestEvents(customerIds, limit, {
          names: STREAM_NAMES,
          after: after === null ? null : { at: after.at, uid: after.id },
        }),
        keptTouchpoints(database, customerIds, limit, after),
      ]);
      const found = new Map<string, Touchpoint[]>(customerIds.map((id) => [id, []]));
      const add = (customerId: string, touchpoint: Touchpoint) => found.get(customerId)?.push(touchpoint);
      for (const { id, signupAt, firstOrderAt } of known) {
        add(id, { id: `${id} signup`, kind: 'SIGNED_UP', at: signupAt, summary: 'became a customer' });
        if (firstOrderAt === null) continue;
        add(id, { id: `${id} order`, kind: 'FIRST_ORDER', at: firstOrderAt, summary: 'ordered for the first time' });
      }
      for (const [customerId, own] of events) {
        for (const event of own) {
          const kind = STREAM_KINDS[event.name] as TouchpointKind;
          add(customerId, { id: event.uid, kind, at: event.at, summary: summaryOfEvent(kind, event) });
        }
      }
      for (const { id, customerId, kind, at, detail } of kept) {
        add(customerId, { id, kind, at, summary: summaryOfDetail(kind, detail) });
      }
      const behind = (one: Touchpoint) => after === null || byNewest(after, one) < 0;
      return new Map([...found].map(([id, all]) => [id, all.filter(behind).sort(byNewest).slice(0, limit)]));
    },
  };
}
