import {
  type Builder,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  pageOf,
} from '../../../../src/core/builder/index.ts';
import type { EngagementService } from '../service.ts';
import type { MemberTypes } from './account.ts';

interface Entry {
  readonly customerId: string;
  readonly rank: number;
  /** How many stand before. */
  readonly place: number;
  readonly displayName: string;
  readonly points: number;
}

/** `Query.leaderboard`: those who asked to be on it, by points earned. A cursor carries the rank, so no page counts. */
export function leaderboardSchema(builder: Builder, service: EngagementService, { Period }: MemberTypes): void {
  const Row = builder.objectRef<Entry>('LeaderboardEntry').implement({
    description: 'A place of the leaderboard.',
    fields: (t) => ({
      rank: t.exposeInt('rank', { description: 'From 1; equal points share a rank.' }),
      displayName: t.exposeString('displayName', { description: 'The name the member chose.' }),
      points: t.expose('points', { type: 'SafeInt', description: 'Points earned in the period.' }),
    }),
  });
  builder.queryField('leaderboard', (t) =>
    t.field({
      type: connectionType(builder, { name: 'LeaderboardEntry', node: Row }),
      description: 'Members who asked to be shown (joinLeaderboard), by points earned in a period, best first.',
      authScopes: { scope: 'loyalty:read' },
      args: {
        ...connectionArgs(t.arg),
        period: t.arg({ type: Period, required: true, defaultValue: 'MONTH', description: 'Of which points.' }),
        at: t.arg({ type: 'DateTime', description: 'An instant in the week or month meant; now when left out.' }),
      },
      resolve: async (_root, { first, after, period, at }) => {
        const limit = checkFirst(first) + 1;
        const key = typeof after === 'string' ? decodeCursor(after, KEY_LENGTH) : null;
        const [points, rank, place, customerId] = key ?? [null, 0, 0, ''];
        const behind = key === null ? null : { points: Number(points), customerId: String(customerId) };
        const rows = await service.leaderboard(period, service.leaderboardStart(period, at ?? null), behind, limit);
        let last = { points: behind?.points ?? null, rank: Number(rank), place: Number(place) };
        const entries = rows.map((row): Entry => {
          const shared = row.points === last.points;
          last = { points: row.points, rank: shared ? last.rank : last.place + 1, place: last.place + 1 };
          return { ...row, rank: last.rank, place: last.place };
        });
        const cursorOf = (entry: Entry) => [entry.points, entry.rank, entry.place, entry.customerId];
        return pageOf(entries, { first, after, cursorOf });
      },
    }),
  );
}

/** Points, rank, place, and the id last. */
const KEY_LENGTH = 4;
