import type { Queryable, Tx } from '../../src/core/database/index.ts';
import type { TreeValueOutcome } from './domain/tree-value.ts';

/** What was learnt from that input; null when it was another one. */
export async function findLearnt(database: Queryable, inputHash: string): Promise<TreeValueOutcome | null> {
  const [found] = await database.query<{ outcome: TreeValueOutcome }>(
    'select outcome from value_trees where input_hash = $1',
    [inputHash],
  );
  return found?.outcome ?? null;
}

/** Keeps it in the place of what was learnt before. */
export async function keepLearnt(tx: Tx, inputHash: string, learntAt: Date, outcome: TreeValueOutcome): Promise<void> {
  await tx.query('delete from value_trees where input_hash <> $1', [inputHash]);
  await tx.query(
    `insert into value_trees (input_hash, learnt_at, outcome) values ($1, $2, $3::jsonb)
     on conflict (input_hash) do update set learnt_at = excluded.learnt_at, outcome = excluded.outcome`,
    [inputHash, learntAt, JSON.stringify(outcome)],
  );
}
