import type { InputRef } from '@pothos/core';
import type { Builder } from './types.ts';

/** Days from one to another, half-open, in the time zone of the business. */
export interface PeriodShape {
  readonly from: string;
  readonly to: string;
}

const refs = new WeakMap<Builder, InputRef<PeriodShape>>();

/** The input type `PeriodInput`, which any module may take as an argument. */
export function periodInput(builder: Builder): InputRef<PeriodShape> {
  let ref = refs.get(builder);
  if (ref === undefined) {
    ref = builder.inputType('PeriodInput', {
      description:
        'Calendar days from one to another in the time zone of the business; `to` is the day after the last.',
      fields: (t) => ({
        from: t.field({ type: 'LocalDate', required: true, description: 'The first day.' }),
        to: t.field({ type: 'LocalDate', required: true, description: 'The day after the last.' }),
      }),
    });
    refs.set(builder, ref);
  }
  return ref;
}
