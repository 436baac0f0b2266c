import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Database } from '../../../src/core/database/index.ts';
import { InvalidInput } from '../../../src/core/errors.ts';
import { enqueue } from '../../../src/core/jobs.ts';
import type { SettingDefinition, Settings } from '../../../src/core/settings/index.ts';
import { type NextTier, nextTierOf, type Tier, type TierKey } from '../domain/tiers.ts';
import { TIERS } from '../settings.ts';
import { type Programme, readProgramme } from './programme.ts';
import { standingsOf } from './queries-review.ts';
import { type EntryEarning, earningsOf, type TierAt, tiersAsOf } from './queries-trail.ts';
import { judgeAfter, pointsToKeep, type ReviewRun, reviewTiers, standingsWith } from './service-review.ts';
import { TIER_QUALIFICATION, type TierQualification } from './settings.ts';

/** Name of the job that reviews the tiers. */
export const REVIEW_TIERS_JOB = 'loyalty.reviewTiers';

/** Accounts that would move from one tier to another. */
export interface TierMoves {
  readonly from: TierKey;
  readonly to: TierKey;
  /** Whether at the next review, or only when the grace period is over. */
  readonly afterGrace: boolean;
  readonly accounts: number;
}

/** One of them. */
export interface TierMoveSample extends Omit<TierMoves, 'accounts'> {
  readonly customerId: string;
  /** Points that count. */
  readonly counting: number;
}

/** What a review would do, by whatever it was asked for. */
export interface TierPreview {
  readonly accounts: number;
  /** In the order of the tiers. */
  readonly moves: readonly TierMoves[];
  readonly sample: readonly TierMoveSample[];
}

/** How an account stands in the qualification. */
export interface TierStanding {
  /** Points that count now. */
  readonly counting: number;
  readonly next: NextTier | null;
  readonly pointsToKeep: number;
  readonly downgradeAt: Date | null;
}

/** What `changeTiers` is asked; what is left out stays as it is. */
export interface ChangeTiersInput {
  readonly tiers?: readonly Tier[] | null | undefined;
  readonly qualification?: TierQualification | null | undefined;
  readonly dryRun: boolean;
  /** Customers to name. */
  readonly sample: number;
}

/** What the programme does about tiers beside the ledger. */
export interface TierService {
  /** Says who would move under other tiers, and, unless it is a dry run, changes the settings and starts the review. */
  changeTiers(call: Call, input: ChangeTiersInput): Promise<TierPreview>;
  /** A part of the review, here and now. */
  reviewTiers(call: Call, from: string | null, limit: number, signal?: AbortSignal): Promise<ReviewRun>;
  /** How accounts stand, in order; null for those that are closed or were never there. */
  tierStandings(accountIds: readonly string[]): Promise<(TierStanding | null)[]>;
  /** Tiers at past instants, in order. */
  tiersAsOf(wanted: readonly TierAt[]): Promise<TierKey[]>;
  /** What campaigns had a part in, in order; null where none had. */
  entryEarnings(entryIds: readonly string[]): Promise<(EntryEarning | null)[]>;
  /** The tier above without a look at the database, while all that was ever earned counts; undefined otherwise. */
  nextTierNow(held: TierKey, earned: number): NextTier | null | undefined;
}

export interface TierFoundation {
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly settings: Settings;
  readonly clock: Clock;
}

/** Accounts per statement of a dry run. */
const PREVIEW_BATCH = 10_000;

