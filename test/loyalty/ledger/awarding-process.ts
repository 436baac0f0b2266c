import { systemCall } from '../../../src/core/call.ts';
import { openLoyalty } from '../world.ts';

/**
 * A process that awards to customers with keys of a small set, several clients at once, and prints each key whose award
 * was acknowledged. `node awarding-process.ts URL CLIENTS AWARDS KEYS CUSTOMER...`; it ends when all awards are made.
 */
const [url, clients, awards, keys, ...customers] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  ...string[],
];
const world = await openLoyalty(url);
const call = systemCall('race');
let left = Number(awards);

async function client(): Promise<void> {
  while (left > 0) {
    left -= 1;
    const key = left % Number(keys);
    // One key always means one customer, so that no call is a conflict.
    const customerId = customers[key % customers.length] as string;
    const posted = await world.service.awardPoints(call, { idempotencyKey: `race-${key}`, customerId, points: 3 });
    process.stdout.write(`${key} ${posted.entry.id}\n`);
  }
}

process.stdout.write('ready\n');
await Promise.all(Array.from({ length: Number(clients) }, client));
await world.close();
