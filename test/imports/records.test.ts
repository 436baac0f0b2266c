import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { csv, importFile, type ShownJob } from './support.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ now: new Date('2026-06-01T12:00:00Z') });
});
afterAll(() => app.close());

const importRecords = (recordType: string, file: string, more: object = {}): Promise<ShownJob> =>
  importFile(app, file, { recordType, acceptQuality: true, ...more });

const ndjson = (...objects: readonly object[]): string =>
  objects.map((object) => `${JSON.stringify(object)}\n`).join('');

/** Line, column, value and message of what was refused. */
const refused = (job: ShownJob): string[] =>
  job.rejects.edges.map(({ node }) => `${node.line} ${node.column ?? '-'} "${node.value}": ${node.message}`);

/** What the graph shows of a customer. */
async function shown(externalId: string, fields: string): Promise<unknown> {
  const { customer } = await app.query<{ customer: unknown }>(
    `query ($externalId: String!) { customer(externalId: $externalId) { ${fields} } }`,
    { externalId },
  );
  return customer;
}

const nodes = (...all: readonly object[]) => ({ edges: all.map((node) => ({ node })) });

const CUSTOMER = 'externalId name businessSegment owner { email } status signupAt churnedAt churnReason traits';
const CONTACTS = 'contacts { edges { node { externalId email name timeZone locale } } }';
const SUBSCRIPTIONS = `subscriptions { edges { node {
  externalId plan mrr { amountMinor currency } startedAt cancelledAt cancelReason } } }`;
const INVOICES = 'invoices { edges { node { externalId amount { amountMinor currency } issuedAt dueAt paidAt } } }';
const TICKETS = 'tickets { edges { node { externalId priority openedAt firstResponseAt solvedAt satisfaction } } }';
const ORDERS = `orders { edges { node { externalId placedAt amount { amountMinor currency }
  returned { amountMinor } returnedAt } } }`;

const acme = {
  externalId: 'acme',
  name: 'Acme, Inc.',
  businessSegment: 'enterprise',
  owner: { email: 'mia@holdfast.example' },
  status: 'ACTIVE',
  signupAt: '2025-03-01T00:00:00.000Z',
  churnedAt: null,
  churnReason: null,
  traits: { plan: 'pro', seats: '25' },
};
const bolt = {
  externalId: 'bolt',
  name: 'bolt',
  businessSegment: null,
  owner: null,
  status: 'CHURNED',
  signupAt: '2024-12-31T22:30:00.000Z',
  churnedAt: '2025-02-03T09:00:00.000Z',
  churnReason: 'price',
  traits: {},
};

describe('customers', () => {
  const HEADER = 'Customer ID,Company,Segment,Account Manager,Status,Signup Date,Churn Date,Reason,plan,seats';

  test('from CSV, with columns nobody mapped as traits', async () => {
    const job = await importRecords(
      'CUSTOMERS',
      csv(
        HEADER,
        'acme,"Acme, Inc.",enterprise,Mia@holdfast.example,active,2025-03-01,,,pro,25',
        'bolt,,,,churned,2024-12-31T23:30:00+01:00,2025-02-03 09:00,price,,',
        'cara,,,nobody,active,,,,,',
        'dora,,,,asleep,,,,,',
        ',Nameless,,,,,,,,',
      ),
    );
    expect(job).toMatchObject({
      state: 'DONE',
      rowsTotal: 5,
      result: { rowsStored: 2, rowsRefused: 3, recordsCreated: 2, ignoredColumns: [] },
    });
    expect(refused(job)).toMatchInlineSnapshot(`
      [
        "4 Account Manager "nobody": ownerEmail must be an e-mail address such as ada@example.com.",
        "5 Status "asleep": status must be TRIAL, ACTIVE, PAUSED or CHURNED.",
        "6 Customer ID "": externalId is needed.",
      ]
    `);
    expect([await shown('acme', CUSTOMER), await shown('bolt', CUSTOMER)]).toEqual([acme, bolt]);
    expect(await shown('cara', 'externalId')).toBeNull();
  });

  test('from NDJSON, where traits keep their types and a second row changes the first', async () => {
    const job = await importRecords(
      'CUSTOMERS',
      ndjson(
        { id: 'gale', name: 'Gale', seats: 3, trial: true, address: { city: 'Ulm' } },
        { id: 'acme', name: 'Acme Corporation' },
      ),
    );
    expect(job.result).toMatchObject({ rowsStored: 2, recordsCreated: 1, recordsChanged: 1 });
    expect(await shown('gale', 'name traits')).toEqual({
      name: 'Gale',
      traits: { seats: 3, trial: true, address: { city: 'Ulm' } },
    });
    expect(await shown('acme', CUSTOMER)).toEqual({ ...acme, name: 'Acme Corporation' });
  });
});

