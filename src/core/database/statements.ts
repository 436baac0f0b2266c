import { AsyncLocalStorage } from 'node:async_hooks';

/** How many statements one piece of work has sent. */
export interface StatementCount {
  statements: number;
}

const current = new AsyncLocalStorage<StatementCount>();

/** Runs `work` and counts the statements it sends through any `Database`, also in what it awaits. */
export function countingStatements<T>(count: StatementCount, work: () => T): T {
  return current.run(count, work);
}

/** Called by the database for each statement sent. */
export function noteStatement(): void {
  const count = current.getStore();
  if (count !== undefined) count.statements += 1;
}
