import type { Backoff } from '../../machines/backoff.ts'

/** How long a daemon waits before it asks a store again that did not answer. */
export const STORE_BACKOFF: Backoff = { kind: 'exponential', initialMs: 50, maxMs: 5_000, jitter: 'equal' }
