import type { Call } from '../../../src/core/call.ts';
import type { Database, Tx } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { enqueue } from '../../../src/core/jobs.ts';
import type { Logger } from '../../../src/core/logger.ts';
import {
  CustomerNotFound,
  type CustomerPort,
  type RecordedBatch,
  type RecordedEvent,
} from '../../customers/contract.ts';
import { EarningCapReached, NotAMember, RuleNotOpenToTier, RuleNotValid } from '../errors.ts';
import { type LedgerRequest, type Posted, requestOf } from '../ledger/commands.ts';
import { isTriggered } from './domain/triggers.ts';
import type { Programme } from './programme.ts';

/** Name of the job that gives points for events of the stream. */
export const EARN_FROM_EVENTS_JOB = 'loyalty.earnFromEvents';

/** Awards per transaction: write transactions hold readers of the outbox back. */
const BATCH = 200;

/** How many events of a batch have names that a rule answers to. */
export function triggering(
  { rules }: Pick<Programme, 'rules'>,
  byName: RecordedBatch['byName'],
): RecordedBatch['byName'] {
  const wanted = new Set(rules.flatMap(({ trigger }) => (trigger === null ? [] : [trigger.event])));
  return Object.fromEntries(Object.entries(byName).filter(([name]) => wanted.has(name)));
}

/** Asks for the job, in the handler's transaction: events are read from the history engine, for which none should wait. */
export const askToEarn = (tx: Tx, batch: RecordedBatch, causedBy: Call): Promise<void> =>
  enqueue(tx, EARN_FROM_EVENTS_JOB, {
    ...batch,
    correlationId: causedBy.correlationId,
    causationId: causedBy.causationId ?? null,
  });

/** What giving points for events stands on. */
export interface TriggerPorts {
  readonly database: Pick<Database, 'transaction'>;
  readonly logger: Logger;
  readonly customers: Pick<CustomerPort, 'recordedEvents'>;
  programme(): Promise<Programme>;
  post(tx: Tx, requests: readonly LedgerRequest[]): Promise<(Posted | DomainError)[]>;
}

/**
 * Gives the points of all rules that events of a batch trigger. Each event counts once for each rule, however often this is
 * run: its name is the key. @returns awards made, those made before included
 */
export async function earnFromEvents(ports: TriggerPorts, call: Call, batch: RecordedBatch): Promise<number> {
  const { rules } = await ports.programme();
  const events = await ports.customers.recordedEvents([batch], Object.keys(batch.byName));
  // In order of time: of a capped rule the first ones count.
  const inOrder = events.sort((a, b) => a.at.getTime() - b.at.getTime() || (a.uid < b.uid ? -1 : 1));
  const requests = inOrder.flatMap((event) =>
    rules
      .filter(({ trigger }) => trigger !== null && isTriggered(trigger, event))
      .map((rule) => requestFor(call, event, rule.key)),
  );
  let made = 0;
  for (let start = 0; start < requests.length; start += BATCH) {
    const some = requests.slice(start, start + BATCH);
    const answers = await ports.database.transaction((tx) => ports.post(tx, some));
    for (const [index, answer] of answers.entries()) {
      if (!(answer instanceof DomainError)) made += 1;
      else if (!isMeant(answer)) {
        ports.logger.warn({ key: some[index]?.key, code: answer.code }, 'an event earned no points');
      }
    }
  }
  return made;
}

/** The blanks keep these keys apart from those callers choose. */
const requestFor = (call: Call, { uid, customerId, at }: RecordedEvent, rule: string): LedgerRequest =>
  requestOf(call, `event ${uid} ${rule}`, {
    kind: 'award',
    customerId,
    rule,
    points: null,
    count: 1,
    reason: null,
    effectiveAt: at,
  });

/** A rule that gives nothing to somebody, or nothing more, is as the business wants it. */
const isMeant = (answer: DomainError): boolean =>
  [NotAMember, CustomerNotFound, EarningCapReached, RuleNotOpenToTier, RuleNotValid].some(
    (kind) => answer instanceof kind,
  );
