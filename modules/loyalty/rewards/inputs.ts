import type { Call } from '../../../src/core/call.ts';
import { InvalidInput } from '../../../src/core/errors.ts';
import { hashInput } from '../../../src/core/idempotency.ts';
import { isUuid } from '../../../src/core/ids.ts';
import { BALANCE_MAX } from '../ledger/domain/ledger.ts';
import type { RedemptionStep } from './domain/redemption.ts';
import { readVoucherCode } from './domain/voucher.ts';
import { VoucherCodeMistyped } from './errors.ts';
import type { RedemptionName } from './queries.ts';
import type { RewardRow } from './queries-rewards.ts';

/** What `redeemReward` is asked. */
export interface RedeemInput {
  readonly idempotencyKey: string;
  readonly customerId: string;
  readonly rewardId: string;
  readonly quantity?: number | null | undefined;
}

/** What `fulfilRedemption` and `cancelRedemption` are asked. */
export interface CloseInput {
  readonly idempotencyKey: string;
  readonly redemptionId?: string | null | undefined;
  readonly voucherCode?: string | null | undefined;
  readonly reason?: string | null | undefined;
}

/** A redemption asked for, with who asked. */
export interface RedeemRequest {
  readonly call: Call;
  readonly key: string;
  readonly hash: Buffer;
  readonly customerId: string;
  readonly rewardId: string;
  readonly quantity: number;
}

/** A step of a redemption asked for, with who asked. */
export interface CloseRequest {
  readonly call: Call;
  /** Null for what Holdfast does by itself. */
  readonly name: { readonly key: string; readonly hash: Buffer } | null;
  readonly redemption: RedemptionName;
  readonly step: RedemptionStep;
  readonly reason: string | null;
}

/** The most of a reward that are redeemed at once. */
const QUANTITY_MAX = 100;
const REASON_MAX_LENGTH = 500;
const NAME_MAX_LENGTH = 200;
const DESCRIPTION_MAX_LENGTH = 5_000;
const COUNT_MAX = 1_000_000_000;
/** A hundred at once must stay below what an account can hold. */
const COST_MAX = Math.min(COUNT_MAX, BALANCE_MAX / QUANTITY_MAX);
/** Ten years, leap days included. */
const LIFETIME_MAX_DAYS = 3_653;
const KEY = /^[\x21-\x7e]{1,200}$/;

/** @throws InvalidInput naming the field */
export function redeemRequest(call: Call, input: RedeemInput): RedeemRequest {
  const { idempotencyKey: key, customerId, rewardId } = input;
  const quantity = input.quantity ?? 1;
  checkKey(key);
  checkId(customerId, 'customerId');
  checkId(rewardId, 'rewardId');
  checkWhole(quantity, 'quantity', 1, QUANTITY_MAX);
  return { call, key, hash: hashInput({ redeem: rewardId, customerId, quantity }), customerId, rewardId, quantity };
}

/** @throws InvalidInput naming the field, or VoucherCodeMistyped */
export function closeRequest(call: Call, kind: 'fulfil' | 'cancel', input: CloseInput): CloseRequest {
  const { idempotencyKey: key } = input;
  checkKey(key);
  const redemption = redemptionName(input.redemptionId ?? null, input.voucherCode ?? null);
  const reason = checkText(input.reason ?? '', 'reason', 0, REASON_MAX_LENGTH) || null;
  return { call, name: { key, hash: hashInput({ kind, redemption, reason }) }, redemption, step: { kind }, reason };
}

/** Reads what names a redemption. @throws InvalidInput naming the field, or VoucherCodeMistyped */
export function redemptionName(id: string | null, voucherCode: string | null): RedemptionName {
  if ((id === null) === (voucherCode === null)) {
    throw invalid(
      id === null ? 'redemptionId' : 'voucherCode',
      'Give either the id of the redemption or its voucher code: one of them, not both.',
    );
  }
  if (id !== null) {
    checkId(id, 'redemptionId');
    return { id, voucherCode: null };
  }
  const code = readVoucherCode(voucherCode ?? '');
  if (code === null) throw new VoucherCodeMistyped();
  return { id: null, voucherCode: code };
}

/** What a business says of a reward. */
export type RewardDraft = Omit<RewardRow, 'id' | 'createdAt' | 'updatedAt' | 'archivedAt'>;

/** A draft with its words trimmed. @throws InvalidInput naming the field */
export function checkedDraft(draft: RewardDraft): RewardDraft {
  checkWhole(draft.cost, 'cost', 1, COST_MAX);
  if (draft.stock !== null) checkWhole(draft.stock, 'stock', 0, COUNT_MAX);
  if (draft.lowStockAt !== null) checkWhole(draft.lowStockAt, 'lowStockAt', 0, COUNT_MAX);
  if (draft.limitPerCustomer !== null) checkWhole(draft.limitPerCustomer, 'limitPerCustomer', 1, COUNT_MAX);
  if (draft.voucherLifetimeDays !== null) {
    checkWhole(draft.voucherLifetimeDays, 'voucherLifetimeDays', 1, LIFETIME_MAX_DAYS);
  }
  if (draft.validFrom !== null && draft.validUntil !== null && draft.validFrom >= draft.validUntil) {
    throw invalid('validUntil', '"validUntil" must be later than "validFrom".');
  }
  return {
    ...draft,
    name: checkText(draft.name, 'name', 1, NAME_MAX_LENGTH),
    description: checkText(draft.description, 'description', 0, DESCRIPTION_MAX_LENGTH),
  };
}

/** @throws InvalidInput */
export function checkKey(key: string): void {
  if (!KEY.test(key)) {
    throw invalid('idempotencyKey', '"idempotencyKey" must be 1 to 200 visible ASCII characters without blanks.');
  }
}

/** @throws InvalidInput naming the field */
export function checkId(id: string, field: string): void {
  if (!isUuid(id)) throw invalid(field, `"${field}" is no id of this API.`);
}

/** @throws InvalidInput naming the field */
export function checkWhole(value: number, field: string, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw invalid(field, `"${field}" is ${value}; it must be a whole number from ${min} to ${max}.`);
}

function checkText(text: string, field: string, min: number, max: number): string {
  const trimmed = text.trim();
  if (trimmed.length >= min && trimmed.length <= max) return trimmed;
  throw invalid(field, `"${field}" has ${trimmed.length} characters; it must have ${min} to ${max}.`);
}

/** An input that breaks a rule at a field. */
export const invalid = (field: string, message: string): InvalidInput => new InvalidInput(message, { path: [field] });
