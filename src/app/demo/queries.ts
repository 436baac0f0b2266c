/** Ready-made queries for GraphiQL: its first tabs. */
export const DEMO_QUERIES: readonly { readonly title: string; readonly query: string }[] = [
  {
    title: 'Who is about to leave: a page of customers with health, risk, loyalty and their last orders',
    query: `# Who is about to leave: the riskiest customers, with health, loyalty and their last orders.
query PeopleAtRisk {
  customers(first: 20, orderBy: { by: RISK, direction: DESC }, filter: { churnStatus: ACTIVE }) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges {
      node {
        externalId
        lastActivityAt
        health { score tier coverage parts { name value weight evidence } }
        risk { score category indicators { name value weight evidence } }
        loyalty { balance { available } tier { name } nextTier { pointsToGo } }
        orders(first: 3) { edges { node { externalId placedAt amount { formatted } } } }
      }
    }
  }
}
`,
  },
  {
    title: 'The business at a glance: revenue, churn, health',
    query: `# The business in November 2011: revenue, churn, health, loyalty, each beside the month before.
query AtAGlance {
  business { companyName reportingCurrency now demoClock }
  dashboard(period: { from: "2011-11-01", to: "2011-12-01" }) {
    customers
    revenue { current { amount { formatted } orders customers } previous { amount { formatted } orders } }
    churn { current { rate } previous { rate } }
    health { healthy neutral poor unknown }
    loyalty { members participation outstandingPoints }
  }
  churn(period: { from: "2011-01-01", to: "2011-12-10" }) {
    inactiveAfterDays
    months { month start new churned reactivated end rate }
  }
}
`,
  },
  {
    title: "One customer's story: what they did, step by step",
    query: `# One customer's story: what happened, step by step, newest first.
query OneCustomer {
  customer(externalId: "17850") {
    externalId
    signupAt
    firstOrderAt
    churn { status since }
    health { score tier }
    activity(first: 20) { edges { node { name at amount { formatted } properties } } }
  }
}
`,
  },
];
