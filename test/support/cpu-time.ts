/** What something costs, whatever else the machine is doing. */

/** CPU time of this thread in µs. */
export function cpuTime(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}
