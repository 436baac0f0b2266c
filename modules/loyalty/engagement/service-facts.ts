import type { Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { type DomainEvent, isEvent } from '../../../src/core/events/index.ts';
import { formatMinor } from '../../../src/core/money.ts';
import { eventsRecorded, orderPlaced, passiveEventNames } from '../../customers/contract.ts';
import { membersByCustomers } from '../ledger/queries-reads.ts';
import { AUTO_ENROL } from '../settings.ts';
import { microsOf } from './domain/progress.ts';
import { referralRewarded } from './events.ts';
import type { EngagementPorts } from './ports.ts';
import type { Definitions } from './settings.ts';

/** Something a customer did, whichever way it was told. */
export interface Fact {
  readonly customerId: string;
  /** Name of the event of the stream. */
  readonly name: string;
  readonly at: Date;
  /** Its value in millionths. */
  readonly micros: number | null;
  /** The feature used. */
  readonly feature: string | null;
  /** Whether it stands for a record of its own: an order, a referral. */
  readonly record: 'ORDER' | 'REFERRAL' | null;
  /** The call that all that follows from it belongs to. */
  readonly call: Call;
}

/** Events of these names are not needed by anybody but streaks of whatever a customer does. */
const PASSIVE = new Set(passiveEventNames);

/** Whether an event shows that the customer did something. */
export const isActivity = ({ name }: Fact): boolean => !PASSIVE.has(name);

/** Names of events that count for something; null: any may. */
export function wantedNames(definitions: Definitions, now: Date): readonly string[] | null {
  const names = new Set<string>();
  for (const { metric, event } of definitions.milestones) {
    if (metric === 'EVENTS' && event !== null) names.add(event);
    if (metric === 'FEATURES_USED') names.add('feature.used');
  }
  for (const { events } of definitions.streaks) {
    if (events === null) return null;
    for (const name of events) names.add(name);
  }
  for (const { event, until } of definitions.challenges) if (now < new Date(until)) names.add(event);
  return [...names];
}

/**
 * The facts behind events of the outbox: events of the stream, orders that are no history, and successful referrals; of
 * living customers who take part, under the id of who lives on.
 */
export async function factsOf(
  tx: Tx,
  ports: EngagementPorts,
  definitions: Definitions,
  events: readonly DomainEvent[],
  callOf: (event: DomainEvent) => Call,
): Promise<Fact[]> {
  const facts = [...recordsOf(events, callOf), ...(await streamOf(tx, ports, definitions, events, callOf))];
  const takingPart = await participants(
    tx,
    ports,
    facts.map((fact) => fact.customerId),
  );
  return facts.flatMap((fact) => {
    const customerId = takingPart.get(fact.customerId);
    return customerId === undefined ? [] : [{ ...fact, customerId }];
  });
}

function recordsOf(events: readonly DomainEvent[], callOf: (event: DomainEvent) => Call): Fact[] {
  const facts: Fact[] = [];
  for (const event of events) {
    if (isEvent(event, orderPlaced) && event.customerId !== null && !event.payload.quiet) {
      const { reportingAmountMinor: amountMinor, reportingCurrency: currency, placedAt } = event.payload;
      const micros = amountMinor === null ? null : microsOf(formatMinor({ amountMinor, currency }));
      const order = { customerId: event.customerId, name: 'order.placed', at: new Date(placedAt), micros };
      facts.push({ ...order, feature: null, record: 'ORDER', call: callOf(event) });
    } else if (isEvent(event, referralRewarded)) {
      const referral = { customerId: event.payload.referrerId, name: 'referral.made', at: event.at, micros: null };
      facts.push({ ...referral, feature: null, record: 'REFERRAL', call: callOf(event) });
    }
  }
  return facts;
}

async function streamOf(
  tx: Tx,
  { customers, clock }: EngagementPorts,
  definitions: Definitions,
  events: readonly DomainEvent[],
  callOf: (event: DomainEvent) => Call,
): Promise<Fact[]> {
  const recorded = events.filter((event) => isEvent(event, eventsRecorded));
  const names = wantedNames(definitions, clock.now());
  if (recorded.length === 0 || names?.length === 0) return [];
  const causes = new Map(recorded.map((event) => [event.payload.batchId, event]));
  const rows = await customers.recordedEvents(
    recorded.map((event) => event.payload),
    names,
    tx,
  );
  return rows.map(({ customerId, name, at, value, properties, batchId }) => {
    const cause = causes.get(batchId);
    if (cause === undefined) throw new Error(`an event of the batch ${batchId} was not asked for`);
    const feature = name === 'feature.used' && typeof properties.feature === 'string' ? properties.feature : null;
    const micros = value === null ? null : microsOf(value);
    return { customerId, name, at, micros, feature, record: null, call: callOf(cause) };
  });
}

/** Customers who can be given something: by the id they were named with, the id of who lives on. */
export async function participants(
  tx: Tx,
  { customers, settings }: EngagementPorts,
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const asked = [...new Set(customerIds)];
  if (asked.length === 0) return new Map();
  const survivors = await customers.survivors(asked, tx);
  const ids = [...new Set(asked.map((id) => survivors.get(id) ?? id))];
  const autoEnrol = await settings.get(AUTO_ENROL);
  const rows = autoEnrol ? await customers.byIds(ids, tx) : await membersByCustomers(tx, ids);
  const taking = new Set(rows.map((row) => ('id' in row ? row.id : row.customerId)));
  return new Map(
    asked.flatMap((id) => {
      const living = survivors.get(id) ?? id;
      return taking.has(living) ? [[id, living]] : [];
    }),
  );
}

/** Groups facts by customer. */
export function byCustomer(facts: readonly Fact[]): Map<string, Fact[]> {
  const groups = new Map<string, Fact[]>();
  for (const fact of facts) {
    const group = groups.get(fact.customerId);
    if (group === undefined) groups.set(fact.customerId, [fact]);
    else group.push(fact);
  }
  return groups;
}
