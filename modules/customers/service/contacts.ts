import { newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import { customerChanged } from '../events.ts';
import { contactInput } from '../inputs.ts';
import { createStore } from './store.ts';
import { given, type RecordKind } from './upsert.ts';

/** What a person said about messages, by topic. */
export type Consent = Readonly<Record<string, { readonly granted: boolean; readonly at: string }>>;

export interface ContactRow {
  readonly id: string;
  readonly customerId: string;
  readonly externalId: string;
  readonly email: string;
  readonly name: string | null;
  readonly timeZone: string | null;
  readonly locale: string | null;
  readonly consent: Consent;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const store = createStore<ContactRow>({
  table: 'contact',
  key: ['customerId', 'externalId'],
  columns: {
    id: { column: 'id', type: 'uuid' },
    customerId: { column: 'customer_id', type: 'uuid' },
    externalId: { column: 'external_id', type: 'text' },
    email: { column: 'email', type: 'text' },
    name: { column: 'name', type: 'text' },
    timeZone: { column: 'time_zone', type: 'text' },
    locale: { column: 'locale', type: 'text' },
    consent: { column: 'consent', type: 'jsonb' },
    createdAt: { column: 'created_at', type: 'timestamptz' },
    updatedAt: { column: 'updated_at', type: 'timestamptz' },
  },
});

/** The later word on a topic holds, in whatever order the words arrive. */
function mergeConsent(
  was: Consent,
  said: readonly { readonly topic: string; readonly granted: boolean; readonly at?: Date | null | undefined }[],
  now: Date,
): Consent {
  const merged: Record<string, { readonly granted: boolean; readonly at: string }> = { ...was };
  for (const { topic, granted, at } of said) {
    const time = (at ?? now).toISOString();
    const known = merged[topic];
    if (known === undefined || (known.granted !== granted && known.at <= time)) merged[topic] = { granted, at: time };
  }
  return Object.fromEntries(Object.entries(merged).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The people at a customer. A contact is found by the id its owner gave it, or else by its e-mail address. */
export const contacts: RecordKind<ReturnType<typeof contactInput.parse>, ContactRow> = {
  what: 'contact',
  origin: 'upsert',
  schema: contactInput,
  store,
  key: (input, customerId) => [customerId, input.externalId ?? input.email],
  seenAt: () => null,
  decide(input, customerId, was, rules) {
    for (const [index, { at }] of (input.consent ?? []).entries()) {
      const future = rules.future({ [`consent.${index}.at`]: at });
      if (future !== null) return future;
    }
    return {
      id: was?.id ?? newId(),
      customerId,
      externalId: input.externalId ?? input.email,
      email: input.email,
      name: given(input.name, was?.name, null),
      timeZone: given(input.timeZone, was?.timeZone, null),
      locale: given(input.locale, was?.locale, null),
      consent: mergeConsent(was?.consent ?? {}, input.consent ?? [], rules.now),
      createdAt: was?.createdAt ?? rules.now,
      updatedAt: rules.now,
    };
  },
  tell(facts, { after }) {
    const payload = { customerId: after.customerId, fields: ['contacts'], status: null };
    facts.events.push(newEvent(customerChanged, { customerId: after.customerId, payload }));
  },
};