describe('contacts', () => {
  const ada = { externalId: 'p1', email: 'ada@acme.example', name: 'Ada', timeZone: 'Europe/Berlin', locale: 'de-DE' };
  const bob = { externalId: 'bob@acme.example', email: 'bob@acme.example', name: null, timeZone: null, locale: null };

  test('from CSV', async () => {
    const job = await importRecords(
      'CONTACTS',
      csv(
        'contact_id;account_id;e-mail;contact name;tz;language',
        'p1;acme;Ada@Acme.example;Ada;Europe/Berlin;de-DE',
        ';acme;bob@acme.example;;;',
        'p3;acme;not an address;;;',
        'p4;acme;eve@acme.example;;Europe/Atlantis;',
        'p5;newcomer;eve@newcomer.example;;;',
      ),
    );
    expect(job.result).toMatchObject({ rowsStored: 3, rowsRefused: 2, recordsCreated: 3, customersCreated: 1 });
    expect(refused(job)).toMatchInlineSnapshot(`
      [
        "4 e-mail "not an address": email must be an e-mail address such as ada@example.com.",
        "5 tz "Europe/Atlantis": timeZone must be an IANA time zone such as Europe/London.",
      ]
    `);
    expect(await shown('acme', CONTACTS)).toEqual({ contacts: nodes(ada, bob) });
    expect(await shown('newcomer', CONTACTS)).toMatchObject({ contacts: nodes({ externalId: 'p5' }) });
  });

  test('from NDJSON, with a mapping', async () => {
    const job = await importRecords(
      'CONTACTS',
      ndjson({ org: 'bolt', address: 'cy@bolt.example', who: 'Cy' }, { org: 'bolt', address: 7 }, { org: 'bolt' }),
      {
        mapping: [
          { field: 'customerExternalId', column: 'org' },
          { field: 'email', column: 'address' },
          { field: 'name', column: 'who' },
        ],
      },
    );
    expect(job.result).toMatchObject({ rowsStored: 1, rowsRefused: 2, recordsCreated: 1 });
    expect(refused(job)).toMatchInlineSnapshot(`
      [
        "2 address "7": email must be an e-mail address such as ada@example.com.",
        "3 address "{"org":"bolt"}": The object lacks a required key.",
      ]
    `);
    expect(await shown('bolt', CONTACTS)).toMatchObject({ contacts: nodes({ email: 'cy@bolt.example', name: 'Cy' }) });
  });
});

