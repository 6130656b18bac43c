/** @returns the reason of a signal, or of an exit, where a lease has ended: as of a termination that says so */
export function leaseOverError(): Error {
  const text = 'The lease of the task is over: somebody else may run it by now.'
  return Object.assign(new Error(text), { code: 'ERR_TASK_TERMINATED', reason: 'awol' })
}
