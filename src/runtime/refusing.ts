/**
 * In which states a supervisor refuses what is given to it. One that has `failed` does, like one that has `stopped`: what
 * it accepted would wait for a start that nobody has announced.
 */

/** Nothing is accepted from outside. */
export const REFUSES_OTHERS: readonly string[] = ['draining', 'stopping', 'stopped', 'failed']

/** Nothing is accepted from what belongs to it (runs, workers, children) either. */
export const REFUSES_OWN: readonly string[] = ['stopping', 'stopped', 'failed']
