import { systemCall } from '../../../src/core/call.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { openRewards } from './world.ts';

/**
 * A process in which several clients redeem a reward for customers and settle what they got, each by keys that other
 * processes use too. It prints `step key redemption` for each answer it was given, and `step key CODE` for each refusal.
 * `node redeeming-process.ts URL CLIENTS ATTEMPTS REWARD CUSTOMER...`; it ends when all attempts are made.
 */
const [url, clients, attempts, rewardId, ...customers] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  ...string[],
];
const world = await openRewards(url);
const call = systemCall('race');
let next = 0;

const say = (stepName: string, key: string, what: string) => process.stdout.write(`${stepName} ${key} ${what}\n`);

async function attempt(number: number): Promise<void> {
  const key = `race-${rewardId}-${number}`;
  const customerId = customers[number % customers.length] as string;
  try {
    const { redemption } = await world.rewards.redeemReward(call, { idempotencyKey: key, customerId, rewardId });
    say('redeem', key, redemption.id);
    // Every third one stays open.
    if (number % 3 === 0) return;
    const step = number % 3 === 1 ? 'fulfil' : 'cancel';
    const close = { idempotencyKey: `${key}-${step}`, redemptionId: redemption.id };
    await world.rewards[`${step}Redemption`](call, close);
    say(step, close.idempotencyKey, redemption.id);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    say('refused', key, error.code);
  }
}

async function client(): Promise<void> {
  while (next < Number(attempts)) {
    const number = next;
    next += 1;
    await attempt(number);
  }
}

await Promise.all(Array.from({ length: Number(clients) }, client));
await world.close();
