/** What a file may hold. */
export const RECORD_TYPES = [
  'CUSTOMERS',
  'CONTACTS',
  'SUBSCRIPTIONS',
  'INVOICES',
  'TICKETS',
  'ORDERS',
  'EVENTS',
] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

/** A field of a record type, and the column names by which other systems call it. */
export interface ImportField {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
  /** Compared without case, blanks and punctuation. */
  readonly known: readonly string[];
}

const field = (name: string, required: boolean, description: string, ...known: string[]): ImportField => ({
  name,
  required,
  description,
  known,
});

const CUSTOMER = [
  'customer',
  'customer id',
  'customer no',
  'customer number',
  'cust id',
  'account id',
  'user id',
  'client id',
];

const customerOf = (required: boolean): ImportField =>
  field('customerExternalId', required, "The customer, by the business's own id.", ...CUSTOMER);

const currency = field('currency', false, 'ISO 4217 code; when absent, the currency of the import.', 'currency code');

const TICKET_AND_INVOICE_ID = ['id', 'external id', 'number', 'no'];

/** Every record type with its fields, in the order the documentation shows them. */
export const FIELDS: Readonly<Record<RecordType, readonly ImportField[]>> = {
  CUSTOMERS: [
    field('externalId', true, "The business's own id of the customer.", 'id', ...CUSTOMER),
    field('name', false, 'Name to show.', 'customer name', 'company', 'company name', 'account name', 'full name'),
    field('businessSegment', false, "The operator's own segment.", 'segment'),
    field('ownerEmail', false, 'E-mail address of the account manager.', 'owner', 'account manager', 'csm'),
    field('status', false, 'TRIAL, ACTIVE, PAUSED or CHURNED.', 'customer status', 'lifecycle status'),
    field(
      'signupAt',
      false,
      'When the customer signed up.',
      'signup',
      'signup date',
      'created',
      'created at',
      'customer since',
    ),
    field('churnedAt', false, 'When the customer left.', 'churn date', 'churned'),
    field('churnReason', false, 'Why the customer left.', 'reason'),
  ],
  CONTACTS: [
    customerOf(true),
    field(
      'externalId',
      false,
      "The business's own id of the contact; when absent, the e-mail address.",
      'id',
      'contact id',
    ),
    field('email', true, 'E-mail address.', 'e mail', 'mail', 'email address'),
    field('name', false, 'Name of the person.', 'contact name', 'full name'),
    field('timeZone', false, 'IANA name, e.g. Europe/Berlin.', 'tz'),
    field('locale', false, 'BCP 47, e.g. de-DE.', 'language'),
  ],
  SUBSCRIPTIONS: [
    field('externalId', true, "The business's own id of the subscription.", 'id', 'subscription id'),
    customerOf(true),
    field('plan', true, 'Key of the plan.', 'plan name', 'product'),
    field(
      'mrr',
      true,
      'Monthly recurring revenue in major units, e.g. 49.90.',
      'monthly recurring revenue',
      'monthly charges',
      'amount',
    ),
    currency,
    field('startedAt', true, 'When it began.', 'started', 'start', 'start date'),
    field('cancelledAt', false, 'When it ended.', 'cancelled', 'canceled at', 'end date', 'ended at'),
    field('cancelReason', false, 'Why it ended.', 'reason'),
    field(
      'changedAt',
      false,
      'When the state in this row began; several rows of a subscription, the earliest first, are its history.',
      'changed',
      'valid from',
      'effective date',
    ),
  ],
  INVOICES: [
    field(
      'externalId',
      true,
      "The business's own id of the invoice.",
      'invoice',
      'invoice id',
      'invoice no',
      ...TICKET_AND_INVOICE_ID,
    ),
    customerOf(true),
    field('amount', true, 'Amount in major units, e.g. 120.00.', 'total', 'amount due'),
    currency,
    field('issuedAt', true, 'When it was issued.', 'issued', 'invoice date', 'date'),
    field('dueAt', true, 'When it is due.', 'due', 'due date'),
    field('paidAt', false, 'When it was paid.', 'paid', 'payment date'),
  ],
  TICKETS: [
    field('externalId', true, "The business's own id of the ticket.", 'ticket', 'ticket id', ...TICKET_AND_INVOICE_ID),
    customerOf(true),
    field('priority', false, 'LOW, NORMAL, HIGH or URGENT.'),
    field('openedAt', true, 'When it was opened.', 'opened', 'created', 'created at', 'date'),
    field('firstResponseAt', false, 'When somebody first answered.', 'first response', 'first reply at'),
    field('solvedAt', false, 'When it was solved.', 'solved', 'closed at', 'resolved at'),
    field('satisfaction', false, 'Rating from 1 to 5.', 'rating', 'csat'),
  ],
  ORDERS: [
    field(
      'orderId',
      true,
      'The order this line belongs to.',
      'order',
      'order no',
      'order number',
      'invoice',
      'invoice no',
      'invoice id',
    ),
    field(
      'lineId',
      false,
      'Id of the line within its order; when absent, the row of the file counts.',
      'line',
      'line no',
      'order line id',
    ),
    field(
      'product',
      true,
      'Product, by its own id.',
      'product id',
      'sku',
      'stock code',
      'item',
      'item id',
      'product code',
    ),
    field('description', false, 'Name of the product.', 'product name', 'title', 'item name'),
    field('quantity', true, 'Pieces; negative in returns.', 'qty', 'pieces', 'units'),
    field('unitPrice', true, 'Price of one piece in major units.', 'price', 'item price'),
    currency,
    field(
      'placedAt',
      true,
      'When the order was placed.',
      'date',
      'at',
      'order date',
      'invoice date',
      'created at',
      'timestamp',
    ),
    customerOf(true),
    field('country', false, 'Where the customer lives.', 'country code'),
    field('returned', false, 'true for a line that was returned or cancelled.', 'is return', 'cancelled'),
  ],
  EVENTS: [
    field(
      'id',
      false,
      "The sender's own id of the event; when absent, the row of the file counts.",
      'event id',
      'message id',
      'insert id',
    ),
    field('name', true, 'What happened, e.g. session.started.', 'event', 'event name', 'event type', 'type'),
    field('at', true, 'When it happened.', 'time', 'timestamp', 'date', 'occurred at', 'created at', 'event time'),
    customerOf(true),
    field('value', false, 'An amount the event carries.', 'amount', 'revenue'),
    currency,
    field('properties', false, 'A JSON object. Columns not mapped join it.', 'props', 'attributes', 'data'),
  ],
};

