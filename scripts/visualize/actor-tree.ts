// Draws the actors of a supervisor that lives: whatever an inspector would see, from one example of each kind.
import { pino } from 'pino'
import { type AnyActorRef, createMachine, type InspectionEvent } from 'xstate'
import { createSupervisor, defineTask, fromTask, supervisorLogic } from '../../src/index.ts'

/** What each actor is, where its id does not say it. */
const ROLES: Readonly<Record<string, string>> = {
  supervisor: 'the supervisor',
  tasks: 'the task pool',
  'task:run-1': 'a run of a task',
  'task:run-2': 'the run of the fromTask',
  loops: 'the group of loops',
  children: "the supervisor's own group",
  importer: "a machine of the user's",
  'importer.read': 'fromTask, invoked by it',
  storage: 'a nested group',
  'storage.cache': 'another actor of the user',
  mail: 'a nested supervisor (a system of its own)',
}

/** @returns a Mermaid flowchart */
export async function drawActorTree(): Promise<string> {
  const lines = ['flowchart TD']
  const names = new Map<AnyActorRef, string>()
  const see = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.actor') return
    const actor = event.actorRef as AnyActorRef
    const parent = names.get(actor._parent as AnyActorRef)
    const name = actor.id === 'read' || actor.id === 'cache' ? `${parent}.${actor.id}` : actor.id
    names.set(actor, name)
    const node = `n${names.size}`
    lines.push(`  ${node}["${actor.id}<br/><i>${ROLES[name] ?? name}</i>"]`)
    nodes.set(actor, node)
    const above = nodes.get(actor._parent as AnyActorRef)
    if (above !== undefined) lines.push(`  ${above} --> ${node}`)
  }
  const nodes = new Map<AnyActorRef, string>()
  const logger = pino({ level: 'silent' })
  let runs = 0
  const runId = (): string => {
    runs += 1
    return `run-${runs}`
  }
  const supervisor = createSupervisor({
    id: 'supervisor',
    logger,
    inspect: see,
    daemon: true,
    defaults: { runId },
  })
  const task = defineTask<void, void>({ name: 'read' }, (_, { signal }) => {
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  })
  const importer = createMachine({
    invoke: { id: 'read', src: fromTask(supervisor, task, { detached: true }) },
  })
  await supervisor.start()
  supervisor.submit(task)
  supervisor.spawn(importer, { id: 'importer' })
  supervisor.group('storage').spawn(createMachine({}), { id: 'cache' })
  const inner = supervisorLogic(() => createSupervisor({ id: 'mail', logger, daemon: true }))
  supervisor.spawn(inner, { id: 'mail' })
  // What follows is drawn already.
  const drawn = lines.join('\n')
  await supervisor.stop({ wait: false })
  return drawn
}
