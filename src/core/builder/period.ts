import type { InputRef, ObjectRef } from '@pothos/core';
import type { Builder, BuilderTypes } from './types.ts';

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

const shown = new WeakMap<Builder, ObjectRef<BuilderTypes, PeriodShape>>();

/** The output type `Period`. */
export function periodType(builder: Builder): ObjectRef<BuilderTypes, PeriodShape> {
  let ref = shown.get(builder);
  if (ref === undefined) {
    ref = builder.objectRef<PeriodShape>('Period').implement({
      description: 'Calendar days in the time zone of the business.',
      fields: (t) => ({
        from: t.expose('from', { type: 'LocalDate', description: 'The first day.' }),
        to: t.expose('to', { type: 'LocalDate', description: 'The day after the last.' }),
      }),
    });
    shown.set(builder, ref);
  }
  return ref;
}
