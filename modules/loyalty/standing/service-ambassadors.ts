import { actorName, type Call } from '../../../src/core/call.ts';
import type { Tx } from '../../../src/core/database/index.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import { CustomerNotFound } from '../../customers/contract.ts';
import { lacksOf } from './domain/ambassadors.ts';
import { AmbassadorNotInvited, NotAnAmbassador } from './errors.ts';
import { ambassadorInvited, ambassadorThanked } from './events.ts';
import {
  type AmbassadorRow,
  type AmbassadorState,
  insertAmbassador,
  listAmbassadors,
  lockAmbassador,
  thankAmbassador,
} from './queries-ambassadors.ts';
import type { StandingPorts } from './service-facts.ts';
import { AMBASSADORS } from './settings.ts';
import { writeTouchpoints } from './store.ts';

/** An ambassador or a candidate. */
export interface AmbassadorShown extends AmbassadorRow {
  readonly state: AmbassadorState;
  /** Whether it fulfils now what is asked of an ambassador. */
  readonly eligible: boolean;
}

/** What inviting or thanking came to. */
export interface AmbassadorStep {
  readonly ambassador: AmbassadorShown;
  /** Whether it was done before: then nothing was done now. */
  readonly already: boolean;
}

export interface Ambassadors {
  ambassadors(options: {
    readonly states: readonly AmbassadorState[];
    readonly after: string | null;
    readonly limit: number;
  }): Promise<AmbassadorShown[]>;
  /** Once: who was invited stays so. @throws NotAnAmbassador, CustomerNotFound */
  inviteAmbassador(call: Call, customerId: string): Promise<AmbassadorStep>;
  /** Once. @throws AmbassadorNotInvited, CustomerNotFound */
  thankAmbassador(call: Call, customerId: string): Promise<AmbassadorStep>;
}

export function createAmbassadors(
  { database, settings, clock }: Pick<Infrastructure, 'database' | 'settings' | 'clock'>,
  { customers }: Pick<StandingPorts, 'customers'>,
): Ambassadors {
  const npsFrom = async () => (await settings.get(AMBASSADORS)).npsFrom;

  /** The customer who lives on, with its standing locked. */
  const locked = async (tx: Tx, id: string) => {
    const [known] = await customers.byIds([id], tx);
    if (known === undefined) throw new CustomerNotFound({ id }, ['customerId']);
    return lockAmbassador(tx, known.id);
  };

  return {
    async ambassadors(options) {
      const from = await npsFrom();
      return (await listAmbassadors(database, { ...options, npsFrom: from })).map((row) => shown(row, from));
    },
    async inviteAmbassador(call, id) {
      const from = await npsFrom();
      return database.transaction(async (tx) => {
        const row = await locked(tx, id);
        const { customerId, referrals, lastNps } = row;
        if (row.invitedAt !== null) return { ambassador: shown(row, from), already: true };
        const lacks = lacksOf(row, from);
        if (lacks.length > 0) throw new NotAnAmbassador(customerId, lacks);
        const at = clock.now();
        await insertAmbassador(tx, customerId, at, actorName(call.actor));
        await writeTouchpoints(tx, [{ id: newId(), customerId, at, kind: 'AMBASSADOR_INVITED', detail: {} }]);
        const payload = { score: row.score ?? 0, referrals, lastNps };
        await appendEvents(tx, call, clock, [newEvent(ambassadorInvited, { customerId, payload })]);
        return { ambassador: shown({ ...row, invitedAt: at }, from), already: false };
      });
    },
    async thankAmbassador(call, id) {
      const from = await npsFrom();
      return database.transaction(async (tx) => {
        const row = await locked(tx, id);
        const { customerId } = row;
        if (row.invitedAt === null) throw new AmbassadorNotInvited(customerId);
        if (row.thankedAt !== null) return { ambassador: shown(row, from), already: true };
        const at = clock.now();
        await thankAmbassador(tx, customerId, at, actorName(call.actor));
        await writeTouchpoints(tx, [{ id: newId(), customerId, at, kind: 'AMBASSADOR_THANKED', detail: {} }]);
        const payload = { invitedAt: row.invitedAt.toISOString(), referrals: row.referrals };
        await appendEvents(tx, call, clock, [newEvent(ambassadorThanked, { customerId, payload })]);
        return { ambassador: shown({ ...row, thankedAt: at }, from), already: false };
      });
    },
  };
}

function shown(row: AmbassadorRow, npsFrom: number): AmbassadorShown {
  const state = row.thankedAt !== null ? 'THANKED' : row.invitedAt !== null ? 'INVITED' : 'CANDIDATE';
  return { ...row, state, eligible: lacksOf(row, npsFrom).length === 0 };
}
