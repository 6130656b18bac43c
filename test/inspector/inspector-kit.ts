/** What tests of the inspector begin with: a supervisor that runs, and its inspector. */
import { onTestFinished } from 'vitest'
import {
  createSupervisor,
  defineTask,
  type Inspector,
  type InspectorOptions,
  type Supervisor,
  type SupervisorOptions,
  type TaskDefinition,
} from '../../src/index.ts'
import { deferred } from '../support/deferred.ts'
import { type LogLine, memoryLogger } from '../support/harness.ts'

export interface Inspected {
  readonly supervisor: Supervisor
  readonly inspector: Inspector
  readonly lines: LogLine[]
}

/** Both end with the test. */
export async function inspected(
  options: SupervisorOptions = {},
  given: InspectorOptions = {},
): Promise<Inspected> {
  const lines: LogLine[] = []
  const supervisor = createSupervisor({ id: 'test', logger: memoryLogger(lines), ...options })
  onTestFinished(async () => void (await supervisor.stop({ wait: false })))
  await supervisor.start()
  return { supervisor, inspector: await supervisor.serveInspector(given), lines }
}

/** A task whose runs go on until it is opened. */
export function gate(name = 'held'): { readonly task: TaskDefinition<void, string>; open(): void } {
  const opened = deferred<string>()
  return {
    task: defineTask({ name }, (): Promise<string> => opened.promise),
    open: () => opened.resolve('done'),
  }
}
