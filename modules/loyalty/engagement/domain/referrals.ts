/** Letters and digits that nobody takes for one another (Crockford's base 32, without U). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 50 random bits: at a thousand tries a second it takes 18,000 years to find the code of one among a million. */
const LENGTH = 10;
const HALF = LENGTH / 2;

/** How many random bytes a code is made of. */
export const CODE_BYTES = LENGTH;

/** A code such as `7QK2M-X4RBD`. @param bytes random, `CODE_BYTES` of them */
export function codeOf(bytes: Uint8Array): string {
  const letters = [...bytes.subarray(0, LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return `${letters.slice(0, HALF)}-${letters.slice(HALF)}`;
}

/** A code as somebody typed it, the way it is kept: O is 0, I and L are 1, case and blanks do not matter; null when it is none. */
export function readCode(text: string): string | null {
  const letters = text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  if (letters.length !== LENGTH || [...letters].some((letter) => !ALPHABET.includes(letter))) return null;
  return `${letters.slice(0, HALF)}-${letters.slice(HALF)}`;
}

/** Addresses of two customers, of which one is the other's: case does not matter. */
export function shareAddress(one: readonly string[], other: readonly string[]): boolean {
  const known = new Set(one.map((address) => address.trim().toLowerCase()));
  return other.some((address) => known.has(address.trim().toLowerCase()));
}
