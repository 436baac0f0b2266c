/**
 * Voucher codes: 24 letters of chance and a check character, shown in five groups of five, e.g.
 * `7KQ2M-XH4RT-...`. An alphabet of 29 leaves out what is read as something else (0 O, 1 I L, 5 S, U V) and gives
 * 24 × log2 29 = 116 bits, so that codes cannot be guessed, not even with a billion valid ones about.
 *
 * The check character makes the sum of position × value divisible by 29 (the scheme of ISBN-10). As 29 is prime and no
 * position is a multiple of it, any one wrong letter and any two that changed places are noticed: a slip of the finger is
 * told from a code that was never given.
 */
const ALPHABET = '23456789ABCDEFGHJKMNPQRTVWXYZ';
const RANDOM_LETTERS = 24;
const GROUP = 5;
/** Bytes from here on would favour the first letters, and are thrown away. */
const FAIR_BYTES = Math.floor(256 / ALPHABET.length) * ALPHABET.length;

/** Gives random bytes, as many as asked for. */
export type RandomBytes = (count: number) => Uint8Array;

/** A new code, as it is kept: 25 letters without separators. @param random must come from a cryptographic source */
export function newVoucherCode(random: RandomBytes): string {
  const values: number[] = [];
  while (values.length < RANDOM_LETTERS) {
    for (const byte of random(RANDOM_LETTERS - values.length)) {
      if (byte < FAIR_BYTES) values.push(byte % ALPHABET.length);
    }
  }
  return [...values, checkOf(values)].map((value) => ALPHABET[value]).join('');
}

/** A code as people see it. */
export function showVoucherCode(code: string): string {
  return (code.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []).join('-');
}

/** A code as it is kept, from what somebody typed; null when it is mistyped. Case, blanks and hyphens do not matter. */
export function readVoucherCode(typed: string): string | null {
  const code = typed.replace(/[\s-]/g, '').toUpperCase();
  if (code.length !== RANDOM_LETTERS + 1) return null;
  const values = [...code].map((letter) => ALPHABET.indexOf(letter));
  if (values.includes(-1)) return null;
  return checkOf(values.slice(0, RANDOM_LETTERS)) === values[RANDOM_LETTERS] ? code : null;
}

/** The value at the last position with which the weighted sum is divisible. */
function checkOf(values: readonly number[]): number {
  const { length } = ALPHABET;
  const sum = values.reduce((total, value, index) => total + (index + 1) * value, 0) % length;
  const weight = RANDOM_LETTERS + 1;
  for (let check = 0; check < length; check += 1) if ((sum + weight * check) % length === 0) return check;
  throw new Error('the length of the alphabet is not prime');
}