/** A column of the file given to a field. */
export interface ColumnMapping {
  readonly field: string;
  readonly column: string;
}

/** Names that differ only in case, blanks and punctuation are one name. */
const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/**
 * Which column of a header is likely which field. What was `given` stands; a column serves one field only, and fields
 * are served in the order of their table.
 */
export function suggestMapping(
  type: RecordType,
  header: readonly string[],
  given: readonly ColumnMapping[] = [],
): ColumnMapping[] {
  const mapping = [...given];
  const taken = new Set(given.map(({ column }) => column));
  const served = new Set(given.map(({ field: name }) => name));
  for (const { name, known } of FIELDS[type]) {
    if (served.has(name)) continue;
    for (const candidate of [name, ...known].map(plain)) {
      const column = header.find((title) => !taken.has(title) && plain(title) === candidate);
      if (column === undefined) continue;
      mapping.push({ field: name, column });
      taken.add(column);
      break;
    }
  }
  return mapping;
}

/** Why a mapping cannot be used; null when it can. */
export function mappingProblem(type: RecordType, mapping: readonly ColumnMapping[]): string | null {
  const fields = new Map(FIELDS[type].map((each) => [each.name, each]));
  const seen = new Set<string>();
  for (const { field: name, column } of mapping) {
    if (!fields.has(name)) {
      return `"${name}" is no field of ${type}; its fields are ${[...fields.keys()].join(', ')}.`;
    }
    if (seen.has(name)) return `The field "${name}" is mapped twice; give it one column.`;
    if (column.trim() === '') return `The field "${name}" is mapped to a column without a name.`;
    seen.add(name);
  }
  return null;
}

/** Fields that must have a column and have none. */
export function unmappedRequired(type: RecordType, mapping: readonly ColumnMapping[]): string[] {
  const mapped = new Set(mapping.map(({ field: name }) => name));
  return FIELDS[type].filter((each) => each.required && !mapped.has(each.name)).map((each) => each.name);
}
