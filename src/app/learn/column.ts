/** What stands for "not known", beside nothing at all; compared in lower case. */
const MISSING = new Set(['', 'na', 'n/a', '#n/a', 'nan', '-nan', 'null', 'none', 'nil', '?']);
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITE = /^[+-]?inf(inity)?$/i;

/** A column of numbers; NaN is missing. */
export interface NumericColumn {
  readonly kind: 'numeric';
  readonly name: string;
  readonly values: Float64Array;
}

/** A column of texts: the place of each in `texts`, which stand in order; NaN is missing. */
export interface TextColumn {
  readonly kind: 'text';
  readonly name: string;
  readonly values: Float64Array;
  readonly texts: readonly string[];
}

export type Column = NumericColumn | TextColumn;

/** Reads a text as a number; null when it is none. */
function numberOf(text: string): number | null {
  if (NUMBER.test(text)) return Number(text);
  if (INFINITE.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return null;
}

/** The place of a text, the next free one when it is new. */
function placeIn(places: Map<string, number>, text: string): number {
  const place = places.get(text) ?? places.size;
  if (place === places.size) places.set(text, place);
  return place;
}

const ROWS_AT_FIRST = 1024;

/** Collects the texts of a column: as numbers while all of them are, as places of texts from the first that is not. */
export class ColumnBuilder {
  readonly name: string;
  #values = new Float64Array(ROWS_AT_FIRST);
  #rows = 0;
  #places: Map<string, number> | null = null;

  constructor(name: string) {
    this.name = name;
  }

  push(field: string): void {
    if (this.#rows === this.#values.length) {
      const grown = new Float64Array(2 * this.#values.length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#rows++] = this.#encode(field);
  }

  #encode(field: string): number {
    const text = field.trim();
    if (text.length < 5 && MISSING.has(text.toLowerCase())) return Number.NaN;
    if (this.#places !== null) return placeIn(this.#places, text);
    const number = numberOf(text);
    if (number !== null) return number;
    this.#places = this.#asTexts();
    return placeIn(this.#places, text);
  }

  /** What was read as numbers so far were texts that look like numbers. */
  #asTexts(): Map<string, number> {
    const places = new Map<string, number>();
    for (let row = 0; row < this.#rows - 1; row++) {
      const value = this.#values[row]!;
      if (!Number.isNaN(value)) this.#values[row] = placeIn(places, String(value));
    }
    return places;
  }

  build(): Column {
    const { name } = this;
    const values = this.#values.slice(0, this.#rows);
    if (this.#places === null) return { kind: 'numeric', name, values };
    // In the order of the texts, so that the order of rows does not matter.
    const texts = [...this.#places.keys()].sort();
    const places = new Map(texts.map((text, place) => [text, place]));
    const moved = Float64Array.from(this.#places.keys(), (text) => places.get(text)!);
    return { kind: 'text', name, texts, values: values.map((place) => (Number.isNaN(place) ? place : moved[place]!)) };
  }
}

/** The value of a row as it is shown to a person. */
export function shownValue(column: Column, row: number): string {
  const value = column.values[row]!;
  if (Number.isNaN(value)) return '';
  return column.kind === 'numeric' ? String(value) : (column.texts[value] ?? '');
}
