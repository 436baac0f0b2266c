import { expect } from 'vitest';
import { decodeGlobalId } from '../../src/core/builder/index.ts';
import type { Followed, Follower } from './follower.ts';
import { ask, insist } from './line.ts';
import type { Acknowledged } from './load.ts';
import { ADMIN_KEY, type ServerProcess } from './server-process.ts';

type RecordType = 'EVENTS' | 'ORDERS' | 'INVOICES';
export const IMPORTED_TYPES: readonly RecordType[] = ['EVENTS', 'ORDERS', 'INVOICES'];

/** What an import must say it did, however often it was cut short. */
interface Counts {
  readonly rowsStored: number;
  readonly rowsRefused: number;
  readonly customersCreated: number;
  readonly ordersCreated: number;
  readonly ordersChanged: number;
  readonly recordsCreated: number;
  readonly recordsChanged: number;
}

interface File {
  readonly recordType: RecordType;
  readonly text: string;
  readonly counts: Counts;
  /** Events of the stream that the file itself names. */
  readonly events: number;
  /** Points that live orders earn, by external id of the customer. */
  readonly points: ReadonlyMap<string, number>;
}

/** An import on its way. */
export interface RunningImport {
  readonly id: string;
  readonly recordType: RecordType;
  readonly uuid: string;
  /** Events that the history engine must hold under this import. */
  readonly events: number;
  /** Resolves when it is done, and did what it must have done. */
  readonly done: Promise<void>;
}

const START = /* GraphQL */ `
  mutation Start($input: StartImportInput!) {
    startImport(input: $input) {
      ... on StartImportSuccess { job { id } }
      ... on DomainError { code message }
    }
  }
`;
const JOB = /* GraphQL */ `
  query Job($id: ID!) {
    importJob(id: $id) {
      state error { code message }
      result { rowsStored rowsRefused customersCreated ordersCreated ordersChanged recordsCreated recordsChanged }
    }
  }
`;

/** Uploads a file of so many rows, the `number`th of the storm, and starts its import. */
export async function startImport(options: {
  readonly server: Pick<ServerProcess, 'up'>;
  readonly follower: Follower;
  readonly acknowledged: Acknowledged;
  readonly recordType: RecordType;
  readonly number: number;
  readonly rows: number;
}): Promise<RunningImport> {
  const { server, follower, acknowledged, recordType, number, rows } = options;
  const file = FILES[recordType](`import-${number}`, rows);
  const uploadId = await insist(server, (url) => upload(url, file.text));
  const input = {
    uploadId,
    recordType,
    live: true,
    acceptQuality: true,
    source: `file-${number}`,
    idempotencyKey: `import-${number}`,
  };
  const id = await insist(server, async (url) => {
    const { startImport: answer } = await ask<{ startImport: { readonly job?: { readonly id: string } } }>(url, START, {
      input,
    });
    if (answer.job === undefined) throw new Error(JSON.stringify(answer));
    return answer.job.id;
  });
  const uuid = decodeGlobalId(id).id;
  const ends = (event: Followed): boolean => isProgressOf(event, uuid) && !RUNNING.has(event.payload.state);
  const finish = async () => {
    await follower.arrived(ends);
    const { importJob } = await insist(server, (url) => ask<{ importJob: object }>(url, JOB, { id }));
    expect(importJob, `${recordType} of import ${number}`).toEqual({
      state: 'DONE',
      error: null,
      result: file.counts,
    });
    for (const [customer, points] of file.points) {
      acknowledged.points.set(customer, (acknowledged.points.get(customer) ?? 0) + points);
    }
  };
  const done = finish();
  done.catch(() => {});
  return { id, recordType, uuid, events: file.events, done };
}

const RUNNING: ReadonlySet<unknown> = new Set(['QUEUED', 'RUNNING']);

export const isProgressOf = (event: Followed, uuid: string): boolean =>
  event.name === 'customers.importProgressed' && event.payload.importId === uuid;

