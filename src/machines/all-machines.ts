/** Every machine of this package, for tools that list, draw or export them. */
import type { AnyStateMachine } from 'xstate'
import { childMachine } from './child.ts'
import { childGroupMachine } from './child-group.ts'
import { cronWorkerMachine } from './cron-worker.ts'
import { daemonMachine } from './daemon.ts'
import { eventWorkerMachine } from './event-worker.ts'
import { intervalWorkerMachine } from './interval-worker.ts'
import { leaseKeeperMachine } from './lease-keeper.ts'
import { loopMachine } from './loop.ts'
import { outboxMachine } from './outbox.ts'
import { plainWorkerMachine } from './plain-worker.ts'
import { processSlotMachine } from './process-slot.ts'
import { queueWorkerMachine } from './queue-worker.ts'
import { rruleWorkerMachine } from './rrule-worker.ts'
import { schedulerMachine } from './scheduler.ts'
import { storedTaskMachine } from './stored-task.ts'
import { supervisorMachine } from './supervisor.ts'
import { taskMachine } from './task.ts'
import { threadSlotMachine } from './thread-slot.ts'

export const ALL_MACHINES: readonly AnyStateMachine[] = [
  taskMachine,
  supervisorMachine,
  childMachine,
  childGroupMachine,
  intervalWorkerMachine,
  cronWorkerMachine,
  rruleWorkerMachine,
  eventWorkerMachine,
  queueWorkerMachine,
  plainWorkerMachine,
  schedulerMachine,
  loopMachine,
  threadSlotMachine,
  processSlotMachine,
  storedTaskMachine,
  daemonMachine,
  leaseKeeperMachine,
  outboxMachine,
]
