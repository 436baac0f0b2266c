import type { Posted } from '../../../modules/loyalty/ledger/commands.ts';
import { systemCall } from '../../../src/core/call.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { openLoyalty, START } from '../world.ts';

/**
 * A process that moves points of customers with keys of a small set, several clients at once, and prints each key with
 * the entry that was acknowledged. `node awarding-process.ts URL WORK CLIENTS REQUESTS KEYS CUSTOMER...`; WORK is
 * `award` or `mixed`. It ends when all requests are made.
 */
const [url, work, clients, requests, keys, ...customers] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  ...string[],
];
const world = await openLoyalty(url);
const { service } = world;
const call = systemCall('race');
let left = Number(requests);

/** Long enough ago that its points have lapsed. */
const LONG_AGO = new Date(START.getTime() - 400 * 86_400_000);
const TOMORROW = new Date(START.getTime() + 86_400_000);

/** What is refused for a lack of points is no matter: somebody else spent them. */
async function acknowledged(key: string, asked: Promise<Posted>): Promise<string | undefined> {
  try {
    const { entry } = await asked;
    process.stdout.write(`${key} ${entry.id}\n`);
    return entry.id;
  } catch (error) {
    if (error instanceof DomainError && error.code === 'LOYALTY_INSUFFICIENT_POINTS') return undefined;
    throw error;
  }
}

/** One key always means the same, so that no call is a conflict. */
async function request(number: number): Promise<void> {
  const customerId = customers[number % customers.length] as string;
  const idempotencyKey = `race-${number}`;
  const input = { idempotencyKey, customerId };
  const kind = work === 'award' ? 0 : Math.floor(number / customers.length) % 8;
  const told = (asked: Promise<Posted>) => acknowledged(`${number}`, asked);
  if (kind < 3) {
    await told(service.awardPoints(call, { ...input, points: 3 }));
    return;
  }
  if (kind === 3) {
    await told(service.awardPoints(call, { ...input, points: 3, effectiveAt: LONG_AGO }));
    await service.expireLots(call);
    return;
  }
  if (kind === 4) {
    await told(service.redeemPoints(call, { ...input, points: 4 }));
    return;
  }
  const entryId = await told(
    kind === 5
      ? service.holdPoints(call, { ...input, points: 2, expiresAt: TOMORROW })
      : service.awardPoints(call, { ...input, points: 5, pendingUntil: kind === 6 ? TOMORROW : null }),
  );
  if (entryId === undefined) return;
  const then = { idempotencyKey: `${idempotencyKey}-then`, entryId };
  const settled =
    kind === 7
      ? service.reversePoints(call, then)
      : number % 2 === 0
        ? service.confirmPoints(call, then)
        : service.voidPoints(call, then);
  await acknowledged(`${number}-then`, settled);
}

async function client(): Promise<void> {
  while (left > 0) {
    left -= 1;
    await request(left % Number(keys));
  }
}

process.stdout.write('ready\n');
await Promise.all(Array.from({ length: Number(clients) }, client));
await world.close();
