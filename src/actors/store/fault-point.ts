/** Where a test may throw or end the process, between any two statements of a commit. */
export type FaultPoint = 'begun' | 'operation' | 'committing' | 'committed'

/** Called at each point, if there is one. */
export type OnFault = (point: FaultPoint) => unknown
