export { type AgeCounts, kaplanMeier, type Survival } from './kaplan-meier.ts';
