import type { EngagementPorts } from './ports.ts';
import { lockEngagement, rebase } from './queries.ts';
import { countersBehind } from './queries-lifecycle.ts';
import { historyOf } from './service-milestones.ts';

/** Counters per transaction. */
const BATCH = 500;

/**
 * Reckons anew what history says of the time before live counting began: an import may have brought more of it. Nothing
 * is rewarded for it; a milestone that lies behind a customer by this is not reached any more. Bounded batches, and it
 * may be stopped and begun again at any point.
 */
export async function recountHistory(ports: EngagementPorts, signal: AbortSignal): Promise<void> {
  let after: { customerId: string; counter: string } | null = null;
  for (;;) {
    signal.throwIfAborted();
    const rows: Awaited<ReturnType<typeof countersBehind>> = await countersBehind(ports.database, after, BATCH);
    const last = rows.at(-1);
    if (last === undefined) return;
    for (const counter of new Set(rows.map((row) => row.counter))) {
      const those = rows.filter((row) => row.counter === counter);
      const bases = await historyOf(ports, counter, new Map(those.map((row) => [row.customerId, row.liveSince])));
      await ports.database.transaction(async (tx) => {
        await lockEngagement(tx);
        await rebase(
          tx,
          those.map(({ customerId, liveSince }) => ({ customerId, liveSince, base: bases.get(customerId) ?? 0 })),
          counter,
        );
      });
    }
    after = last;
  }
}
