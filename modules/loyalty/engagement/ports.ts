import type { Call } from '../../../src/core/call.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Database, Tx } from '../../../src/core/database/index.ts';
import type { DomainError } from '../../../src/core/errors.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { Settings } from '../../../src/core/settings/index.ts';
import type { CustomerPort } from '../../customers/contract.ts';
import type { LedgerRequest, Posted } from '../ledger/commands.ts';

/** What engagement stands on. */
export interface EngagementPorts {
  readonly database: Database;
  readonly settings: Settings;
  /** The business's. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly customers: Pick<
    CustomerPort,
    'byIds' | 'survivors' | 'contactsOf' | 'orders' | 'activity' | 'recordedEvents' | 'tellStream'
  >;
  /** The ledger's: one answer per request. */
  post(tx: Tx, requests: readonly LedgerRequest[]): Promise<(Posted | DomainError)[]>;
  /** Opens accounts for customers who have none, where the business enrols everybody. @returns who is a member then */
  join(tx: Tx, call: Call, customerIds: readonly string[]): Promise<ReadonlySet<string>>;
}
