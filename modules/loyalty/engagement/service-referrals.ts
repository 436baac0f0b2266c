import { randomBytes } from 'node:crypto';
import type { Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { appendEvents, type DomainEvent, isEvent, type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { CustomerNotFound, customerChanged, orderPlaced } from '../../customers/contract.ts';
import { NotAMember } from '../errors.ts';
import { CODE_BYTES, codeOf, readCode, shareAddress } from './domain/referrals.ts';
import {
  AlreadyReferred,
  ReferralCodeNotFound,
  ReferralCycle,
  ReferralsDisabled,
  ReferralTooLate,
  SelfReferral,
} from './errors.ts';
import { referralAttributed, referralRewarded } from './events.ts';
import type { EngagementPorts } from './ports.ts';
import { lockEngagement } from './queries.ts';
import {
  broughtBy,
  codeOfCustomer,
  holderOf,
  insertCode,
  insertReferral,
  type ReferralRow,
  referralOf,
  settleReferrals,
  waitingReferrals,
} from './queries-referrals.ts';
import { participants } from './service-facts.ts';
import type { Deserved, Given } from './service-rewards.ts';
import { type Definitions, REFERRALS } from './settings.ts';

const DAY_MS = 86_400_000;

/** The code a member refers others by; made when it is asked for first. @throws CustomerNotFound, NotAMember, ReferralsDisabled */
export async function referralCode(ports: EngagementPorts, call: Call, customerId: string): Promise<string> {
  if (!(await ports.settings.get(REFERRALS)).enabled) throw new ReferralsDisabled();
  return ports.database.transaction(async (tx) => {
    await lockEngagement(tx);
    const id = await memberOf(tx, ports, call, customerId);
    const known = await codeOfCustomer(tx, id);
    if (known !== null) return known;
    for (;;) {
      const code = codeOf(randomBytes(CODE_BYTES));
      if (await insertCode(tx, code, id, ports.clock.now())) return code;
    }
  });
}

/** The id of a customer who is a member by now. @throws CustomerNotFound, NotAMember */
export async function memberOf(tx: Tx, ports: EngagementPorts, call: Call, customerId: string): Promise<string> {
  const [customer] = await ports.customers.byIds([customerId], tx);
  if (customer === undefined) throw new CustomerNotFound({ id: customerId }, ['customerId']);
  const members = await ports.join(tx, call, [customer.id]);
  if (!members.has(customer.id)) throw new NotAMember(customerId);
  return customer.id;
}

/** A referral, and whether it was known before. */
export interface Attributed {
  readonly referral: ReferralRow;
  readonly replayed: boolean;
}

/**
 * Says that a customer came by the code of another; once for each customer. The same again is answered with the same.
 * @throws ReferralCodeNotFound, CustomerNotFound, SelfReferral, AlreadyReferred, ReferralTooLate, ReferralCycle, ReferralsDisabled
 */
export async function attributeReferral(
  ports: EngagementPorts,
  call: Call,
  input: { readonly code: string; readonly customerId: string },
): Promise<Attributed> {
  const terms = await ports.settings.get(REFERRALS);
  if (!terms.enabled) throw new ReferralsDisabled();
  const code = readCode(input.code);
  return ports.database.transaction(async (tx) => {
    // Alone: two customers who each name the other's code must not both pass the look for a cycle.
    await lockEngagement(tx);
    const holder = code === null ? null : await holderOf(tx, code);
    const [referrer] = holder === null ? [] : await ports.customers.byIds([holder], tx);
    if (referrer === undefined) throw new ReferralCodeNotFound();
    const [referred] = await ports.customers.byIds([input.customerId], tx);
    if (referred === undefined) throw new CustomerNotFound({ id: input.customerId }, ['customerId']);
    if (referrer.id === referred.id) throw new SelfReferral('the code is their own');
    const known = await referralOf(tx, referred.id);
    if (known !== null) {
      if (known.referrerId === referrer.id) return { referral: known, replayed: true };
      throw new AlreadyReferred();
    }
    const contacts = await ports.customers.contactsOf([referrer.id, referred.id], tx);
    const addressesOf = (id: string) => contacts.flatMap((one) => (one.customerId === id ? [one.email] : []));
    if (shareAddress(addressesOf(referrer.id), addressesOf(referred.id))) {
      throw new SelfReferral('both have a contact with the same e-mail address');
    }
    const now = ports.clock.now();
    if (now.getTime() >= referred.signupAt.getTime() + terms.attributionDays * DAY_MS) {
      throw new ReferralTooLate(terms.attributionDays);
    }
    if (await broughtBy(tx, referred.id, referrer.id)) throw new ReferralCycle();
    const sides = { referrerId: referrer.id, referredId: referred.id };
    const nothing = { rewardedAt: null, referrerPoints: 0, referredPoints: 0 };
    const referral: ReferralRow = { id: newId(), ...sides, state: 'ATTRIBUTED', attributedAt: now, ...nothing };
    await insertReferral(tx, referral);
    const payload = { referralId: referral.id, ...sides };
    await appendEvents(tx, call, ports.clock, [newEvent(referralAttributed, { customerId: referred.id, payload })]);
    return { referral, replayed: false };
  });
}

/** A referral that became successful. */
export interface Qualified {
  readonly referral: ReferralRow;
  readonly call: Call;
}

/**
 * The referrals that facts make successful. What happened before the attribution counts as well, since a shop may hear
 * of the code only with the order: therefore the attribution itself is a fact to look at.
 */
export async function qualify(
  tx: Tx,
  ports: EngagementPorts,
  { referrals: { enabled, qualifying } }: Definitions,
  events: readonly DomainEvent[],
  callOf: (event: DomainEvent) => Call,
): Promise<Qualified[]> {
  const causes = new Map<string, { readonly event: DomainEvent; readonly proven: boolean }>();
  for (const event of enabled ? events : []) {
    if (isEvent(event, referralAttributed)) {
      const id = event.payload.referredId;
      if (!causes.has(id)) causes.set(id, { event, proven: false });
    } else if (event.customerId !== null && proves(event, qualifying)) {
      causes.set(event.customerId, { event, proven: true });
    }
  }
  if (causes.size === 0) return [];
  const living = await participants(tx, ports, [...causes.keys()]);
  const causeOf = new Map([...causes].map(([id, cause]) => [living.get(id) ?? id, cause]));
  const waiting = await waitingReferrals(tx, [...causeOf.keys()]);
  const looked = waiting.filter(({ referredId }) => causeOf.get(referredId)?.proven === false);
  const done = await alreadyDone(
    tx,
    ports,
    qualifying,
    looked.map(({ referredId }) => referredId),
  );
  return waiting.flatMap((referral) => {
    const cause = causeOf.get(referral.referredId);
    if (cause === undefined || !(cause.proven || done.has(referral.referredId))) return [];
    return [{ referral, call: callOf(cause.event) }];
  });
}

/** Whether an event is what makes a referral successful. */
export function proves(event: DomainEvent, qualifying: Definitions['referrals']['qualifying']): boolean {
  if (qualifying === 'FIRST_ORDER') return isEvent(event, orderPlaced) && !event.payload.quiet;
  return isEvent(event, customerChanged) && event.payload.status?.to === 'ACTIVE';
}

/** Of customers: those who did already what makes a referral successful. */
async function alreadyDone(
  tx: Tx,
  { customers, clock }: EngagementPorts,
  qualifying: Definitions['referrals']['qualifying'],
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  if (qualifying === 'ACTIVATION') {
    const facts = await customers.byIds(ids, tx);
    return new Set(facts.flatMap(({ id, status }) => (status === 'ACTIVE' ? [id] : [])));
  }
  const until = new Date(clock.now().getTime() + DAY_MS);
  const orders = await customers.orders(ids, { from: new Date(0), to: until }, tx);
  return new Set(orders.map(({ customerId }) => customerId));
}

/** What the two sides of a referral deserve: referrer, then who was brought. */
export function deservedForReferral({ referrals }: Definitions, { referral, call }: Qualified): Deserved[] {
  const { id, referrerId, referredId } = referral;
  const both = { call, badge: null };
  return [
    {
      ...both,
      customerId: referrerId,
      key: `referral ${id} referrer`,
      points: { rule: referrals.referrerRule },
      reason: 'Referral',
    },
    {
      ...both,
      customerId: referredId,
      key: `referral ${id} referred`,
      points: referrals.referredPoints,
      reason: 'Welcome by referral',
    },
  ];
}

/** Keeps what both sides were given, tells the stream, and publishes it. @param given two for each, as deserved */
export async function concludeReferrals(
  tx: Tx,
  { clock, customers }: EngagementPorts,
  qualified: readonly Qualified[],
  given: readonly Given[],
): Promise<NewEvent[]> {
  const rewardedAt = clock.now();
  const rows = qualified.map(({ referral }, index): ReferralRow => {
    const [referrer, referred] = given.slice(index * 2) as [Given, Given];
    const points = { referrerPoints: referrer.points, referredPoints: referred.points };
    return { ...referral, ...points, state: 'REWARDED', rewardedAt };
  });
  await settleReferrals(tx, rows);
  await customers.tellStream(
    tx,
    rows.map(({ id, referrerId }) => ({
      name: 'referral.made',
      recordId: id,
      customerId: referrerId,
      at: rewardedAt,
      properties: { referralId: id },
    })),
  );
  return rows.map(({ id: referralId, referrerId, referredId, referrerPoints, referredPoints }, index) => {
    const payload = { referralId, referrerId, referredId, referrerPoints, referredPoints };
    const { call } = qualified[index] as Qualified;
    return newEvent(referralRewarded, { customerId: referrerId, call, payload });
  });
}
