import type { Call } from '../../core/call.ts';
import type { Application } from '../application.ts';

/** A business to look at: its data, what is said of it, and what to ask it. */
export interface Demo {
  /** What its customers, orders and subscriptions are, in a line. */
  readonly about: string;
  /** When its clock began, as a person reads it (UTC). */
  readonly clockBegan: string;
  /** The command that starts it again. */
  readonly command: string;
  /** Ready-made queries for GraphiQL: its first tabs. */
  readonly queries: readonly { readonly title: string; readonly query: string }[];
  /** Brings its data in at the first start; later starts find them. */
  prepare(application: Application, call: Call): Promise<void>;
  /** The headline figures as the modules have them, one line each. */
  headlines(application: Application): Promise<string[]>;
}
