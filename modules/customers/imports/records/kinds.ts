import type { z } from 'zod';
import type { Tx } from '../../../../src/core/database/index.ts';
import { DomainError } from '../../../../src/core/errors.ts';
import { minorUnitDigits, parseMoney } from '../../../../src/core/money.ts';
import { contactInput, customerInput, invoiceInput, subscriptionInput, ticketInput } from '../../inputs.ts';
import { contacts } from '../../service/contacts.ts';
import { upsertCustomers } from '../../service/customers.ts';
import { Facts } from '../../service/facts.ts';
import { invoices, pastInvoices } from '../../service/invoices.ts';
import type { CustomerReference } from '../../service/references.ts';
import type { Upserted } from '../../service/store.ts';
import { subscriptions } from '../../service/subscriptions.ts';
import { tickets } from '../../service/tickets.ts';
import { applyRecords, type BatchTerms, type RecordKind, type RecordRow } from '../../service/upsert.ts';
import { FUTURE_TOLERANCE } from '../../settings.ts';
import type { RecordType } from '../domain/fields.ts';
import type { ImportRun } from '../pipeline.ts';

/** One staged row of a record type: texts by field name; what is empty is absent. */
export type RecordTexts = Readonly<Record<string, string>>;

export type RecordOutcome = 'created' | 'changed' | 'same' | DomainError;

/** A record type as imports know it: how a row becomes the API's input, and how inputs are stored. */
export interface ImportKind {
  readonly schema: z.ZodType;
  /**
   * The input of the API's own mutation, but for its moments. Texts that cannot be read are left as texts, for the schema
   * to refuse.
   */
  input(texts: RecordTexts, currency: string): Record<string, unknown>;
  store(run: ImportRun, inputs: readonly unknown[]): Promise<RecordOutcome[]>;
}

const TIMES = new Set([
  'signupAt',
  'churnedAt',
  'startedAt',
  'cancelledAt',
  'changedAt',
  'issuedAt',
  'dueAt',
  'paidAt',
  'openedAt',
  'firstResponseAt',
  'solvedAt',
]);

/** Whether a field holds a moment. */
export const isTime = (field: string): boolean => TIMES.has(field);

/** Fields as they are. */
const plain = (texts: RecordTexts, leaveOut: readonly string[]): RecordTexts =>
  Object.fromEntries(Object.entries(texts).filter(([name]) => !leaveOut.includes(name)));

/** An amount in major units as minor units; a text that is none stays one, and the schema says so. */
function minor(text: string | undefined, currency: string): number | string | undefined {
  if (text === undefined) return undefined;
  try {
    const { amountMinor } = parseMoney(text, currency);
    const places = /\.(\d+?)0*$/.exec(text)?.[1]?.length ?? 0;
    return places > minorUnitDigits(currency) ? text : amountMinor;
  } catch {
    return text;
  }
}

const number = (text: string | undefined): number | string | undefined =>
  text === undefined || !/^-?\d+(\.\d+)?$/.test(text) ? text : Number(text);

/** Upserts records by the rules of the API; history stays quiet. */
async function storeRecords<Input extends CustomerReference, Row extends RecordRow>(
  run: ImportRun,
  inputs: readonly unknown[],
  kind: RecordKind<Input, Row>,
): Promise<RecordOutcome[]> {
  const terms: BatchTerms = {
    now: run.clock.now(),
    toleranceSeconds: await run.settings.get(FUTURE_TOLERANCE),
    createCustomers: run.options.unknownCustomer === 'create',
  };
  const items = inputs.map((input, at) => ({ input: input as Input, path: ['row', at] }));
  return run.database.transaction(async (tx) => {
    const facts = new Facts();
    const results = await applyRecords(tx, run, run.call, items, kind, terms, facts);
    if (!run.job.live) facts.events.length = 0;
    await facts.write(tx, run.call, run);
    const outcomes = results.map(outcomeOf);
    await countRecords(run, tx, outcomes);
    return outcomes;
  });
}

const countRecords = (run: ImportRun, tx: Tx, outcomes: readonly RecordOutcome[]): Promise<void> =>
  run.counted(tx, {
    recordsCreated: outcomes.filter((outcome) => outcome === 'created').length,
    recordsChanged: outcomes.filter((outcome) => outcome === 'changed').length,
  });

function outcomeOf<Row extends { readonly id: string }>(result: Upserted<Row> | DomainError): RecordOutcome {
  if (result instanceof DomainError) return result;
  if (result.before === null) return 'created';
  return result.before === result.after ? 'same' : 'changed';
}

const kindOf = <Input extends CustomerReference, Row extends RecordRow>(
  schema: z.ZodType,
  kind: RecordKind<Input, Row>,
  input: ImportKind['input'],
  past: RecordKind<Input, Row> = kind,
): ImportKind => ({
  schema,
  input,
  store: (run, inputs) => storeRecords(run, inputs, run.job.live ? kind : past),
});

/** The record types whose rows go through the services of the API, a batch at a time. */
export const importKinds: Readonly<Record<Exclude<RecordType, 'ORDERS' | 'EVENTS'>, ImportKind>> = {
  CUSTOMERS: {
    schema: customerInput,
    input(texts) {
      const { ownerEmail, traits } = texts;
      return {
        ...plain(texts, ['ownerEmail', 'traits']),
        ...(texts.status === undefined ? {} : { status: texts.status.toUpperCase() }),
        ...(ownerEmail === undefined ? {} : { owner: { email: ownerEmail } }),
        ...(traits === undefined || traits === '{}' ? {} : { traits: JSON.parse(traits) }),
      };
    },
    async store(run, inputs) {
      const answers = await upsertCustomers(run, run.call, inputs, {
        quiet: !run.job.live,
        together: (tx, { created, changed }) => run.counted(tx, { recordsCreated: created, recordsChanged: changed }),
      });
      return answers.map((answer) =>
        answer instanceof DomainError ? answer : answer.created ? 'created' : answer.changed ? 'changed' : 'same',
      );
    },
  },
  CONTACTS: kindOf(contactInput, contacts, (texts) => texts),
  SUBSCRIPTIONS: kindOf(subscriptionInput, subscriptions, (texts, currency) => ({
    ...plain(texts, ['mrr', 'currency']),
    mrrMinor: minor(texts.mrr, texts.currency ?? currency),
    currency: texts.currency ?? currency,
  })),
  INVOICES: kindOf(
    invoiceInput,
    invoices,
    (texts, currency) => ({
      ...plain(texts, ['amount', 'currency']),
      amountMinor: minor(texts.amount, texts.currency ?? currency),
      currency: texts.currency ?? currency,
    }),
    pastInvoices,
  ),
  TICKETS: kindOf(ticketInput, tickets, (texts) => ({
    ...texts,
    ...(texts.priority === undefined ? {} : { priority: texts.priority.toUpperCase() }),
    ...(texts.satisfaction === undefined ? {} : { satisfaction: number(texts.satisfaction) }),
  })),
};
