/** Ends tasks that wait for longer than they may, whatever this daemon may claim. Which they are, the store knows. */
import type { DaemonIdentity, DaemonPorts } from './daemon-ports.ts'
import { DueLook } from './due-look.ts'

const BATCH = 500

/** @param nudge - see `DueLookOptions` */
export function overdueLook(ports: DaemonPorts, identity: DaemonIdentity, nudge: () => void): DueLook {
  return new DueLook({
    ports,
    timer: 'overdue',
    nudge,
    async act() {
      const { store, now, overdue } = ports
      const { tasks, nextAt } = await store.submit({
        type: 'overdue',
        at: now(),
        by: identity.id,
        limit: BATCH,
      })
      for (const task of tasks) overdue(identity, task)
      // When nothing could be ended, somebody else has what is overdue locked.
      return { hasChanged: tasks.length > 0, nextAt }
    },
  })
}
