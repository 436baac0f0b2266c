/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Who looks after a customer; made known when new. */
export type AccountManagerInput = {
  /** The e-mail address, by which the person is known. */
  email: string;
  /** What the person is called. */
  name?: string | null | undefined;
};

/** Points for a customer: either by a rule, or a number of points. */
export type AwardPointsInput = {
  /** How often the rule applies; 1 when left out. */
  count?: number | null | undefined;
  /** Who earns. */
  customerId: string;
  /** When it was earned, not in the future; now when left out. Caps and validity go by it. */
  effectiveAt?: string | null | undefined;
  /** Your name of this request: sent again, it is answered again and nothing is done twice. */
  idempotencyKey: string;
  /** Give the points as pending: they come once `confirmPoints` says so, and are voided at this time unless it did. There at once when left out. */
  pendingUntil?: string | null | undefined;
  /** Points given outright; then without `rule`. */
  points?: number | null | undefined;
  /** Why, for people; at most 500 characters. */
  reason?: string | null | undefined;
  /** Key of an earning rule, e.g. referral_successful; then without `points`. */
  rule?: string | null | undefined;
};

/** Whether a customer is here. */
export type ChurnStatus =
  /** A subscription runs, or there was activity within the days set (90). */
  | 'ACTIVE'
  /** Gone. */
  | 'CHURNED';

/** Standing advice for a customer. Its rules are a setting. */
export type CustomerAdvice =
  /** Loyal with modest spend: offer premium bundles. */
  | 'PREMIUM_BUNDLES'
  /** At Risk and 30 days without a login: win back with 20 % off. */
  | 'WIN_BACK';

/** Which customers: all given conditions hold. */
export type CustomerFilter = {
  /** To whom any of this standing advice applies. */
  advice?: Array<CustomerAdvice> | null | undefined;
  /** Predicted to leave with a probability within these bounds. */
  churnProbability?: ProbabilityRange | null | undefined;
  /** Here or gone. */
  churnStatus?: ChurnStatus | null | undefined;
  /** In one of these clusters, by name. */
  cluster?: Array<string> | null | undefined;
  /** Health score within these bounds. */
  health?: ScoreRange | null | undefined;
  /** In one of these health tiers. */
  healthTier?: Array<HealthTier> | null | undefined;
  /** In one of these stages of the journey. */
  journeyStage?: Array<JourneyStage> | null | undefined;
  /** In one of these bands of loyalty, members or not. */
  loyaltyBand?: Array<LoyaltyBand> | null | undefined;
  /** Looked after by one of these account managers, by e-mail address. */
  owner?: Array<string> | null | undefined;
  /** With a running subscription to one of these plans. */
  plan?: Array<string> | null | undefined;
  /** In one of these RFM segments. */
  rfmSegment?: Array<RfmSegment> | null | undefined;
  /** In one of these risk categories. */
  riskCategory?: Array<RiskCategory> | null | undefined;
  /** Whose name, or the e-mail address of a contact, holds this text, 2 to 200 characters. */
  search?: string | null | undefined;
  /** In one of these business segments. */
  segment?: Array<string> | null | undefined;
  /** In one of these states. */
  status?: Array<CustomerStatus> | null | undefined;
  /** Members who hold one of these tiers. */
  tier?: Array<LoyaltyTierKey> | null | undefined;
  /** All of these hold for its traits. */
  traits?: Array<TraitFilter> | null | undefined;
};

/** A customer. A field left out stays as it is; null clears what can be absent. */
export type CustomerInput = {
  /** Your segment, e.g. "Enterprise". */
  businessSegment?: string | null | undefined;
  /** Why it left; only with the status CHURNED. */
  churnReason?: string | null | undefined;
  /** When it left; only with the status CHURNED, then now when left out. */
  churnedAt?: string | null | undefined;
  /** Your own id, at most 200 characters; former ones lead to the same customer. */
  externalId: string;
  /** What it is called; the external id when nothing is known. */
  name?: string | null | undefined;
  /** The account manager; null for nobody. */
  owner?: AccountManagerInput | null | undefined;
  /** When it became a customer; now when new. */
  signupAt?: string | null | undefined;
  /** How far it has come; ACTIVE when new. */
  status?: CustomerStatus | null | undefined;
  /** What else there is to tell: members given replace, null removes. */
  traits?: Record<string, unknown> | null | undefined;
};

/** How far a customer has come. */
export type CustomerStatus =
  /** Is a customer. */
  | 'ACTIVE'
  /** Has left. */
  | 'CHURNED'
  /** Has paused and means to come back. */
  | 'PAUSED'
  /** Tries the product. */
  | 'TRIAL';

