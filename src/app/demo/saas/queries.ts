import type { Demo } from '../demo.ts';

/** What to ask a business that lives on subscriptions. */
export const SAAS_QUERIES: Demo['queries'] = [
  {
    title: 'Large accounts in danger: who pays for the larger plans, is still here, and is about to leave',
    query: `# Large accounts in danger: paying for the larger plans, with the reasons for the alarm and who looks after them.
query LargeAccountsInDanger {
  customers(
    first: 20
    orderBy: { by: RISK, direction: DESC }
    filter: { plan: ["business", "enterprise"], status: [ACTIVE] }
  ) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges {
      node {
        externalId
        name
        businessSegment
        owner { email }
        risk { score category indicators { name value evidence } }
        health { score tier parts { name value evidence } }
        subscriptions(first: 3, running: true) { edges { node { plan mrr { formatted } startedAt } } }
        invoices(first: 3, paid: false) { edges { node { amount { formatted } dueAt } } }
        tickets(first: 3) { edges { node { priority openedAt solvedAt satisfaction } } }
      }
    }
  }
}
`,
  },
  {
    title: 'Two years of comings and goings: churn month by month, health and risk now',
    query: `# Comings and goings month by month, and how the customers are now.
query ComingsAndGoings {
  business { companyName reportingCurrency now demoClock }
  churn(period: { from: "2024-01-01", to: "2026-01-01" }) {
    causes { cause customers }
    months { month start new churned reactivated end rate }
  }
  dashboard(period: { from: "2025-12-01", to: "2026-01-01" }) {
    customers
    churn { current { rate } previous { rate } }
    health { healthy neutral poor unknown }
    loyalty { members participation }
  }
}
`,
  },
  {
    title: 'One account: subscriptions, invoices, tickets, and what its people did last',
    query: `# One account's story: what it paid for, what it asked for, and what its people did, newest first.
query OneAccount {
  customer(externalId: "A-00001") {
    name
    status
    signupAt
    churnedAt
    churnReason
    traits
    contacts(first: 3) { edges { node { name email timeZone } } }
    subscriptions(first: 5) { edges { node { plan mrr { formatted } startedAt cancelledAt cancelReason } } }
    invoices(first: 6) { edges { node { amount { formatted } issuedAt dueAt paidAt } } }
    tickets(first: 5) { edges { node { priority openedAt firstResponseAt solvedAt satisfaction } } }
    health { score tier parts { name value weight evidence } }
    activity(first: 20) { edges { node { name at value properties } } }
  }
}
`,
  },
];
