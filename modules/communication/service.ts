import { actorName, type Call, systemCall } from '../../src/core/call.ts';
import type { Tx } from '../../src/core/database/index.ts';
import { messageOf } from '../../src/core/errors.ts';
import { appendEvents, type DomainEvent, newEvent } from '../../src/core/events/index.ts';
import { newId } from '../../src/core/ids.ts';
import { enqueue } from '../../src/core/jobs.ts';
import type { Infrastructure } from '../../src/core/module.ts';
import { BUSINESS } from '../../src/core/settings/index.ts';
import type { ContactFacts, CustomerPort } from '../customers/contract.ts';
import type { LoyaltyPort, TierFacts, tierChanged } from '../loyalty/contract.ts';
import { messageFailed, messageQueued, messageSent } from './events.ts';
import {
  type HeldMessage,
  heldMessages,
  insertMessages,
  type NewMessage,
  settleMessage,
  takeMessage,
} from './store.ts';
import { loadTemplates, type TierUpgradeVariables } from './templates.ts';
import { isPermanentRefusal, type MailTransport } from './transport.ts';

export const SEND_JOB = 'communication.sendMessage';
const TOPIC = 'loyalty';
/** With graphile-worker's growing pauses: about a day of trying. */
const SEND_ATTEMPTS = 16;

type TierChanged = DomainEvent<(typeof tierChanged)['payload']['_output']>;

export interface CommunicationService {
  /** Writes one message per upgrade and contact, in the transaction of the handler that asks. */
  queueTierUpgrades(tx: Tx, events: readonly TierChanged[], callOf: (event: DomainEvent) => Call): Promise<void>;
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
      const messages = upgrades.flatMap((event) =>
        contacts
          .filter((contact) => contact.customerId === event.customerId)
          .map((contact): NewMessage => {
            const variables = tierUpgradeVariables(event.payload, contact, tiers, business);
            const refused = contact.consent[TOPIC]?.granted === false;
            return {
              id: newId(),
              uniqueKey: `tier-upgrade:${event.id}:${contact.id}`,
              customerId: contact.customerId,
              contactId: contact.id,
              topic: TOPIC,
              template: templates.tierUpgrade.name,
              templateHash: templates.tierUpgrade.hash,
              state: refused ? 'SUPPRESSED' : 'QUEUED',
              reason: refused ? 'NO_CONSENT' : null,
              recipient: contact.email,
              ...templates.tierUpgrade.render({ ...variables }),
              createdAt: clock.now(),
              causationId: event.id,
              correlationId: event.correlationId,
            };
          }),
      );
      const written = await insertMessages(tx, messages);
      const waiting = messages.filter((message) => message.state === 'QUEUED' && written.has(message.id));
      const causes = new Map(upgrades.map((event) => [event.id, event]));
      for (const message of waiting) {
        await enqueue(
          tx,
          SEND_JOB,
          { messageId: message.id },
          { key: `${SEND_JOB}:${message.id}`, maxAttempts: SEND_ATTEMPTS },
        );
      }
      const told = waiting.map((message) =>
        newEvent(messageQueued, {
          customerId: message.customerId,
          payload: { messageId: message.id, template: message.template, topic: message.topic },
          call: callOf(causes.get(message.causationId as string) as TierChanged),
        }),
      );
      await appendEvents(tx, systemCall('communication'), clock, told);
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
    locale: contact.locale ?? 'en',
    business: {
      companyName: business.companyName,
      productName: business.productName,
      supportAddress: business.supportAddress,
    },
    contact: { name: contact.name ?? contact.email },
    tier: { name: tier?.name ?? change.to, benefits: tier?.benefits ?? [] },
    previousTier: { name: tierOf(change.from)?.name ?? change.from },
    points: { earned: change.earned, balance: change.balance },
    nextTier: next === undefined ? null : { name: next.name, pointsToGo: Math.max(0, next.from - change.earned) },
  };
}
