// Draws the actors of a supervisor that lives: whatever an inspector would see, from one example of each kind.
import { pino } from 'pino'
import { type AnyActorRef, createMachine, type InspectionEvent } from 'xstate'
import { createSupervisor, defineTask, fromTask, type Supervisor, supervisorLogic } from '../../src/index.ts'

/** What the actors are that Stateward makes, by the name of their logic. */
const KINDS: Readonly<Record<string, string>> = {
  group: 'a group',
  loop: 'a loop, which runs in its own thread',
  scheduler: "a scheduler of the user's",
  interval: 'an interval worker',
  event: 'an event worker',
  cron: 'a cron worker',
  rrule: 'a worker with a recurrence rule',
  plain: 'a plain worker',
  queue: 'a queue worker',
}

/** What the others are, by their id. */
const ROLES: Readonly<Record<string, string>> = {
  supervisor: 'the supervisor',
  tasks: 'the task pool',
  loops: 'the group of loops',
  children: "the supervisor's own group",
  importer: "a machine of the user's",
  read: 'fromTask, invoked by it',
  cache: "a machine of the user's",
  mail: 'a nested supervisor (a system of its own)',
}

/** @returns a Mermaid flowchart */
export async function drawActorTree(): Promise<string> {
  const tree = new Tree()
  const supervisor: Supervisor = createSupervisor({
    id: 'supervisor',
    logger,
    inspect: (event) => tree.see(event),
    defaults: { runId: (definition) => definition.name },
  })
  const loop = supervisor.createLoop('io')
  await supervisor.start()
  supervisor.submit(waiting('resize'))
  spawnActors(supervisor)
  addWorkers(supervisor)
  supervisor.register({ loop: untilAborted, stop() {} }, { name: 'poller' })
  // An own scheduler starts in a microtask.
  await Promise.resolve()
  const drawn = tree.draw()
  const missing = [loop.name, ...supervisor.which().map(({ path }) => path)].filter((path) => !tree.has(path))
  await supervisor.stop({ wait: false })
  if (missing.length > 0) throw new Error(`No actor was seen of ${missing.join(', ')}.`)
  return drawn
}

const logger = pino({ level: 'silent' })

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function waiting(name: string) {
  return defineTask<void, void>({ name }, (_, { signal }) => untilAborted(signal))
}

function spawnActors(supervisor: Supervisor): void {
  const importer = createMachine({
    invoke: { id: 'read', src: fromTask(supervisor, waiting('parse'), { detached: true }) },
  })
  supervisor.spawn(importer, { id: 'importer' })
  const storage = supervisor.group('storage')
  storage.spawn(createMachine({}), { id: 'cache' })
  storage.group('shards')
  const inner = supervisorLogic(() => createSupervisor({ id: 'mail', logger }))
  supervisor.spawn(inner, { id: 'mail' })
}

function addWorkers({ workers }: Supervisor): void {
  const handler = (_: unknown, { signal }: { signal: AbortSignal }): Promise<void> => untilAborted(signal)
  workers.interval({ name: 'beat', intervalMs: 60_000, task: waiting('measure') })
  workers.event({ name: 'refresh', handler })
  workers.cron({ name: 'nightly', cron: '0 3 * * *', handler })
  workers.rrule({ name: 'payday', rrule: 'FREQ=MONTHLY;BYMONTHDAY=-1', handler })
  workers.plain({ name: 'watch', handler })
  workers.queue({ name: 'outbox', handler })
}

class Tree {
  readonly #actors: AnyActorRef[] = []

  see(event: InspectionEvent): void {
    if (event.type === '@xstate.actor') this.#actors.push(event.actorRef as AnyActorRef)
  }

  has(path: string): boolean {
    const id = path.slice(path.lastIndexOf('/') + 1)
    return this.#actors.some((actor) => actor.id === id || actor.id === `loop:${id}`)
  }

  draw(): string {
    const lines = ['flowchart TD']
    for (const [index, actor] of this.#actors.entries()) {
      lines.push(`  n${index}["${actor.id}<br/><i>${roleOf(actor)}</i>"]`)
      const parent = this.#actors.indexOf(actor._parent as AnyActorRef)
      if (parent !== -1) lines.push(`  n${parent} --> n${index}`)
    }
    return lines.join('\n')
  }
}

function roleOf({ id, src }: AnyActorRef): string {
  if (src === 'task') return 'a run'
  const role = ROLES[id] ?? KINDS[String(src)]
  if (role === undefined) throw new Error(`Nobody said what the actor "${id}" (${String(src)}) is.`)
  return role
}
