/** Who predicts that customers leave. */
export interface LeavingPort {
  /** Calibrated probability to leave within the model's horizon, of those customers who have a prediction. */
  probabilities(customerIds: readonly string[]): Promise<Map<string, number>>;
}

/** Who knows whether customers are here. */
export interface PresencePort {
  /** Those of the customers who have left by then and are not back. */
  goneAt(customerIds: readonly string[], at: Date): Promise<Set<string>>;
}

export interface AllocationPorts {
  /** Null while nothing predicts. */
  readonly leaving: LeavingPort | null;
  readonly presence: PresencePort;
}
