import type { Principal } from '../access/principal.ts';
import type { Call } from '../call.ts';

/** What every resolver gets: who asks (`principal`) and the `call` to hand to services. One object per operation. */
export interface Context {
  readonly principal: Principal;
  readonly call: Call;
}

/**
 * A value that lives as long as one operation, made at first use: loaders, memos.
 *
 *     const rewardLoader = perOperation((context) => new DataLoader(...));
 *     resolve: (parent, _args, context) => rewardLoader(context).load(parent.rewardId)
 */
export function perOperation<T>(make: (context: Context) => T): (context: Context) => T {
  const values = new WeakMap<Context, T>();
  return (context) => {
    let value = values.get(context);
    if (value === undefined) {
      value = make(context);
      values.set(context, value);
    }
    return value;
  };
}