describe('subscriptions', () => {
  const s1 = {
    externalId: 's1',
    plan: 'pro',
    mrr: { amountMinor: 4_990, currency: 'USD' },
    startedAt: '2025-03-01T00:00:00.000Z',
    cancelledAt: null,
    cancelReason: null,
  };

  test('from CSV, amounts in major units of their currency', async () => {
    const job = await importRecords(
      'SUBSCRIPTIONS',
      csv(
        'subscription id,customer,plan name,Monthly Charges,currency,started,cancelled,reason',
        's1,acme,pro,49.90,,2025-03-01,,',
        's2,bolt,basic,1200,JPY,2025-01-01,2025-02-03,price',
        's3,acme,pro,49.905,,2025-03-01,,',
        's4,acme,pro,1.5,JPY,2025-03-01,,',
        's5,acme,pro,-1,,2025-03-01,,',
        's6,acme,,1,,2025-03-01,,',
        's7,acme,pro,1,,2025-13-01,,',
      ),
    );
    expect(job.result).toMatchObject({ rowsStored: 2, rowsRefused: 5, recordsCreated: 2 });
    expect(refused(job)).toMatchInlineSnapshot(`
      [
        "4 Monthly Charges "49.905": mrr must be an amount such as 49.90, with no more decimals than its currency has.",
        "5 Monthly Charges "1.5": mrr must be an amount such as 49.90, with no more decimals than its currency has.",
        "6 Monthly Charges "-1": mrr must not be negative.",
        "7 plan name "": plan: nothing is needed for a new subscription.",
        "8 started "2025-13-01": startedAt does not exist or is not written in the date format of the import.",
      ]
    `);
    expect(await shown('acme', SUBSCRIPTIONS)).toEqual({ subscriptions: nodes(s1) });
    expect(await shown('bolt', SUBSCRIPTIONS)).toMatchObject({
      subscriptions: nodes({
        externalId: 's2',
        mrr: { amountMinor: 1_200, currency: 'JPY' },
        cancelledAt: '2025-02-03T00:00:00.000Z',
        cancelReason: 'price',
      }),
    });
  });

  test('from NDJSON, changing what is known', async () => {
    const row = { id: 's1', customerId: 'acme', plan: 'pro', mrr: 59.9, startedAt: '2025-03-01' };
    const job = await importRecords('SUBSCRIPTIONS', ndjson(row));
    expect(job.result).toMatchObject({ rowsStored: 1, recordsCreated: 0, recordsChanged: 1 });
    expect(await shown('acme', SUBSCRIPTIONS)).toEqual({
      subscriptions: nodes({ ...s1, mrr: { amountMinor: 5_990, currency: 'USD' } }),
    });
    expect((await importRecords('SUBSCRIPTIONS', ndjson(row, row))).result).toMatchObject({
      rowsStored: 2,
      recordsCreated: 0,
      recordsChanged: 0,
    });
  });
});

test('invoices from CSV, with dates of the country and its zone', async () => {
  const job = await importRecords(
    'INVOICES',
    csv(
      'invoice no,customer no,total,invoice date,due date,payment date',
      'i1,acme,120.00,01/04/2026,15/04/2026,14/04/2026 09:30',
      'i2,acme,80,01/05/2026,15/05/2026,',
      'i3,acme,80,05/13/2026,15/05/2026,',
      'i4,acme,,01/05/2026,15/05/2026,',
      'i5,acme,80,01/05/2026,01/04/2026,',
    ),
    { dateFormat: 'DAY_MONTH_YEAR', timeZone: 'Europe/Berlin', currency: 'EUR' },
  );
  expect(refused(job)).toMatchInlineSnapshot(`
    [
      "4 invoice date "05/13/2026": issuedAt does not exist or is not written in the date format of the import.",
      "5 total "": amountMinor: nothing is needed for a new invoice.",
      "6 due date "01/04/2026": dueAt: "2026-03-31T22:00:00.000Z" lies before issuedAt.",
    ]
  `);
  expect(await shown('acme', INVOICES)).toEqual({
    invoices: nodes(
      {
        externalId: 'i2',
        amount: { amountMinor: 8_000, currency: 'EUR' },
        issuedAt: '2026-04-30T22:00:00.000Z',
        dueAt: '2026-05-14T22:00:00.000Z',
        paidAt: null,
      },
      {
        externalId: 'i1',
        amount: { amountMinor: 12_000, currency: 'EUR' },
        issuedAt: '2026-03-31T22:00:00.000Z',
        dueAt: '2026-04-14T22:00:00.000Z',
        paidAt: '2026-04-14T07:30:00.000Z',
      },
    ),
  });
});

