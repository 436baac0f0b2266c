import { DomainError } from '../../src/core/errors.ts';
import { type HandlerDefinition, isEvent } from '../../src/core/events/index.ts';
import type { Logger } from '../../src/core/logger.ts';
import { wholeUnits } from '../../src/core/money.ts';
import type { Settings } from '../../src/core/settings/index.ts';
import {
  CustomerNotFound,
  customerErased,
  customerMerged,
  eventsRecorded,
  orderPlaced,
} from '../customers/contract.ts';
import { EarningCapReached, NotAMember } from './errors.ts';
import { type LedgerRequest, requestOf } from './ledger/commands.ts';
import { eraseCustomers, type LifecyclePorts, mergeAccounts } from './ledger/service-lifecycle.ts';
import { basePointsOfOrder } from './programme/domain/orders.ts';
import { askToEarn, triggering } from './programme/service-triggers.ts';
import { ORDER_POINTS } from './programme/settings.ts';
import type { LoyaltyService } from './service.ts';

/** How the module reacts to what others publish. */
export function loyaltyHandlers(options: {
  readonly service: LoyaltyService;
  readonly settings: Settings;
  readonly lifecycle: LifecyclePorts;
  readonly logger: Logger;
}): HandlerDefinition[] {
  const { service, settings, lifecycle, logger } = options;
  return [
    {
      name: 'loyalty.pointsForOrders',
      on: [orderPlaced],
      async handle(tx, events, context) {
        const terms = await settings.get(ORDER_POINTS);
        if (!terms.enabled) return;
        const requests: LedgerRequest[] = [];
        for (const event of events) {
          if (!isEvent(event, orderPlaced) || event.customerId === null || event.payload.quiet) continue;
          const { orderId, reportingAmountMinor: amountMinor, reportingCurrency: currency } = event.payload;
          if (amountMinor === null) {
            logger.warn({ orderId }, 'an order earned no points: there is no exchange rate for its currency');
            continue;
          }
          const points = basePointsOfOrder(terms, wholeUnits({ amountMinor, currency }));
          if (points <= 0) continue;
          const { customerId } = event;
          const placedAt = new Date(event.payload.placedAt);
          // The blank keeps these keys apart from those callers choose. An order earns once, however often it is told of.
          const command = { kind: 'order', customerId, orderId, points, placedAt } as const;
          requests.push(requestOf(context.call(event), `order ${orderId}`, command));
        }
        const answers = await service.post(tx, requests);
        for (const [index, answer] of answers.entries()) {
          // Who is no member or has earned enough earns nothing, and that is meant. Anything else is worth a word.
          if (!(answer instanceof DomainError) || isMeant(answer)) continue;
          logger.warn({ key: requests[index]?.key, code: answer.code }, 'an order earned no points');
        }
      },
    },
    {
      name: 'loyalty.pointsForEvents',
      on: [eventsRecorded],
      async handle(tx, events, context) {
        const { rules } = await service.program();
        for (const event of events) {
          if (!isEvent(event, eventsRecorded)) continue;
          const { batchId, customerIds, byName } = event.payload;
          const triggers = triggering({ rules }, byName);
          if (Object.keys(triggers).length === 0) continue;
          await askToEarn(tx, { batchId, customerIds, byName: triggers }, context.call(event));
        }
      },
    },
    {
      name: 'loyalty.mergeAccounts',
      on: [customerMerged],
      async handle(tx, events, context) {
        for (const event of events) {
          if (isEvent(event, customerMerged)) await mergeAccounts(tx, lifecycle, context.call(event), event.payload);
        }
      },
    },
    {
      name: 'loyalty.forgetCustomers',
      on: [customerErased],
      async handle(tx, events) {
        const customerIds = events.flatMap((event) =>
          isEvent(event, customerErased) ? [event.payload.customerId] : [],
        );
        await eraseCustomers(tx, lifecycle.clock, customerIds);
      },
    },
  ];
}

const isMeant = (answer: DomainError): boolean =>
  answer instanceof NotAMember || answer instanceof CustomerNotFound || answer instanceof EarningCapReached;
