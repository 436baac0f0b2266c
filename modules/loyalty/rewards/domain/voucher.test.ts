import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newVoucherCode, readVoucherCode, showVoucherCode } from './voucher.ts';

/** Bytes that a seed decides. */
function bytesOf(seed: number) {
  let state = seed >>> 0;
  return (count: number) =>
    Uint8Array.from({ length: count }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
}

const code = fc.integer().map((seed) => newVoucherCode(bytesOf(seed)));
const ALPHABET = '23456789ABCDEFGHJKMNPQRTVWXYZ';
const letter = fc.constantFrom(...ALPHABET);

describe('a voucher code', () => {
  test('is the same for the same randomness', () => {
    expect(showVoucherCode(newVoucherCode(bytesOf(7)))).toMatchInlineSnapshot(`"5DEJ7-FKPZV-BWWP7-H79TK-C6J4N"`);
  });

  test('takes no byte that would favour a letter, and asks for more instead', () => {
    const asked: number[] = [];
    const biased = (count: number) => {
      asked.push(count);
      return new Uint8Array(count).fill(asked.length === 1 ? 232 : 28);
    };
    expect(newVoucherCode(biased).slice(0, 24)).toBe('Z'.repeat(24));
    expect(asked).toEqual([24, 24]);
  });

  test('has no letter that is read as another one', () => {
    fc.assert(fc.property(code, (made) => /^[2-9A-HJKMNP-RTV-Z]{25}$/.test(made)));
  });

  test('is read however it is typed', () => {
    fc.assert(
      fc.property(code, (made) => {
        const shown = showVoucherCode(made);
        expect(shown).toMatch(/^(\w{5}-){4}\w{5}$/);
        for (const typed of [made, shown, shown.toLowerCase(), ` ${shown.replaceAll('-', ' ')} `]) {
          expect(readVoucherCode(typed)).toBe(made);
        }
      }),
    );
  });

  test('with one wrong letter is mistyped', () => {
    fc.assert(
      fc.property(code, fc.nat(24), letter, (made, at, wrong) => {
        fc.pre(made[at] !== wrong);
        expect(readVoucherCode(made.slice(0, at) + wrong + made.slice(at + 1))).toBeNull();
      }),
    );
  });

  test('with two letters that changed places is mistyped', () => {
    fc.assert(
      fc.property(code, fc.nat(24), fc.nat(24), (made, a, b) => {
        fc.pre(made[a] !== made[b]);
        const letters = [...made];
        [letters[a], letters[b]] = [letters[b] as string, letters[a] as string];
        expect(readVoucherCode(letters.join(''))).toBeNull();
      }),
    );
  });

  test.each(['', 'ABCDE', 'O'.repeat(25), '2'.repeat(26), '💥'.repeat(25)])('is not %j', (typed) => {
    expect(readVoucherCode(typed)).toBeNull();
  });
});
