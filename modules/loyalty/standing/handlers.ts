import type { Tx } from '../../../src/core/database/index.ts';
import { type DomainEvent, type HandlerDefinition, isEvent } from '../../../src/core/events/index.ts';
import { enqueue } from '../../../src/core/jobs.ts';
import { predictionsScored } from '../../churn/contract.ts';
import {
  batchImported,
  customerChanged,
  customerCreated,
  customerErased,
  customerMerged,
  eventsRecorded,
  orderPlaced,
  orderReturned,
  subscriptionCancelled,
  subscriptionChanged,
  subscriptionStarted,
  ticketOpened,
  ticketSolved,
} from '../../customers/contract.ts';
import { valueRefreshed } from '../../value/contract.ts';
import { referralRewarded } from '../engagement/events.ts';
import { pointsRedeemed, tierChanged } from '../events.ts';
import { rewardRedeemed } from '../rewards/events.ts';
import { RECKON_ALL_JOB, RECKON_JOB, RECKON_QUEUE } from './jobs.ts';
import { followMerge, forgetStandings, type KeptTouchpoint, writeTouchpoints } from './store.ts';

/** Customers per job: a job is one transaction of the standings. */
const JOB_SIZE = 500;

const RELEVANT = [
  eventsRecorded,
  batchImported,
  customerCreated,
  customerChanged,
  orderPlaced,
  orderReturned,
  subscriptionStarted,
  subscriptionChanged,
  subscriptionCancelled,
  ticketOpened,
  ticketSolved,
  // The stream is told of it: a referral made.
  referralRewarded,
];

/** Customers an event concerns; null means anybody. */
function concerned(event: DomainEvent): readonly string[] | null {
  if (isEvent(event, eventsRecorded) || isEvent(event, batchImported)) return event.payload.customerIds;
  // Of a customer's own fields only the status tells of loyalty; who is imported is told of by the batch.
  if (isEvent(event, customerChanged) && event.payload.status === null) return [];
  if (isEvent(event, customerCreated) && event.payload.origin === 'import') return [];
  return event.customerId === null ? [] : [event.customerId];
}

function isQuiet(event: DomainEvent): boolean {
  if (isEvent(event, batchImported) || isEvent(event, orderPlaced) || isEvent(event, orderReturned))
    return event.payload.quiet;
  return false;
}

/** One waiting job for everybody, however many facts ask for it; an import's and the others' are two. */
const reckonAll = (tx: Tx, quiet: boolean) =>
  enqueue(tx, RECKON_ALL_JOB, { quiet }, { key: quiet ? `${RECKON_ALL_JOB} quietly` : RECKON_ALL_JOB });

/** What a fact of the programme is in the customer's story. */
function touchpointsOf(event: DomainEvent): KeptTouchpoint[] {
  const { id, customerId, at } = event;
  if (customerId === null) return [];
  if (isEvent(event, tierChanged)) {
    const { from, to } = event.payload;
    return [{ id, customerId, at, kind: 'TIER_CHANGED', detail: { from, to } }];
  }
  if (isEvent(event, rewardRedeemed)) {
    return [{ id, customerId, at, kind: 'REWARD_REDEEMED', detail: { points: event.payload.points } }];
  }
  if (!isEvent(event, pointsRedeemed)) return [];
  return [{ id, customerId, at, kind: 'POINTS_REDEEMED', detail: { points: Math.abs(event.payload.points) } }];
}

/** The handlers only ask for the work: it reads the history engine, for which no transaction should wait. */
export const standingHandlers: readonly HandlerDefinition[] = [
  {
    name: 'loyalty.reckonOnActivity',
    on: RELEVANT,
    async handle(tx, events) {
      for (const quiet of [false, true]) {
        const due = new Map<string, { id: string; causedBy: string }>();
        let everybody = false;
        let correlationId = '';
        for (const event of events) {
          if (isQuiet(event) !== quiet) continue;
          const ids = concerned(event);
          everybody ||= ids === null;
          for (const id of ids ?? []) due.set(id, { id, causedBy: event.id });
          correlationId = event.correlationId;
        }
        if (everybody) await reckonAll(tx, quiet);
        const customers = [...due.values()];
        for (let start = 0; start < customers.length; start += JOB_SIZE) {
          const some = customers.slice(start, start + JOB_SIZE);
          await enqueue(tx, RECKON_JOB, { customers: some, quiet, correlationId }, { queue: RECKON_QUEUE });
        }
      }
    },
  },
  {
    name: 'loyalty.reckonOnComputations',
    on: [predictionsScored, valueRefreshed],
    handle: (tx) => reckonAll(tx, false),
  },
  {
    name: 'loyalty.keepTouchpoints',
    on: [tierChanged, pointsRedeemed, rewardRedeemed],
    handle: (tx, events) => writeTouchpoints(tx, events.flatMap(touchpointsOf)),
  },
  {
    name: 'loyalty.standingsFollowCustomers',
    on: [customerErased, customerMerged],
    async handle(tx, events) {
      const survivors: { id: string; causedBy: string }[] = [];
      for (const event of events) {
        if (isEvent(event, customerErased)) await forgetStandings(tx, [event.payload.customerId]);
        if (!isEvent(event, customerMerged)) continue;
        await followMerge(tx, event.payload.fromId, event.payload.intoId);
        survivors.push({ id: event.payload.intoId, causedBy: event.id });
      }
      if (survivors.length > 0)
        await enqueue(
          tx,
          RECKON_JOB,
          { customers: survivors, quiet: false, correlationId: '' },
          { queue: RECKON_QUEUE },
        );
    },
  },
];
