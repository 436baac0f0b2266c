import { actorName, type Call, systemCall } from '../../src/core/call.ts';
import type { Tx } from '../../src/core/database/index.ts';
import { messageOf } from '../../src/core/errors.ts';
import { appendEvents, type DomainEvent, isEvent, newEvent } from '../../src/core/events/index.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import type { ContactFacts, CustomerPort } from '../customers/contract.ts';
import {
  anniversary,
  type LoyaltyPort,
  milestoneReached,
  type TierFacts,
  type tierChanged,
} from '../loyalty/contract.ts';
import { messageFailed, messageSent } from './events.ts';
import { type Letter, SEND_JOB, writeLetters } from './letters.ts';
import { type HeldMessage, heldMessages, settleMessage, takeMessage } from './store.ts';
import { type CommonVariables, loadTemplates, type TierUpgradeVariables } from './templates.ts';
import { isPermanentRefusal, type MailTransport } from './transport.ts';

type TierChanged = DomainEvent<(typeof tierChanged)['payload']['_output']>;
type Anniversary = DomainEvent<(typeof anniversary)['payload']['_output']>;
type MilestoneReached = DomainEvent<(typeof milestoneReached)['payload']['_output']>;
/** Something to thank a customer for. */
export type Occasion = Anniversary | MilestoneReached;

const isYears = (event: Occasion): boolean =>
  isEvent(event, milestoneReached) && event.payload.metric === 'YEARS_AS_CUSTOMER';

export interface CommunicationService {
  /** Writes one message per upgrade and contact, in the transaction of the handler that asks. */
  queueTierUpgrades(tx: Tx, events: readonly TierChanged[], callOf: (event: DomainEvent) => Call): Promise<void>;
  /** The same for anniversaries and milestones. */
  queueAppreciation(tx: Tx, events: readonly Occasion[], callOf: (event: DomainEvent) => Call): Promise<void>;
  /** Sends a waiting message. Throws to be tried again; a refusal for good, or the last attempt, ends as FAILED. */
  send(messageId: string, attempt: { readonly last: boolean }): Promise<void>;
  /** What was laid into the local outbox, newest first. */
  localOutbox(limit: number): Promise<HeldMessage[]>;
}

/** @param transport null when no mail server is set: messages end in the local outbox */
export function createCommunicationService(
  infra: Infrastructure,
  ports: { readonly customers: CustomerPort; readonly loyalty: LoyaltyPort },
  transport: MailTransport | null,
): CommunicationService {
  const { database, settings, clock, logger } = infra;
  const templates = loadTemplates();

  const appreciationLetter = (event: Occasion, contact: ContactFacts, business: typeof BUSINESS.default): Letter => {
    const common = commonVariables(contact, business);
    if (isEvent(event, anniversary)) {
      const { years, points, badge, milestone } = event.payload;
      const variables = { ...common, years, oneYear: years === 1, points, badge, milestone };
      return { event, contact, about: 'anniversary', template: templates.anniversary, variables };
    }
    const { name, points, badge } = (event as MilestoneReached).payload;
    const variables = { ...common, milestone: { name }, points, badge };
    return { event, contact, about: 'milestone', template: templates.milestone, variables };
  };

  return {
    async queueTierUpgrades(tx, events, callOf) {
      const upgrades = events.filter((event) => event.payload.direction === 'UP' && event.customerId !== null);
      if (upgrades.length === 0) return;
      const ids = [...new Set(upgrades.map((event) => event.customerId as string))];
      const [contacts, tiers, business] = await Promise.all([
        ports.customers.contactsOf(ids, tx),
        ports.loyalty.tiers(),
        settings.get(BUSINESS),
      ]);
      const letters = upgrades.flatMap((event) =>
        contacts
          .filter((contact) => contact.customerId === event.customerId)
          .map((contact): Letter => {
            const variables = tierUpgradeVariables(event.payload, contact, tiers, business);
            return { event, contact, about: 'tier-upgrade', template: templates.tierUpgrade, variables };
          }),
      );
      await writeLetters(tx, clock, letters, callOf);
    },

    async queueAppreciation(tx, events, callOf) {
      // The letter of the anniversary names the milestone of years that came with it.
      const occasions = events.filter((event) => event.customerId !== null && !isYears(event));
      if (occasions.length === 0) return;
      const ids = [...new Set(occasions.map((event) => event.customerId as string))];
      const [contacts, business] = await Promise.all([ports.customers.contactsOf(ids, tx), settings.get(BUSINESS)]);
      const letters = occasions.flatMap((event) =>
        contacts
          .filter((contact) => contact.customerId === event.customerId)
          .map((contact) => appreciationLetter(event, contact, business)),
      );
      await writeLetters(tx, clock, letters, callOf);
    },

    async send(messageId, { last }) {
      const message = await takeMessage(database, messageId);
      if (message === null) return;
      const { customerId, template, topic } = message;
      const call: Call = { ...systemCall(SEND_JOB), correlationId: message.correlationId };
      const end = (state: 'SENT' | 'HELD' | 'FAILED', reason: string | null) =>
        database.transaction(async (tx) => {
          const sentAt = state === 'FAILED' ? null : clock.now();
          if (!(await settleMessage(tx, messageId, { state, reason, sentAt }))) return;
          const payload = { messageId, template, topic };
          const event =
            state === 'FAILED'
              ? newEvent(messageFailed, { customerId, payload })
              : newEvent(messageSent, {
                  customerId,
                  payload: { ...payload, via: state === 'SENT' ? 'SMTP' : 'LOCAL_OUTBOX' },
                });
          await appendEvents(tx, call, clock, [event]);
        });
      if (transport === null) return end('HELD', null);
      try {
        await transport.send({
          id: messageId,
          to: message.recipient,
          subject: message.subject,
          html: message.html,
          text: message.text,
        });
      } catch (error) {
        const permanent = isPermanentRefusal(error);
        logger.warn(
          { messageId, permanent, actor: actorName(call.actor), reason: messageOf(error) },
          'a message was not sent',
        );
        if (!permanent && !last) throw error;
        return end('FAILED', messageOf(error).slice(0, 500));
      }
      return end('SENT', null);
    },

    localOutbox: (limit) => heldMessages(database, limit),
  };
}

function commonVariables(contact: ContactFacts, business: typeof BUSINESS.default): CommonVariables {
  const { companyName, productName, supportAddress } = business;
  return {
    locale: contact.locale ?? 'en',
    business: { companyName, productName, supportAddress },
    contact: { name: contact.name ?? contact.email },
  };
}

function tierUpgradeVariables(
  change: TierChanged['payload'],
  contact: ContactFacts,
  tiers: readonly TierFacts[],
  business: typeof BUSINESS.default,
): TierUpgradeVariables {
  const tierOf = (key: string) => tiers.find((tier) => tier.key === key);
  const tier = tierOf(change.to);
  const next = tier === undefined ? undefined : tiers.find((candidate) => candidate.from > tier.from);
  return {
    ...commonVariables(contact, business),
    tier: { name: tier?.name ?? change.to, benefits: tier?.benefits ?? [] },
    previousTier: { name: tierOf(change.from)?.name ?? change.from },
    points: { earned: change.earned, balance: change.balance },
    nextTier: next === undefined ? null : { name: next.name, pointsToGo: Math.max(0, next.from - change.earned) },
  };
}
