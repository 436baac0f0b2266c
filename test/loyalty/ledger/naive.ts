/** Everything that is compared. */
export interface Standing {
  readonly balance: number;
  readonly held: number;
  readonly pending: number;
  readonly debt: number;
  readonly earned: number;
  readonly tier: string;
  /** What is left of each lot, the oldest first. */
  readonly lots: readonly number[];
}

/** Points last a calendar month, to the end of the day in UTC. */
export const MONTHS = 1;

/** The naive ledger: lists that are walked from the beginning each time, written without a look at the real one. */
export interface NaiveLot {
  readonly earned: number;
  readonly gone: number;
  left: number;
  lapsed: number;
}

export interface NaiveEntry {
  readonly id: string;
  readonly who: number;
  /** What can become of it: nothing, to be taken back, to be given back, or to be settled. */
  state: 'none' | 'came' | 'went' | 'promised' | 'held' | 'done';
  readonly points: number;
  readonly qualifying: number;
  readonly lot: NaiveLot | null;
  readonly took: readonly { readonly lot: NaiveLot; readonly points: number }[];
  readonly until: number;
}

export interface NaiveAccount {
  lots: NaiveLot[];
  held: number;
  pending: number;
  debt: number;
  earned: number;
}

export interface Model {
  nowMs: number;
  readonly accounts: NaiveAccount[];
  readonly entries: NaiveEntry[];
  readonly keys: Map<string, { readonly asked: string; readonly entryId: string }>;
  readonly logins: Set<string>;
  /** Steps taken, by what they were. */
  readonly taken: Map<string, number>;
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
export const tierOf = (earned: number): string =>
  earned >= 5_000 ? 'PLATINUM' : earned >= 2_500 ? 'GOLD' : earned >= 1_000 ? 'SILVER' : 'BRONZE';

/** Midnight behind the day that lies so many months later, or behind the last day of a shorter month. */
function goneAfter(earnedMs: number): number {
  const at = new Date(earnedMs);
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth() + MONTHS, at.getUTCDate()];
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(day, last) + 1);
}

const oldestFirst = (lots: readonly NaiveLot[]): NaiveLot[] => [...lots].sort((a, b) => a.earned - b.earned);
export const spendable = (account: NaiveAccount): number => sum(account.lots.map((lot) => lot.left));

export function lapse(model: Model, lots: readonly NaiveLot[]): void {
  for (const lot of lots) {
    if (lot.gone > model.nowMs) continue;
    lot.lapsed += lot.left;
    lot.left = 0;
  }
}

/** Points come: a debt is paid, the rest is a lot. */
export function come(account: NaiveAccount, points: number, earned: number): NaiveLot {
  const paid = Math.min(account.debt, points);
  account.debt -= paid;
  const lot = { earned, gone: goneAfter(earned), left: points - paid, lapsed: 0 };
  account.lots.push(lot);
  return lot;
}

export function takeFrom(account: NaiveAccount, points: number, own: NaiveLot | null = null) {
  const took: { lot: NaiveLot; points: number }[] = [];
  let missing = points;
  const order = own === null ? oldestFirst(account.lots) : [own, ...oldestFirst(account.lots)];
  for (const lot of order) {
    const taken = Math.min(lot.left, missing);
    lot.left -= taken;
    missing -= taken;
    if (taken > 0) took.push({ lot, points: taken });
  }
  return took;
}

/** Points taken come back: the oldest of them pay a debt, the rest goes where it was, and lapses when that is over. */
export function comeBack(model: Model, account: NaiveAccount, took: NaiveEntry['took']): void {
  for (const { lot, points } of [...took].sort((a, b) => a.lot.earned - b.lot.earned)) {
    const paid = Math.min(account.debt, points);
    account.debt -= paid;
    lot.left += points - paid;
  }
  // All of a lot that gets something back, but of no other.
  lapse(
    model,
    took.map(({ lot }) => lot),
  );
}

export function standingOf(account: NaiveAccount): Standing {
  const lots = oldestFirst(account.lots).map((lot) => lot.left);
  return {
    balance: sum(lots) + account.held,
    held: account.held,
    pending: account.pending,
    debt: account.debt,
    earned: account.earned,
    tier: tierOf(account.earned),
    lots: lots.filter((left) => left > 0),
  };
}

export const none = { lot: null, took: [], until: 0, qualifying: 0 };

/** What becomes of an entry that waited, and what the one that settles it is. */
export function end(
  model: Model,
  account: NaiveAccount,
  entry: NaiveEntry,
  kind: 'confirm' | 'void',
): Omit<NaiveEntry, 'id'> {
  const { who, points } = entry;
  const promised = entry.state === 'promised';
  entry.state = 'done';
  if (promised) account.pending -= points;
  else account.held -= points;
  if (kind === 'void') {
    if (!promised) comeBack(model, account, entry.took);
    return { ...none, who, state: 'none', points: 0 };
  }
  if (!promised) return { ...none, who, state: 'went', points, took: entry.took };
  const lot = come(account, points, model.nowMs);
  account.earned += points;
  return { ...none, who, state: 'came', points, qualifying: points, lot };
}