/** What a health score is made of. */
export type HealthPartName =
  /** Features used in 90 days of those the plan has. */
  | 'FEATURE_ADOPTION'
  /** The last NPS answer, over 10. */
  | 'NPS'
  /** 1 less the overdue share of the invoices of 12 months, weighted by days late up to 60. */
  | 'PAYMENT_HISTORY'
  /** Mean ticket rating of 180 days, over 5. */
  | 'SUPPORT_SATISFACTION'
  /** Active days of the last 30 against the days expected. */
  | 'USAGE_FREQUENCY';

/** Where a health score lies. */
export type HealthTier =
  /** 70 and above, unless the setting says otherwise. */
  | 'HEALTHY'
  /** 40 to 70. */
  | 'NEUTRAL'
  /** Below 40. */
  | 'POOR';

/** How far a customer has come; the first that fits, from LAPSED, AT_RISK, ADVOCACY, ENGAGEMENT, ONBOARDING. */
export type JourneyStage =
  /** Past its first days, and in no other stage. */
  | 'ADOPTION'
  /** Referred somebody or reviewed the product within a year. */
  | 'ADVOCACY'
  /** Its probability to stay is below 0.4, unless the setting says otherwise. */
  | 'AT_RISK'
  /** Uses the product weekly or more, or is in a band above SATISFIED. */
  | 'ENGAGEMENT'
  /** Declared gone, or silent for 90 days without a running subscription. */
  | 'LAPSED'
  /** Signed up within 30 days, unless the setting says otherwise. */
  | 'ONBOARDING';

/** Where a loyalty score lies. The edges are a setting. */
export type LoyaltyBand =
  /** 80 and above, unless the setting says otherwise. */
  | 'CHAMPION'
  /** 50 to 65. */
  | 'ENGAGED'
  /** 65 to 80. */
  | 'LOYAL'
  /** Below 50. */
  | 'SATISFIED';

/** The tiers, lowest first. From how many points each is held is a setting. */
export type LoyaltyTierKey =
  /** Where everybody begins. */
  | 'BRONZE'
  /** From 2,500 points earned, unless the setting says otherwise. */
  | 'GOLD'
  /** From 5,000 points earned, unless the setting says otherwise. */
  | 'PLATINUM'
  /** From 1,000 points earned, unless the setting says otherwise. */
  | 'SILVER';

/** Probabilities from one to another, both included. */
export type ProbabilityRange = {
  /** Highest probability; 1 when left out. */
  max?: number | null | undefined;
  /** Lowest probability; 0 when left out. */
  min?: number | null | undefined;
};

/** Segments by recency, frequency and monetary value; the first whose rule holds. Rules are a setting. */
export type RfmSegment =
  /** At Risk. Unless the setting says otherwise: recency score 1 to 2, frequency and monetary score 3 or more on average. */
  | 'AT_RISK'
  /** Champions. Unless the setting says otherwise: recency score 4 to 5, frequency and monetary score 4 or more on average. */
  | 'CHAMPIONS'
  /** Hibernating. Unless the setting says otherwise: everybody else. */
  | 'HIBERNATING'
  /** Loyal. Unless the setting says otherwise: recency score 3 to 5, frequency and monetary score 3.5 or more on average. */
  | 'LOYAL'
  /** Needs Attention. Unless the setting says otherwise: recency score 3. */
  | 'NEEDS_ATTENTION'
  /** New. Unless the setting says otherwise: recency score 5, a single order. */
  | 'NEW'
  /** Potential Loyalists. Unless the setting says otherwise: recency score 3 to 5, frequency and monetary score 2 or more on average. */
  | 'POTENTIAL_LOYALISTS'
  /** Promising. Unless the setting says otherwise: recency score 4 to 5, frequency and monetary score below 2 on average. */
  | 'PROMISING';

/** How likely a customer is to be lost. A customer comes down a category only 5 points below its edge. */
export type RiskCategory =
  /** From 50. */
  | 'AT_RISK'
  /** From 75. */
  | 'CRITICAL'
  /** From 25. */
  | 'MONITOR'
  /** Below 25. */
  | 'SECURE';

/** Scores from one to another, both included. */
export type ScoreRange = {
  /** Highest score. */
  max?: number;
  /** Lowest score. */
  min?: number;
};

/** A condition on a trait. */
export type TraitFilter = {
  /** Name of the trait, e.g. "country". */
  key: string;
  /** One of these is its value; numbers as text. */
  values: Array<string>;
};

