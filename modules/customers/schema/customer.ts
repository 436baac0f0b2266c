import {
  type Builder,
  checkFirst,
  connectionArgs,
  connectionType,
  decodeCursor,
  encodeGlobalId,
  pageOf,
} from '../../../src/core/builder/index.ts';
import { InvalidInput } from '../../../src/core/errors.ts';
import {
  columnField,
  type DimensionSql,
  dimensionValue,
  filterField,
  orderValue,
  partField,
} from '../../../src/core/graph/index.ts';
import type { AccountManagerFacts } from '../contract.ts';
import {
  contactsPart,
  dimensions,
  invoicesPart,
  lastActivityOrder,
  lastPlanFilter,
  nameOrder,
  ordersPart,
  ownerFilter,
  ownerPart,
  planFilter,
  searchFilter,
  segmentFilter,
  signupOrder,
  statusFilter,
  subscriptionsPart,
  type TraitCondition,
  ticketsPart,
  traitFilter,
} from '../queries/parts.ts';
import type { CustomerService } from '../service.ts';
import type { RecordTypes } from './records.ts';

const SCOPE = 'customers:read';

/** The fields of `Customer` that this module knows, and the filters and orders by them. */
export function customerFields(builder: Builder, service: CustomerService, types: RecordTypes): void {
  columnField(builder, 'externalId', 'external_id', { type: 'String', description: 'Your own id of the customer.' });
  columnField(builder, 'name', 'name', { type: 'String', description: 'What the customer is called.' });
  columnField(builder, 'businessSegment', 'business_segment', {
    type: 'String',
    nullable: true,
    description: 'The segment you gave it, e.g. "Enterprise".',
  });
  columnField(builder, 'status', 'status', { type: types.Status, description: 'How far the customer has come.' });
  columnField(builder, 'signupAt', 'signup_at', { type: 'DateTime', description: 'When it became a customer.' });
  columnField(builder, 'churnedAt', 'churned_at', {
    type: 'DateTime',
    nullable: true,
    description: 'When it left; null unless its status is CHURNED.',
  });
  columnField(builder, 'churnReason', 'churn_reason', {
    type: 'String',
    nullable: true,
    description: 'Why it left, in the words it was told with.',
  });
  columnField(builder, 'traits', 'traits', { type: 'JSONObject', description: 'What else you told of it.' });
  columnField(builder, 'lastActivityAt', 'last_activity_at', {
    type: 'DateTime',
    nullable: true,
    description: 'Latest business time of anything the customer did; a moment behind the newest events.',
  });
  columnField(builder, 'firstOrderAt', 'first_order_at', {
    type: 'DateTime',
    nullable: true,
    description: 'When it ordered first.',
  });
  columnField(builder, 'createdAt', 'created_at', {
    type: 'DateTime',
    description: 'When Holdfast first heard of it.',
  });
  columnField(builder, 'updatedAt', 'updated_at', {
    type: 'DateTime',
    description: 'When it was last described anew.',
  });

  const Manager = builder.objectRef<AccountManagerFacts>('AccountManager').implement({
    description: 'Who looks after customers.',
    fields: (t) => ({
      id: t.id({ description: 'The global id.', resolve: (m) => encodeGlobalId('AccountManager', m.id) }),
      email: t.exposeString('email', { description: 'The address alerts go to.' }),
      name: t.exposeString('name', { description: 'What the person is called.' }),
    }),
  });
  builder.queryField('accountManagers', (t) =>
    t.field({
      type: connectionType(builder, { name: 'AccountManager', node: Manager }),
      description: 'Who looks after customers, by e-mail address.',
      authScopes: { scope: SCOPE },
      args: connectionArgs(t.arg),
      async resolve(_root, { first, after }) {
        const place = typeof after === 'string' ? String(decodeCursor(after, 1)[0]) : null;
        const managers = await service.listAccountManagers(place, checkFirst(first) + 1);
        return pageOf(managers, { first, after, cursorOf: (manager) => [manager.email] });
      },
    }),
  );
  partField(builder, ownerPart, 'owner', {
    type: Manager,
    nullable: true,
    scope: SCOPE,
    description: 'The account manager; null when nobody looks after the customer.',
  });
  partField(builder, contactsPart, 'contacts', {
    type: connectionType(builder, { name: 'Contact', node: types.Contact }),
    scope: SCOPE,
    description: 'The people at the customer, in the order in which they were told.',
    args: (arg) => connectionArgs(arg),
  });
  partField(builder, subscriptionsPart, 'subscriptions', {
    type: connectionType(builder, { name: 'CustomerSubscription', node: types.Subscription }),
    scope: SCOPE,
    description: 'What the customer pays regularly, newest first.',
    args: (arg) => ({
      ...connectionArgs(arg),
      running: arg.boolean({ description: 'True: only those not cancelled; false: only those cancelled.' }),
    }),
  });
  partField(builder, invoicesPart, 'invoices', {
    type: connectionType(builder, { name: 'Invoice', node: types.Invoice }),
    scope: SCOPE,
    description: 'Invoices, newest first.',
    args: (arg) => ({
      ...connectionArgs(arg),
      paid: arg.boolean({ description: 'True: only those paid; false: only those not paid.' }),
    }),
  });
  partField(builder, ticketsPart, 'tickets', {
    type: connectionType(builder, { name: 'Ticket', node: types.Ticket }),
    scope: SCOPE,
    description: 'Requests for help, newest first.',
    args: (arg) => ({
      ...connectionArgs(arg),
      open: arg.boolean({ description: 'True: only those not solved; false: only those solved.' }),
    }),
  });
  partField(builder, ordersPart, 'orders', {
    type: connectionType(builder, { name: 'Order', node: types.Order }),
    scope: SCOPE,
    description: 'Orders, newest first.',
    args: (arg) => connectionArgs(arg),
  });
  filtersAndOrders(builder, types);
  customerDimensions(builder);
}

