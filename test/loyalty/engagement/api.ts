import { newId } from '../../../src/core/ids.ts';
import type { TestAppOptions } from '../../support/app.ts';
import { type LoyaltyApp, startLoyaltyApp } from '../api.ts';

export interface Milestone {
  readonly milestone: { readonly key: string };
  readonly value: number;
  readonly reached: boolean;
  readonly reachedAt: string | null;
  readonly points: number;
}

/** What the account of a member shows of engagement. */
export interface Member {
  readonly balance: { readonly available: number };
  readonly badges: { readonly edges: readonly { readonly node: { readonly badge: { readonly key: string } } }[] };
  readonly milestones: readonly Milestone[];
  readonly streaks: readonly object[];
  readonly challenges: readonly { readonly progress: number; readonly completedAt: string | null; points: number }[];
  readonly leaderboard: object | null;
  readonly referring: { readonly code: string | null; readonly waiting: number; readonly successful: number };
  readonly referrals: { readonly edges: readonly { readonly node: object }[] };
}

const MEMBER = `query ($externalId: String!) {
  customer(externalId: $externalId) {
    loyalty {
      balance { available }
      badges { edges { node { badge { key name } source sourceKey } } }
      milestones { milestone { key } value reached reachedAt points }
      streaks { streak { key } current longest endsAt }
      challenges { challenge { key } progress joinedAt completedAt points }
      leaderboard(period: WEEK) { displayName points rank }
      referring { code waiting successful }
      referrals { edges { node { state referrerPoints referredPoints referred { externalId } } } }
    }
  }
}`;

/** An application of loyalty, and the words of engagement. */
export async function startEngagementApp(options: TestAppOptions = {}) {
  const world = await startLoyaltyApp(options);
  const { app } = world;
  const mutate = async (name: string, input: object, fields: string): Promise<Record<string, unknown>> => {
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}`;
    const answer = await app.query<Record<string, Record<string, unknown>>>(
      `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${fields} } ... on DomainError { code path } } }`,
      { input },
    );
    return answer[name] as Record<string, unknown>;
  };
  const memberOf = async (externalId: string): Promise<Member> => {
    const { customer } = await app.query<{ customer: { loyalty: Member | null } }>(MEMBER, { externalId });
    if (customer.loyalty === null) throw new Error(`${externalId} is no member`);
    return customer.loyalty;
  };
  const badgesOf = async (externalId: string) =>
    (await memberOf(externalId)).badges.edges.map(({ node }) => node.badge.key).sort();
  const record = async (
    events: readonly { customer: string; name: string; at?: string; value?: number; properties?: object }[],
  ) => {
    await app.query(
      'mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { __typename ... on DomainError { message } } }',
      {
        input: {
          events: events.map(({ customer, at, ...event }) => ({
            id: newId(),
            customerExternalId: customer,
            at: at ?? app.clock?.now().toISOString(),
            ...event,
          })),
        },
      },
    );
    await app.settle();
  };
  /** Runs a scheduled job now, in a worker. */
  const runJob = async (name: string) => {
    await app.app.infra.database.query('select graphile_worker.add_job($1) as id', [name]);
    await app.settle();
  };
  /** The events published of a kind, as payloads. */
  const told = async (type: string): Promise<Record<string, unknown>[]> => {
    const rows = await app.app.infra.database.query<{ payload: Record<string, unknown> }>(
      'select payload from outbox_event where type = $1 order by epoch, xid, seq',
      [type],
    );
    return rows.map((row) => row.payload);
  };
  return { ...world, mutate, memberOf, badgesOf, record, runJob, told };
}

export type EngagementApp = Awaited<ReturnType<typeof startEngagementApp>> & Pick<LoyaltyApp, 'app'>;
