import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EXPIRY_RULES, type RedemptionStanding, type RedemptionStep, step } from './redemption.ts';

const HOUR_MS = 3_600_000;
const at = (hours: number) => new Date(hours * HOUR_MS);

const anyStep: fc.Arbitrary<RedemptionStep> = fc.oneof(
  fc.constant({ kind: 'fulfil' as const }),
  fc.constant({ kind: 'cancel' as const }),
  fc.record({ kind: fc.constant('expire' as const), points: fc.constantFrom(...EXPIRY_RULES) }),
);

test('whatever is tried and when: it leaves OPEN at most once, points and stock go one way, and time decides', () => {
  const tries = fc.array(fc.tuple(anyStep, fc.nat(3)), { maxLength: 30 });
  fc.assert(
    fc.property(fc.option(fc.nat(40)), tries, (lifetimeHours, steps) => {
      let standing: RedemptionStanding = {
        state: 'OPEN',
        expiresAt: lifetimeHours === null ? null : at(lifetimeHours),
      };
      let points = 0;
      let stock = 0;
      let left = 0;
      let hour = 0;
      for (const [taken, hours] of steps) {
        hour += hours;
        const isOver = lifetimeHours !== null && hour >= lifetimeHours;
        const outcome = step(standing, taken, at(hour));
        if ('kind' in outcome) {
          if (outcome.kind === 'notOpen') expect(outcome.state).toBe(standing.state);
          else {
            expect(standing.state).toBe('OPEN');
            expect(outcome.kind).toBe(isOver ? 'timeIsOver' : 'timeIsNotOver');
            expect(taken.kind === 'expire').toBe(!isOver);
          }
          continue;
        }
        left += 1;
        expect(standing.state).toBe('OPEN');
        expect(outcome.state === 'EXPIRED').toBe(isOver);
        // Who gets the goods pays for them; who does not gets the points back, unless the rule says otherwise.
        points += outcome.points === 'TAKEN' ? 1 : 0;
        stock += outcome.stockReturns ? 1 : 0;
        expect(outcome.stockReturns).toBe(outcome.state !== 'FULFILLED');
        if (outcome.state !== 'EXPIRED') expect(outcome.points === 'TAKEN').toBe(outcome.state === 'FULFILLED');
        if (taken.kind === 'expire') expect(outcome.points === 'TAKEN').toBe(taken.points === 'FORFEIT');
        standing = { ...standing, state: outcome.state };
      }
      expect(left).toBeLessThanOrEqual(1);
      expect(points).toBeLessThanOrEqual(1);
      expect(stock).toBeLessThanOrEqual(1);
    }),
    { numRuns: 500 },
  );
});
