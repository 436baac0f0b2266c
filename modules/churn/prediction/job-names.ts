/** One training that was asked for. */
export const TRAIN_JOB = 'churn.train';
/** Asks for a training every night. */
export const NIGHTLY_JOB = 'churn.trainNightly';
/** Predictions of everybody. */
export const SCORE_JOB = 'churn.score';
/** Trainings and predictions wait for one another here: two at once would only take each other's processors. */
export const PREDICTION_QUEUE = 'churn.prediction';
