/** What can move a customer. */
export const TOUCHPOINT_KINDS = [
  'SIGNED_UP',
  'JOINED',
  'FIRST_ORDER',
  'ORDER_RETURNED',
  'SUBSCRIPTION_STARTED',
  'SUBSCRIPTION_CHANGED',
  'SUBSCRIPTION_CANCELLED',
  'TICKET_OPENED',
  'TICKET_SOLVED',
  'SURVEY_ANSWERED',
  'REVIEW_GIVEN',
  'REFERRAL_MADE',
  'TIER_CHANGED',
  'POINTS_REDEEMED',
  'REWARD_REDEEMED',
  'BAND_CHANGED',
  'STAGE_CHANGED',
  'AMBASSADOR_INVITED',
  'AMBASSADOR_THANKED',
] as const;

export type TouchpointKind = (typeof TOUCHPOINT_KINDS)[number];

/** A fact that moved a customer. */
export interface Touchpoint {
  readonly id: string;
  readonly kind: TouchpointKind;
  readonly at: Date;
  /** In a few words. */
  readonly summary: string;
}

/** Which events of the stream move a customer. Orders do by their first only, use and messages by what they add up to. */
export const STREAM_KINDS: Readonly<Record<string, TouchpointKind>> = {
  'order.returned': 'ORDER_RETURNED',
  'subscription.started': 'SUBSCRIPTION_STARTED',
  'subscription.changed': 'SUBSCRIPTION_CHANGED',
  'subscription.cancelled': 'SUBSCRIPTION_CANCELLED',
  'ticket.opened': 'TICKET_OPENED',
  'ticket.solved': 'TICKET_SOLVED',
  'survey.answered': 'SURVEY_ANSWERED',
  'review.given': 'REVIEW_GIVEN',
  'referral.made': 'REFERRAL_MADE',
};

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const number = (value: string | null): string | null => (value === null ? null : String(Number(value)));

/** An event of the stream in a few words. */
export function summaryOfEvent(
  kind: TouchpointKind,
  event: { readonly value: string | null; readonly properties: Readonly<Record<string, unknown>> },
): string {
  const { properties } = event;
  const value = number(event.value);
  switch (kind) {
    case 'ORDER_RETURNED':
      return 'returned an order or some of it';
    case 'SUBSCRIPTION_STARTED':
      return `subscribed${text(properties.plan) === null ? '' : ` to ${properties.plan}`}`;
    case 'SUBSCRIPTION_CHANGED':
      return `changed its subscription${text(properties.plan) === null ? '' : ` to ${properties.plan}`}`;
    case 'SUBSCRIPTION_CANCELLED':
      return `cancelled its subscription${text(properties.reason) === null ? '' : `: ${properties.reason}`}`;
    case 'TICKET_OPENED':
      return 'asked for help';
    case 'TICKET_SOLVED':
      return value === null ? 'was helped' : `was helped and rated it ${value} of 5`;
    case 'SURVEY_ANSWERED':
      return `answered ${value ?? 'a survey'}${text(properties.kind) === null ? '' : ` (${properties.kind})`}`;
    case 'REVIEW_GIVEN':
      return value === null ? 'reviewed the product' : `reviewed the product: ${value} of 5`;
    case 'REFERRAL_MADE':
      return 'brought another customer';
    default:
      throw new Error(`${kind} is no event of the stream`);
  }
}

const inWords = (value: string | number | null | undefined): string =>
  String(value ?? '')
    .toLowerCase()
    .replaceAll('_', ' ');

/** What is kept of a change, in a few words. */
export function summaryOfDetail(
  kind: TouchpointKind,
  detail: Readonly<Record<string, string | number | null>>,
): string {
  const { from, to } = detail;
  const move = from === null || from === undefined ? inWords(to) : `from ${inWords(from)} to ${inWords(to)}`;
  switch (kind) {
    case 'JOINED':
      return 'joined the programme';
    case 'TIER_CHANGED':
      return `tier: ${move}`;
    case 'POINTS_REDEEMED':
      return `spent ${detail.points} points`;
    case 'REWARD_REDEEMED':
      return `chose a reward for ${detail.points} points`;
    case 'BAND_CHANGED':
      return `loyalty: ${move}`;
    case 'STAGE_CHANGED':
      return `journey: ${move}`;
    case 'AMBASSADOR_INVITED':
      return 'was invited to be an ambassador';
    case 'AMBASSADOR_THANKED':
      return 'was thanked as an ambassador';
    default:
      throw new Error(`${kind} is kept elsewhere`);
  }
}

/** Newest first; of one moment in the order of their ids, so that a page can begin behind any of them. */
export const byNewest = (a: Pick<Touchpoint, 'at' | 'id'>, b: Pick<Touchpoint, 'at' | 'id'>): number =>
  b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
