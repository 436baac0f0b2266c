/** How a condition compares. */
export const COMPARISONS = ['EQ', 'NE', 'GT', 'GTE', 'LT', 'LTE', 'IN', 'EXISTS'] as const;

export type Comparison = (typeof COMPARISONS)[number];

type Plain = string | number | boolean;

/** A condition on an event: on its `value`, or on `properties.name`. */
export interface EventCondition {
  readonly field: string;
  readonly is: Comparison;
  /** What it is compared with: a list for IN, nothing for EXISTS. */
  readonly to?: Plain | readonly Plain[] | null | undefined;
}

/** Which events of the stream a rule gives points for: those of a name that keep all conditions. */
export interface EarningTrigger {
  readonly event: string;
  readonly where: readonly EventCondition[];
}

/** An event of the stream, as far as rules look at it. */
export interface StreamEvent {
  readonly name: string;
  /** Decimal text. */
  readonly value: string | null;
  readonly properties: Readonly<Record<string, unknown>>;
}

const PROPERTY = 'properties.';

/** Whether a trigger answers to an event. What an event does not carry keeps no condition, NE included. */
export function isTriggered(trigger: EarningTrigger, event: StreamEvent): boolean {
  return trigger.event === event.name && trigger.where.every((condition) => holds(condition, event));
}

function holds({ field, is, to }: EventCondition, event: StreamEvent): boolean {
  const found = read(field, event);
  if (found === undefined || found === null) return false;
  switch (is) {
    case 'EXISTS':
      return true;
    case 'EQ':
      return found === to;
    case 'NE':
      return found !== to;
    case 'IN':
      return Array.isArray(to) && to.includes(found);
    default:
      return isOrdered(found, is, to);
  }
}

function read(field: string, event: StreamEvent): unknown {
  if (field === 'value') return event.value === null ? null : Number(event.value);
  const name = field.slice(PROPERTY.length);
  return Object.hasOwn(event.properties, name) ? event.properties[name] : undefined;
}

/** Numbers with numbers, texts with texts (so that ISO dates are in order); anything else is in no order. */
function isOrdered(found: unknown, is: Comparison, to: unknown): boolean {
  const comparable =
    (typeof found === 'number' && typeof to === 'number') || (typeof found === 'string' && typeof to === 'string');
  if (!comparable) return false;
  const [a, b] = [found as number, to as number];
  if (is === 'GT') return a > b;
  if (is === 'GTE') return a >= b;
  return is === 'LT' ? a < b : a <= b;
}