async function upload(url: string, text: string): Promise<string> {
  const response = await fetch(`${url}/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: text,
  });
  const answer = (await response.json()) as { readonly uploadId?: string };
  if (answer.uploadId === undefined) throw new Error(JSON.stringify(answer));
  return answer.uploadId;
}

const AT = '2026-03-01T12:00:00Z';
const NOTHING: Omit<Counts, 'rowsStored' | 'rowsRefused' | 'customersCreated'> = {
  ordersCreated: 0,
  ordersChanged: 0,
  recordsCreated: 0,
  recordsChanged: 0,
};

const FILES: Readonly<Record<RecordType, (name: string, rows: number) => File>> = {
  EVENTS: eventsFile,
  ORDERS: ordersFile,
  INVOICES: invoicesFile,
};

/** Events; some of them unreadable, some twice, some of them telling of orders. */
function eventsFile(name: string, rows: number): File {
  const lines = ['id,name,at,customer,value,orderId,feature'];
  const customers = new Set<string>();
  let stored = 0;
  let orders = 0;
  const points = new Map<string, number>();
  for (let row = 0; row < rows; row += 1) {
    const customer = `${name}-${row % Math.ceil(rows / 4)}`;
    if (row % 97 === 96) {
      lines.push(`e${row},feature.used,2999-01-01T00:00:00Z,${customer},,,late`);
      continue;
    }
    if (row % 89 === 88) {
      lines.push(`e0,feature.used,${AT},${customer},,,twice`);
      continue;
    }
    customers.add(customer);
    stored += 1;
    if (row % 10 === 9) {
      orders += 1;
      points.set(customer, (points.get(customer) ?? 0) + 25);
      lines.push(`e${row},order.placed,${AT},${customer},25.00,${name}-order-${row},`);
    } else lines.push(`e${row},feature.used,${AT},${customer},,,f${row % 7}`);
  }
  const counts = { ...NOTHING, rowsStored: stored, rowsRefused: rows - stored, ordersCreated: orders };
  return {
    recordType: 'EVENTS',
    text: `${lines.join('\n')}\n`,
    counts: { ...counts, customersCreated: customers.size },
    events: stored - orders,
    points,
  };
}

/** Lines of orders, two to an order; some of them unreadable. */
function ordersFile(name: string, rows: number): File {
  const lines = ['orderId,lineId,product,quantity,unitPrice,placedAt,customer'];
  const orders = new Map<string, { readonly customer: string; amount: number }>();
  let stored = 0;
  for (let row = 0; row < rows; row += 1) {
    const number = row >> 1;
    const customer = `${name}-${number % Math.ceil(rows / 6)}`;
    const orderId = `${name}-order-${number}`;
    if (row % 101 === 100) {
      lines.push(`${orderId},${row},,1,30.00,${AT},${customer}`);
      continue;
    }
    stored += 1;
    const order = orders.get(orderId) ?? { customer, amount: 0 };
    orders.set(orderId, { customer, amount: order.amount + 30 * (1 + (row % 2)) });
    lines.push(`${orderId},${row},product-${row % 13},${1 + (row % 2)},30.00,${AT},${customer}`);
  }
  const points = new Map<string, number>();
  for (const { customer, amount } of orders.values()) points.set(customer, (points.get(customer) ?? 0) + amount);
  return {
    recordType: 'ORDERS',
    text: `${lines.join('\n')}\n`,
    counts: {
      ...NOTHING,
      rowsStored: stored,
      rowsRefused: rows - stored,
      customersCreated: points.size,
      ordersCreated: orders.size,
    },
    events: 0,
    points,
  };
}

/** Invoices; some of them unreadable. */
function invoicesFile(name: string, rows: number): File {
  const lines = ['externalId,customer,amount,currency,issuedAt,dueAt'];
  const customers = new Set<string>();
  let stored = 0;
  for (let row = 0; row < rows; row += 1) {
    const customer = `${name}-${row % Math.ceil(rows / 5)}`;
    const isReadable = row % 103 !== 102;
    if (isReadable) {
      stored += 1;
      customers.add(customer);
    }
    lines.push(`${name}-${row},${customer},${isReadable ? '99.50' : 'much'},USD,2026-03-01,2026-03-15`);
  }
  return {
    recordType: 'INVOICES',
    text: `${lines.join('\n')}\n`,
    counts: {
      ...NOTHING,
      rowsStored: stored,
      rowsRefused: rows - stored,
      customersCreated: customers.size,
      recordsCreated: stored,
    },
    events: 0,
    points: new Map(),
  };
}