test('tickets from CSV', async () => {
  const job = await importRecords(
    'TICKETS',
    csv(
      'ticket,customer,priority,opened,first response,solved,csat',
      't1,acme,high,2026-05-01T08:00:00Z,2026-05-01T09:00:00Z,2026-05-02T08:00:00Z,4',
      't2,acme,,2026-05-03T08:00:00Z,,,',
      't3,acme,urgently,2026-05-03T08:00:00Z,,,',
      't4,acme,low,2026-05-03T08:00:00Z,,,6',
      't5,acme,low,2026-05-03T08:00:00Z,,,good',
      't6,acme,low,2027-05-03T08:00:00Z,,,',
    ),
  );
  expect(refused(job)).toMatchInlineSnapshot(`
    [
      "4 priority "urgently": priority must be LOW, NORMAL, HIGH or URGENT.",
      "5 csat "6": satisfaction must be 1 to 5.",
      "6 csat "good": satisfaction must be 1 to 5.",
      "7 opened "2027-05-03T08:00:00Z": openedAt: "2027-05-03T08:00:00.000Z" lies in the future; it is 2026-06-01T12:00:00.000Z for this business.",
    ]
  `);
  expect(await shown('acme', TICKETS)).toEqual({
    tickets: nodes(
      {
        externalId: 't2',
        priority: 'NORMAL',
        openedAt: '2026-05-03T08:00:00.000Z',
        firstResponseAt: null,
        solvedAt: null,
        satisfaction: null,
      },
      {
        externalId: 't1',
        priority: 'HIGH',
        openedAt: '2026-05-01T08:00:00.000Z',
        firstResponseAt: '2026-05-01T09:00:00.000Z',
        solvedAt: '2026-05-02T08:00:00.000Z',
        satisfaction: 4,
      },
    ),
  });
});

describe('orders', () => {
  const placedAt = '2026-05-01T10:00:00.000Z';

  test('from CSV, a line a row', async () => {
    const job = await importRecords(
      'ORDERS',
      csv(
        'order no,line,sku,product name,qty,price,order date,customer',
        'o1,1,p1,Pen,2,3.50,2026-05-01 10:00:00,acme',
        'o1,2,p2,Ink,1,5.00,2026-05-01 10:00:00,acme',
        'o2,1,p1,Pen,none,3.50,2026-05-02 10:00:00,acme',
      ),
    );
    expect(job.result).toMatchObject({ ordersCreated: 1, rowsRefused: 1, rowsStored: 2 });
    expect(refused(job)).toMatchInlineSnapshot(`
      [
        "4 qty "none": The quantity is not a number with at most three decimals.",
      ]
    `);
    expect(await shown('acme', ORDERS)).toEqual({
      orders: nodes({
        externalId: 'o1',
        placedAt,
        amount: { amountMinor: 1_200, currency: 'USD' },
        returned: { amountMinor: 0 },
        returnedAt: null,
      }),
    });
  });

  test('from NDJSON, and another line later makes the order larger', async () => {
    const line = {
      orderId: 'o1',
      lineId: '3',
      product: 'p3',
      quantity: 1,
      unitPrice: 0.25,
      placedAt: '2026-05-01T10:00:00Z',
      customerId: 'acme',
    };
    const job = await importRecords('ORDERS', ndjson(line));
    expect(job.result).toMatchObject({ ordersCreated: 0, ordersChanged: 1, rowsStored: 1 });
    expect(await shown('acme', ORDERS)).toMatchObject({
      orders: nodes({ externalId: 'o1', placedAt, amount: { amountMinor: 1_225, currency: 'USD' } }),
    });
  });
});
