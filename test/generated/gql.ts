/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "fragment CustomerCard on Customer {\n  id\n  externalId\n  name\n  status\n  signupAt\n  health {\n    score\n    tier\n    coverage\n    parts {\n      name\n      value\n      weight\n    }\n  }\n  risk {\n    score\n    category\n  }\n  loyalty {\n    earned\n    balance {\n      available\n    }\n    tier {\n      key\n    }\n  }\n}\n\nquery CustomerPage($first: Int!, $after: String, $filter: CustomerFilter) {\n  customers(first: $first, after: $after, filter: $filter, orderBy: {by: NAME}) {\n    totalCount\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n    edges {\n      node {\n        ...CustomerCard\n      }\n    }\n  }\n}\n\nmutation UpsertCustomers($input: [CustomerInput!]!) {\n  upsertCustomers(input: $input) {\n    __typename\n    ... on UpsertCustomerSuccess {\n      created\n      customer {\n        id\n        externalId\n      }\n    }\n    ... on DomainError {\n      code\n      message\n      path\n    }\n  }\n}": typeof types.CustomerCardFragmentDoc,
    "mutation AwardPoints($input: AwardPointsInput!) {\n  awardPoints(input: $input) {\n    __typename\n    ... on AwardPointsSuccess {\n      replayed\n      entry {\n        points\n        balanceAfter\n        reason\n      }\n      account {\n        balance {\n          available\n        }\n        tier {\n          key\n        }\n      }\n    }\n    ... on DomainError {\n      code\n      message\n      path\n    }\n  }\n}": typeof types.AwardPointsDocument,
};
const documents: Documents = {
    "fragment CustomerCard on Customer {\n  id\n  externalId\n  name\n  status\n  signupAt\n  health {\n    score\n    tier\n    coverage\n    parts {\n      name\n      value\n      weight\n    }\n  }\n  risk {\n    score\n    category\n  }\n  loyalty {\n    earned\n    balance {\n      available\n    }\n    tier {\n      key\n    }\n  }\n}\n\nquery CustomerPage($first: Int!, $after: String, $filter: CustomerFilter) {\n  customers(first: $first, after: $after, filter: $filter, orderBy: {by: NAME}) {\n    totalCount\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n    edges {\n      node {\n        ...CustomerCard\n      }\n    }\n  }\n}\n\nmutation UpsertCustomers($input: [CustomerInput!]!) {\n  upsertCustomers(input: $input) {\n    __typename\n    ... on UpsertCustomerSuccess {\n      created\n      customer {\n        id\n        externalId\n      }\n    }\n    ... on DomainError {\n      code\n      message\n      path\n    }\n  }\n}": types.CustomerCardFragmentDoc,
    "mutation AwardPoints($input: AwardPointsInput!) {\n  awardPoints(input: $input) {\n    __typename\n    ... on AwardPointsSuccess {\n      replayed\n      entry {\n        points\n        balanceAfter\n        reason\n      }\n      account {\n        balance {\n          available\n        }\n        tier {\n          key\n        }\n      }\n    }\n    ... on DomainError {\n      code\n      message\n      path\n    }\n  }\n}": types.AwardPointsDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment CustomerCard on Customer {\n  id\n  externalId\n  name\n  status\n  signupAt\n  health {\n    score\n    tier\n    coverage\n    parts {\n      name\n      value\n      weight\n    }\n  }\n  risk {\n    score\n    category\n  }\n  loyalty {\n    earned\n    balance {\n      available\n    }\n    tier {\n      key\n    }\n  }\n}\n\nquery CustomerPage($first: Int!, $after: String, $filter: CustomerFilter) {\n  customers(first: $first, after: $after, filter: $filter, orderBy: {by: NAME}) {\n    totalCount\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n    edges {\n      node {\n        ...CustomerCard\n      }\n    }\n  }\n}\n\nmutation UpsertCustomers($input: [CustomerInput!]!) {\n  upsertCustomers(input: $input) {\n    __typename\n    ... on UpsertCustomerSuccess {\n      created\n      customer {\n        id\n        externalId\n      }\n    }\n    ... on DomainError {\n      code\n      message\n      path\n    }\n  }\n}"): typeof import('./graphql.ts').CustomerCardFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation AwardPoints($input: AwardPointsInput!) {\n  awardPoints(input: $input) {\n    __typename\n    ... on AwardPointsSuccess {\n      replayed\n      entry {\n        points\n        balanceAfter\n        reason\n      }\n      account {\n        balance {\n          available\n        }\n        tier {\n          key\n        }\n      }\n    }\n    ... on DomainError {\n      code\n      message\n      path\n    }\n  }\n}"): typeof import('./graphql.ts').AwardPointsDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
