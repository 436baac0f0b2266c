export * from './events.ts';
export type { HeldMessage } from './store.ts';
