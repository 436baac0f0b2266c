/** Where the business's clock stands: the day after the last event of the file. */
export const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const MONTHS = 12;
const MONTH_MS = (365 / MONTHS) * DAY_MS;
const FEATURES = 24;
const ROWS_PER_CHUNK = 5_000;

/** A number from 0 to 1 that goes by what it is asked for and nothing else (the mixing step of SplitMix64's 32-bit kin). */
function dice(customer: number, use: number): number {
  let x = Math.imul(customer ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(use + 1, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}

/**
 * A year of a product as a file of events: every customer uses it more or less; four in ten stop at some time, and in the two months before come
 * half as often. `readable` is one line after another in the order of customers.
 */
export function* eventsCsv(customers: number): Generator<string> {
  yield 'id,name,at,customer_id,value,currency,properties\n';
  let lines: string[] = [];
  let id = 0;
  const line = (customer: number, name: string, atMs: number, rest: string) => {
    id += 1;
    lines.push(`e-${id},${name},${new Date(Math.floor(atMs)).toISOString()},c-${customer},${rest}\n`);
  };
  for (let customer = 0; customer < customers; customer += 1) {
    const joinedMs = NOW_MS - 365 * DAY_MS * (0.1 + 0.9 * dice(customer, 0));
    const leftMs = dice(customer, 1) < 0.4 ? joinedMs + (NOW_MS - joinedMs) * dice(customer, 2) : NOW_MS;
    const rate = 0.5 + 2.5 * dice(customer, 3);
    line(customer, 'session.started', joinedMs, ',,');
    let use = 10;
    for (let month = joinedMs; month < leftMs; month += MONTH_MS) {
      const fades = leftMs < NOW_MS && leftMs - month < 2 * MONTH_MS;
      const visits = Math.max(1, Math.round(rate * (fades ? 0.5 : 1)));
      for (let visit = 0; visit < visits; visit += 1) {
        const at = month + MONTH_MS * dice(customer, use++);
        if (at >= leftMs) continue;
        line(customer, 'session.started', at, ',,');
        line(
          customer,
          'feature.used',
          at + 60_000,
          `,,"{""feature"":""f-${Math.floor(FEATURES * dice(customer, use++))}""}"`,
        );
      }
      const bought = month + MONTH_MS * dice(customer, use++);
      if (dice(customer, use++) < 0.4 && bought < leftMs) {
        line(customer, 'order.placed', bought, `${(20 + 180 * dice(customer, use++)).toFixed(2)},EUR,`);
      }
    }
    if (lines.length >= ROWS_PER_CHUNK) {
      yield lines.join('');
      lines = [];
    }
  }
  yield lines.join('');
}