export function createTierService(foundation: TierFoundation): TierService {
  const { database, settings } = foundation;
  return {
    async changeTiers(call, { tiers, qualification, dryRun, sample }) {
      const changes: [SettingDefinition, unknown][] = [];
      if (tiers !== null && tiers !== undefined) changes.push([TIERS, checked(TIERS, tiers, 'tiers')]);
      if (qualification !== null && qualification !== undefined)
        changes.push([TIER_QUALIFICATION, checked(TIER_QUALIFICATION, qualification, 'qualification')]);
      const programme = await readProgramme(settings);
      const ladder = {
        ...programme,
        tiers: tiers ?? programme.tiers,
        qualification: qualification ?? programme.qualification,
      };
      const preview = await previewTiers(foundation, ladder, sample);
      if (dryRun) return preview;
      await database.transaction(async (tx) => {
        for (const [definition, value] of changes) await settings.changeWithin(tx, call, definition.key, value);
        await enqueue(tx, REVIEW_TIERS_JOB, {}, { key: REVIEW_TIERS_JOB, queue: REVIEW_TIERS_JOB });
      });
      await settings.refresh();
      return preview;
    },
    async reviewTiers(call, from, limit, signal) {
      // Asked for by whoever changed the tiers, maybe in another process a moment ago.
      await settings.refresh();
      return reviewTiers(foundation, call, await readProgramme(settings), from, limit, signal);
    },
    async tierStandings(accountIds) {
      const programme = await readProgramme(settings);
      const { tiers, timeZone } = programme;
      const rows = await standingsOf(database, timeZone, accountIds);
      const standings = new Map(
        (await standingsWith(foundation, programme, rows)).map(({ account, sums }): [string, TierStanding] => {
          const counting = Math.max(sums[0] ?? 0, 0);
          const missing = pointsToKeep(tiers, account.tier, sums);
          const downgradeAt = missing === 0 ? null : account.downgradeAt;
          const next = nextTierOf(tiers, account.tier, counting);
          return [account.id, { counting, next, pointsToKeep: missing, downgradeAt }];
        }),
      );
      return accountIds.map((id) => standings.get(id) ?? null);
    },
    async tiersAsOf(wanted) {
      const [lowest] = await settings.get(TIERS);
      const known = await tiersAsOf(database, wanted);
      return known.map((tier) => tier ?? (lowest as Tier).key);
    },
    async entryEarnings(entryIds) {
      const known = await earningsOf(database, entryIds);
      return entryIds.map((id) => known.get(id) ?? null);
    },
    nextTierNow(held, earned) {
      const { window } = settings.peek(TIER_QUALIFICATION);
      return window.kind === 'LIFETIME' ? nextTierOf(settings.peek(TIERS), held, earned) : undefined;
    },
  };
}

function checked<T>(definition: SettingDefinition<T>, value: T, field: string): T {
  const parsed = definition.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = ['input', field, ...(issue?.path ?? []).map(String)];
  throw new InvalidInput(`${path.join('.')}: ${issue?.message ?? 'invalid'}.`, { path });
}

/** Goes through all accounts with the rule of the review, and does nothing of it. */
async function previewTiers(foundation: TierFoundation, ladder: Programme, sampleSize: number): Promise<TierPreview> {
  const counts = new Map<string, TierMoves>();
  const sample: TierMoveSample[] = [];
  let accounts = 0;
  let after: string | null = null;
  for (;;) {
    const judged = await judgeAfter(foundation, ladder, after, PREVIEW_BATCH);
    for (const { account, sums, finding } of judged) {
      if (finding.kind === 'KEEP' || finding.kind === 'RELIEVE') continue;
      const move = {
        from: account.tier,
        to: finding.to,
        afterGrace: finding.kind === 'WARN' || finding.kind === 'WAIT',
      };
      const key = `${move.from} ${move.to} ${move.afterGrace}`;
      counts.set(key, { ...move, accounts: (counts.get(key)?.accounts ?? 0) + 1 });
      if (sample.length < sampleSize) {
        sample.push({ ...move, customerId: account.customerId, counting: Math.max(sums[0] ?? 0, 0) });
      }
    }
    accounts += judged.length;
    after = judged.at(-1)?.account.id ?? null;
    if (judged.length < PREVIEW_BATCH) break;
  }
  const place = (key: TierKey) => ladder.tiers.findIndex((tier) => tier.key === key);
  const moves = [...counts.values()].sort(
    (a, b) => place(a.from) - place(b.from) || place(a.to) - place(b.to) || Number(a.afterGrace) - Number(b.afterGrace),
  );
  return { accounts, moves, sample };
}
