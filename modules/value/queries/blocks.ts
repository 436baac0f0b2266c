import type { Analytics } from '../../../src/core/analytics/types.ts';
import { FEATURES } from '../domain/catalogue.ts';

/** Features of some customers as a matrix, row after row, in the order of FEATURES; NaN where unknown. */
export interface FeatureBlock {
  readonly customerIds: readonly string[];
  readonly values: Float32Array;
}

/** A row's values as hexadecimal text of little-endian floats: a matrix of millions of values without a number parsed. */
export const PACKED = `arrayStringConcat(arrayMap(v -> hex(reinterpretAsFixedString(v)), array(${FEATURES.map(
  ({ column }) => `toFloat32(ifNull(${column}, nan))`,
).join(', ')})))`;

/** Customers read at once: as text it is about a megabyte, which is read in some 10 ms. */
const PAGE = 4_000;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/**
 * Features of all customers at a computation, in the order of their ids. Pages along the primary key rather than one stream: the embedded
 * engine begins a stream in the calling thread.
 */
export async function* featureBlocks(analytics: Analytics, snapshotId: string): AsyncGenerator<FeatureBlock> {
  for (let after = BEFORE_ALL; ; ) {
    const rows = await analytics.query<{ readonly id: string; readonly packed: string }>(
      `select customer_id as id, ${PACKED} as packed from customer_features
       where snapshot_id = {id:UUID} and customer_id > {after:UUID} order by customer_id limit ${PAGE}`,
      { id: snapshotId, after },
    );
    yield { customerIds: rows.map(({ id }) => id), values: unpacked(rows) };
    const last = rows.at(-1);
    if (rows.length < PAGE || last === undefined) return;
    after = last.id;
  }
}

/** Reads rows packed as `PACKED` says. */
export function unpacked(rows: readonly { readonly packed: string }[]): Float32Array {
  const bytes = Buffer.from(rows.map(({ packed }) => packed).join(''), 'hex');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
