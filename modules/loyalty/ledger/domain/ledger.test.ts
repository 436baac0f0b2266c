import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_TIERS } from '../../defaults.ts';
import { tierOf } from '../../domain/tiers.ts';
import { type AccountState, BALANCE_MAX, post } from './ledger.ts';

const NOW = new Date('2026-11-22T12:00:00Z');
const nothing = { pending: 0, held: 0, debt: 0 };
const empty: AccountState = { ...nothing, balance: 0, earned: 0, tier: 'BRONZE', entryCount: 0, lastEntryAt: null };

describe('the ledger', () => {
  const movement = fc
    .integer({ min: -3_000, max: 3_000 })
    .map((points) => ({ ...nothing, points, qualifying: Math.max(points, 0) }));

  test('adds up: balance, earned, tier and numbers follow from what was posted', () => {
    fc.assert(
      fc.property(fc.array(movement, { maxLength: 60 }), (movements) => {
        let account = empty;
        let balance = 0;
        let earned = 0;
        let posted = 0;
        for (const one of movements) {
          const posting = post(account, one, DEFAULT_TIERS, NOW);
          if (balance + one.points < 0) {
            expect(posting).toEqual({ kind: 'insufficientPoints', available: balance });
            continue;
          }
          if ('kind' in posting) throw new Error(posting.kind);
          balance += one.points;
          earned += one.qualifying;
          posted += 1;
          expect(posting).toMatchObject({ number: posted, balanceAfter: balance });
          expect(posting.tierChange?.from ?? account.tier).toBe(account.tier);
          account = posting.after;
          expect(account).toMatchObject({
            balance,
            earned,
            entryCount: posted,
            tier: tierOf(DEFAULT_TIERS, earned).key,
          });
        }
      }),
    );
  });

  test('never runs backwards in recorded time, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 20 }), (clock) => {
        let account = empty;
        for (const ms of clock) {
          const posting = post(account, { ...nothing, points: 1, qualifying: 1 }, DEFAULT_TIERS, new Date(ms));
          if ('kind' in posting) throw new Error(posting.kind);
          expect(posting.recordedAt.getTime()).toBe(Math.max(ms, account.lastEntryAt?.getTime() ?? 0));
          account = posting.after;
        }
      }),
    );
  });

  test('holds no more than can be shown exactly', () => {
    const full = { ...empty, balance: BALANCE_MAX };
    expect(post(full, { ...nothing, points: 1, qualifying: 0 }, DEFAULT_TIERS, NOW)).toEqual({
      kind: 'balanceTooHigh',
    });
  });
});
