/**
 * Makes the tasks of schedules when they are due. The store takes what a look has decided only from the one whose view of the
 * schedule is still true.
 */
import type { OccurOperation } from '../store/operations.ts'
import type { DaemonIdentity, DaemonPorts } from './daemon-ports.ts'
import { DueLook } from './due-look.ts'

/** @param nudge - see `DueLookOptions` */
export function scheduleLook(ports: DaemonPorts, identity: DaemonIdentity, nudge: () => void): DueLook {
  return new DueLook({
    ports,
    timer: 'schedules',
    nudge,
    async act(isStopped) {
      const { store, now, occurrences } = ports
      const due = await store.dueSchedules(now())
      if (isStopped()) return { hasChanged: false }
      const operations = due.flatMap((schedule) => occurrences(schedule, now(), identity.id))
      await Promise.all(operations.map((operation) => occur(ports, identity, operation)))
      return { hasChanged: operations.length > 0 }
    },
  })
}

async function occur(ports: DaemonPorts, identity: DaemonIdentity, operation: OccurOperation): Promise<void> {
  const { store, scheduleExhausted } = ports
  const { task, plan, name, seen } = operation
  const { kind } = await store.submit(operation)
  // While a run of it is live its end is to come: then the store has it looked at once more.
  const isOver = plan.nextAt === null && plan.owed === null && plan.lookAt === null
  const isLast = isOver && task === null && seen.runId === null
  if (isLast && kind === 'occurred') scheduleExhausted(identity, name)
}