export type CustomerCardFragment = { id: string, externalId: string, name: string, status: CustomerStatus, signupAt: string, health: { score: number, tier: HealthTier, coverage: number, parts: Array<{ name: HealthPartName, value: number | null, weight: number }> } | null, risk: { score: number, category: RiskCategory } | null, loyalty: { earned: number, balance: { available: number }, tier: { key: LoyaltyTierKey } } | null };

export type CustomerPageQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  filter?: CustomerFilter | null | undefined;
}>;


export type CustomerPageQuery = { customers: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, edges: Array<{ node: { id: string, externalId: string, name: string, status: CustomerStatus, signupAt: string, health: { score: number, tier: HealthTier, coverage: number, parts: Array<{ name: HealthPartName, value: number | null, weight: number }> } | null, risk: { score: number, category: RiskCategory } | null, loyalty: { earned: number, balance: { available: number }, tier: { key: LoyaltyTierKey } } | null } }> } };

export type UpsertCustomersMutationVariables = Exact<{
  input: Array<CustomerInput> | CustomerInput;
}>;


export type UpsertCustomersMutation = { upsertCustomers: Array<
    | { __typename: 'CustomerErased', code: string, message: string, path: Array<string> }
    | { __typename: 'InvalidInput', code: string, message: string, path: Array<string> }
    | { __typename: 'UpsertCustomerSuccess', created: boolean, customer: { id: string, externalId: string } | null }
  > };

export type AwardPointsMutationVariables = Exact<{
  input: AwardPointsInput;
}>;


export type AwardPointsMutation = { awardPoints:
    | { __typename: 'AwardPointsSuccess', replayed: boolean, entry: { points: number, balanceAfter: number, reason: string | null }, account: { balance: { available: number }, tier: { key: LoyaltyTierKey } } }
    | { __typename: 'CustomerNotFound', code: string, message: string, path: Array<string> }
    | { __typename: 'EarningCapReached', code: string, message: string, path: Array<string> }
    | { __typename: 'IdempotencyConflict', code: string, message: string, path: Array<string> }
    | { __typename: 'InvalidInput', code: string, message: string, path: Array<string> }
    | { __typename: 'NotAMember', code: string, message: string, path: Array<string> }
    | { __typename: 'Overloaded', code: string, message: string, path: Array<string> }
    | { __typename: 'RequestInFlight', code: string, message: string, path: Array<string> }
    | { __typename: 'RuleNotOpenToTier', code: string, message: string, path: Array<string> }
    | { __typename: 'RuleNotValid', code: string, message: string, path: Array<string> }
   };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const CustomerCardFragmentDoc = new TypedDocumentString(`
    fragment CustomerCard on Customer {
  id
  externalId
  name
  status
  signupAt
  health {
    score
    tier
    coverage
    parts {
      name
      value
      weight
    }
  }
  risk {
    score
    category
  }
  loyalty {
    earned
    balance {
      available
    }
    tier {
      key
    }
  }
}
    `, {"fragmentName":"CustomerCard"}) as unknown as TypedDocumentString<CustomerCardFragment, unknown>;
export const CustomerPageDocument = new TypedDocumentString(`
    query CustomerPage($first: Int!, $after: String, $filter: CustomerFilter) {
  customers(first: $first, after: $after, filter: $filter, orderBy: {by: NAME}) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    edges {
      node {
        ...CustomerCard
      }
    }
  }
}
    fragment CustomerCard on Customer {
  id
  externalId
  name
  status
  signupAt
  health {
    score
    tier
    coverage
    parts {
      name
      value
      weight
    }
  }
  risk {
    score
    category
  }
  loyalty {
    earned
    balance {
      available
    }
    tier {
      key
    }
  }
}`) as unknown as TypedDocumentString<CustomerPageQuery, CustomerPageQueryVariables>;
export const UpsertCustomersDocument = new TypedDocumentString(`
    mutation UpsertCustomers($input: [CustomerInput!]!) {
  upsertCustomers(input: $input) {
    __typename
    ... on UpsertCustomerSuccess {
      created
      customer {
        id
        externalId
      }
    }
    ... on DomainError {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<UpsertCustomersMutation, UpsertCustomersMutationVariables>;
export const AwardPointsDocument = new TypedDocumentString(`
    mutation AwardPoints($input: AwardPointsInput!) {
  awardPoints(input: $input) {
    __typename
    ... on AwardPointsSuccess {
      replayed
      entry {
        points
        balanceAfter
        reason
      }
      account {
        balance {
          available
        }
        tier {
          key
        }
      }
    }
    ... on DomainError {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<AwardPointsMutation, AwardPointsMutationVariables>;