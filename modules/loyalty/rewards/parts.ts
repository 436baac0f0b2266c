import { defineListPart } from '../../../src/core/graph/index.ts';
import type { PointsState, RedemptionState } from './domain/redemption.ts';
import { REDEMPTION } from './queries.ts';

/** A redemption as the graph shows it; times are texts when they come out of JSON built in SQL. */
export interface RedemptionShape {
  readonly id: string;
  readonly customerId: string;
  readonly rewardId: string;
  readonly quantity: number;
  readonly points: number;
  readonly state: RedemptionState;
  readonly pointsState: PointsState;
  readonly voucherCode: string | null;
  readonly entryId: string;
  readonly redeemedAt: Date | string;
  readonly expiresAt: Date | string | null;
  readonly closedAt: Date | string | null;
  readonly reason: string | null;
}

/** The newest redemptions of the account it stands in: a backward index scan, n = page size. */
export const redemptionsPart = defineListPart<RedemptionShape>({
  name: 'redemptions',
  keyLength: 1,
  cursorOf: (redemption) => [redemption.id],
  select: (_customer, { limit, after }, _args, bind) => `
    select ${REDEMPTION} from loyalty_redemption x
    where x.customer_id = la.customer_id${after === null ? '' : ` and x.id < ${bind(after[0])}::uuid`}
    order by x.id desc limit ${limit}`,
});
