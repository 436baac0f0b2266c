import { z } from 'zod';

/** What an event of the catalogue carries and means. */
export interface KnownEvent {
  readonly description: string;
  /** Shape of `properties`; members not named are kept. */
  readonly properties: z.ZodType;
  /** What `value` is, when it has a meaning of its own. */
  readonly value?: {
    readonly meaning: string;
    readonly min: number;
    readonly max: number;
    readonly required?: boolean;
  };
  /** `amountMinor` and `currency` are needed. */
  readonly money?: 'required' | 'optional';
  /** Whether it shows that the customer itself did something: it moves the last activity. */
  readonly activity: boolean;
}

const text = z.string().min(1).max(200);
const score = (max: number) => ({ meaning: 'score', min: 0, max, required: true });

/** The events that scores rest on. Other names are kept as they are, and may be mapped onto these by a setting. */
export const CATALOGUE = {
  'session.started': {
    description: 'A customer began to use the product.',
    properties: z.looseObject({ device: text.optional() }),
    activity: true,
  },
  'session.ended': {
    description: 'A session came to its end; `value` is how long it took.',
    properties: z.looseObject({}),
    value: { meaning: 'duration in seconds', min: 0, max: 86_400, required: true },
    activity: true,
  },
  'feature.used': {
    description: 'A feature of the product was used.',
    properties: z.looseObject({ feature: text }),
    activity: true,
  },
  'order.placed': {
    description: 'An order was placed: one event per order. With `orderId` it becomes an order.',
    properties: z.looseObject({ orderId: text.optional() }),
    money: 'required',
    activity: true,
  },
  'order.returned': {
    description: 'An order, or some of it, came back; the amount is what was returned.',
    properties: z.looseObject({ orderId: text }),
    money: 'optional',
    activity: true,
  },
  'subscription.started': {
    description: 'A subscription began; the amount is its monthly revenue.',
    properties: z.looseObject({ plan: text.optional() }),
    money: 'optional',
    activity: true,
  },
  'subscription.changed': {
    description: 'Plan or monthly revenue of a subscription changed.',
    properties: z.looseObject({ plan: text.optional() }),
    money: 'optional',
    activity: false,
  },
  'subscription.cancelled': {
    description: 'A subscription ended.',
    properties: z.looseObject({ reason: text.optional() }),
    money: 'optional',
    activity: false,
  },
  'invoice.issued': {
    description: 'An invoice was issued.',
    properties: z.looseObject({ invoiceId: text.optional() }),
    money: 'optional',
    activity: false,
  },
  'invoice.paid': {
    description: 'An invoice was paid.',
    properties: z.looseObject({ invoiceId: text.optional() }),
    money: 'optional',
    activity: false,
  },
  'invoice.overdue': {
    description: 'An invoice was not paid when it was due.',
    properties: z.looseObject({ invoiceId: text.optional() }),
    money: 'optional',
    activity: false,
  },
  'ticket.opened': {
    description: 'A customer asked for help.',
    properties: z.looseObject({ ticketId: text.optional() }),
    activity: true,
  },
  'ticket.first_response': {
    description: 'A ticket was answered for the first time.',
    properties: z.looseObject({ ticketId: text.optional() }),
    activity: false,
  },
  'ticket.solved': {
    description: 'A ticket was solved; `value` is the rating, 1 to 5, when there is one.',
    properties: z.looseObject({ ticketId: text.optional() }),
    value: { meaning: 'rating', min: 1, max: 5 },
    activity: false,
  },
  'survey.answered': {
    description: 'A survey was answered; `value` is the score: NPS 0 to 10, CSAT 1 to 5, CES 1 to 7.',
    properties: z.looseObject({ kind: z.enum(['NPS', 'CSAT', 'CES']).optional() }),
    value: score(10),
    activity: true,
  },
  'message.opened': {
    description: 'A message was opened; mail programs open by themselves, so this is no activity.',
    properties: z.looseObject({ messageId: text.optional() }),
    activity: false,
  },
  'message.clicked': {
    description: 'A link of a message was followed.',
    properties: z.looseObject({ messageId: text.optional() }),
    activity: true,
  },
  'referral.made': {
    description: 'A customer brought another one.',
    properties: z.looseObject({ referredExternalId: text.optional() }),
    activity: true,
  },
  'review.given': {
    description: 'A customer reviewed the product in public; `value` is the rating, 1 to 5.',
    properties: z.looseObject({ url: z.string().max(2_000).optional() }),
    value: { meaning: 'rating', min: 1, max: 5 },
    activity: true,
  },
} satisfies Record<string, KnownEvent>;

export type CatalogueName = keyof typeof CATALOGUE;

export const catalogueNames = Object.keys(CATALOGUE) as [CatalogueName, ...CatalogueName[]];

const byName: ReadonlyMap<string, KnownEvent> = new Map(Object.entries(CATALOGUE));

/** The event's entry in the catalogue; undefined for a name of the caller's own. */
export const knownEvent = (name: string): KnownEvent | undefined => byName.get(name);

/** A customer's own events count as activity, whatever their name; of the known ones those that say so. */
export const countsAsActivity = (name: string): boolean => byName.get(name)?.activity ?? true;

/** Known events that show no activity of the customer itself. */
export const passiveEventNames: readonly string[] = catalogueNames.filter((name) => !CATALOGUE[name].activity);
