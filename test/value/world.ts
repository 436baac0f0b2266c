import { expect } from 'vitest';
import type { TestApp } from '../support/app.ts';

const FAILURE = '... on DomainError { __typename code message path }';

export interface OrderGiven {
  readonly id: string;
  readonly customer: string;
  readonly at: string;
  readonly amountMinor?: number;
  readonly currency?: string;
  readonly lines?: readonly { readonly product: string; readonly quantity: number; readonly unitPriceMinor: number }[];
  readonly returnedMinor?: number;
  readonly returnedAt?: string;
}

/** What a caller of the API does to a shop. */
export function shopOf(app: TestApp) {
  return {
    async order(orders: readonly OrderGiven[]): Promise<void> {
      const input = orders.map(({ id, customer, at, returnedMinor, currency = 'GBP', ...order }) => ({
        externalId: id,
        customerExternalId: customer,
        placedAt: at,
        currency,
        ...order,
        ...(returnedMinor === undefined ? {} : { returnedAmountMinor: returnedMinor }),
      }));
      for (let start = 0; start < input.length; start += 500) {
        const { upsertOrders } = await app.query<{ upsertOrders: object[] }>(
          `mutation ($input: [OrderInput!]!) { upsertOrders(input: $input) { __typename ${FAILURE} } }`,
          { input: input.slice(start, start + 500) },
        );
        for (const answer of upsertOrders) expect(answer).toEqual({ __typename: 'UpsertOrderSuccess' });
      }
    },
    async record(
      events: readonly (readonly [customer: string, name: string, at: string])[],
      prefix: string,
    ): Promise<void> {
      const input = events.map(([customerExternalId, name, at], index) => ({
        id: `${prefix}-${index}`,
        customerExternalId,
        name,
        at,
        ...(name === 'session.ended' ? { value: 60 } : {}),
      }));
      const { recordEvents } = await app.query<{ recordEvents: object }>(
        `mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { __typename ${FAILURE} } }`,
        { input: { events: input } },
      );
      expect(recordEvents).toEqual({ __typename: 'RecordEventsSuccess' });
    },
    /** Asks for a computation and waits until it stands. */
    async refresh(): Promise<Record<string, unknown>> {
      await app.settle();
      const { refreshValue } = await app.query<{ refreshValue: { refresh: { id: string } } }>(
        `mutation { refreshValue(input: {}) { ... on RefreshValueSuccess { refresh { id state } } } }`,
      );
      await app.settle();
      const { valueRefresh } = await app.query<{ valueRefresh: { state: string; result: Record<string, unknown> } }>(
        `query ($id: ID!) { valueRefresh(id: $id) { state step error result { snapshotsComputed snapshotsKept customers clusters lifetimeProblem } } }`,
        { id: refreshValue.refresh.id },
      );
      expect(valueRefresh).toMatchObject({ state: 'DONE', step: null, error: null });
      return valueRefresh.result;
    },
    /** Features of a customer by name, at a time. */
    async features(externalId: string, at?: string): Promise<Record<string, number | null> | null> {
      const { customer } = await app.query<{ customer: { features: { name: string; value: number | null }[] | null } }>(
        `query ($externalId: String!, $at: DateTime) { customer(externalId: $externalId) { features(at: $at) { name value } } }`,
        { externalId, at },
      );
      return customer.features === null
        ? null
        : Object.fromEntries(customer.features.map(({ name, value }) => [name, value]));
    },
  };
}