function filtersAndOrders(builder: Builder, types: RecordTypes): void {
  filterField<readonly string[]>(builder, 'segment', segmentFilter, {
    scope: SCOPE,
    field: (t) => t.stringList({ description: 'In one of these business segments.' }),
  });
  filterField(builder, 'status', statusFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: [types.Status], description: 'In one of these states.' }),
  });
  filterField<readonly string[]>(builder, 'plan', planFilter, {
    scope: SCOPE,
    past: lastPlanFilter,
    field: (t) => t.stringList({ description: 'With a running subscription to one of these plans.' }),
  });
  filterField<readonly string[]>(builder, 'owner', ownerFilter, {
    scope: SCOPE,
    field: (t) => t.stringList({ description: 'Looked after by one of these account managers, by e-mail address.' }),
  });
  const TraitFilter = builder.inputType('TraitFilter', {
    description: 'A condition on a trait.',
    fields: (t) => ({
      key: t.string({ required: true, description: 'Name of the trait, e.g. "country".' }),
      values: t.stringList({ required: true, description: 'One of these is its value; numbers as text.' }),
    }),
  });
  filterField<readonly TraitCondition[]>(builder, 'traits', traitFilter, {
    scope: SCOPE,
    field: (t) => t.field({ type: [TraitFilter], description: 'All of these hold for its traits.' }),
  });
  filterField<string>(builder, 'search', (customer, text, bind) => searchFilter(customer, checkSearch(text), bind), {
    scope: SCOPE,
    field: (t) =>
      t.string({
        description: 'Whose name, or the e-mail address of a contact, holds this text, 2 to 200 characters.',
      }),
  });
  orderValue(builder, 'NAME', nameOrder, { scope: SCOPE, description: 'By name.' });
  orderValue(builder, 'SIGNUP', signupOrder, { scope: SCOPE, description: 'By the time of signup.' });
  orderValue(builder, 'LAST_ACTIVITY', lastActivityOrder, {
    scope: SCOPE,
    description: 'By the last activity; who never did anything counts as before everybody else.',
  });
}

/** What reports can be grouped by. */
function customerDimensions(builder: Builder): void {
  const offer = (name: string, sql: DimensionSql, description: string, needsTrait = false) =>
    dimensionValue(builder, name, sql, { scope: SCOPE, description, needsTrait });
  offer('SEGMENT', dimensions.segment, 'The business segment.');
  offer('PLAN', dimensions.plan, 'The plan a customer has, or had last.');
  offer('OWNER', dimensions.owner, 'The account manager, by e-mail address.');
  offer('TRAIT', dimensions.trait, 'A trait such as the country, named by `trait`.', true);
  offer('SIGNUP_MONTH', dimensions.month, 'The calendar month of the signup, e.g. 2026-11.');
  offer('SIGNUP_QUARTER', dimensions.quarter, 'The quarter of the signup, e.g. 2026-Q4.');
  offer('SIGNUP_YEAR', dimensions.year, 'The year of the signup.');
}

function checkSearch(text: string): string {
  if (text.length >= 2 && text.length <= 200 && !text.includes('\0') && text.isWellFormed()) return text;
  throw new InvalidInput(`search: ${JSON.stringify(text.slice(0, 40))} must have 2 to 200 characters.`, {
    path: ['filter', 'search'],
  });
}
