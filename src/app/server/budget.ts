import { BudgetExhausted } from './errors.ts';

/** What an operation cost and what is left, as every response says it. */
export interface CostReport {
  readonly asked: number;
  readonly spent: number;
  readonly left: number;
  readonly resetsAt: string;
}

/** Cost a key may spend each minute, in this process. */
export interface Budget {
  /** @throws BudgetExhausted when it does not suffice; nothing is spent then */
  take(keyId: string, cost: number): CostReport;
  /** What is left, without spending. */
  look(keyId: string): CostReport;
}

const windowMs = 60_000;

/** A budget by calendar minute: simple to explain, and one number per key. */
export function createBudget(costPerMinute: number, nowMs: () => number): Budget {
  let minute = -1;
  let resetsAt = '';
  let resetsAtMs = 0;
  const spent = new Map<string, number>();

  const roll = (): number => {
    const now = nowMs();
    const current = Math.floor(now / windowMs);
    if (current !== minute) {
      minute = current;
      resetsAtMs = (current + 1) * windowMs;
      resetsAt = new Date(resetsAtMs).toISOString();
      spent.clear();
    }
    return now;
  };

  const report = (asked: number, used: number): CostReport => ({
    asked,
    spent: used,
    left: costPerMinute - used,
    resetsAt,
  });

  return {
    take(keyId, cost) {
      const now = roll();
      const used = (spent.get(keyId) ?? 0) + cost;
      if (used > costPerMinute) {
        throw new BudgetExhausted(cost, costPerMinute - used + cost, Math.ceil((resetsAtMs - now) / 1000));
      }
      spent.set(keyId, used);
      return report(cost, used);
    },
    look(keyId) {
      roll();
      return report(0, spent.get(keyId) ?? 0);
    },
  };
}
