/**
 * One round of SIGSTOP: a daemon is stopped for longer than its lease, while it runs tasks of all kinds. Its child processes
 * and commands have to be gone before another daemon begins their tasks, and what it says after SIGCONT must change nothing.
 */
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Queue } from '../../src/runtime/durable/index.ts'
import {
  type JournalSpan,
  journal,
  journalDeaf,
  journalProcess,
  napCommand,
  readJournal,
  readPids,
} from '../../test/fixtures/durable/journal.ts'
import { isAlive } from '../../test/support/processes.ts'
import { until } from '../../test/support/until.ts'
import type { Scene } from './faults.ts'

const PATIENCE_MS = 60_000
/** So long after the other attempt has begun it is still looked whether a process ends. */
const DEATH_MS = 5_000
let serial = 0

interface Sent {
  readonly id: string
  /** Whether it runs in a process of its own. */
  readonly isChild: boolean
  /** Its processes so far. */
  pids(): number[]
  /** Whether its first attempt has come to its end by itself: its process may live on then, without a job. */
  hasEnded(): boolean
}

export interface PauseRound {
  /** How many tasks the stopped daemon had, and how many of them ran in processes. */
  readonly held: number
  readonly children: number
  /** All tasks of the round that ran in processes. */
  readonly childIds: readonly string[]
  /** How often a daemon was stopped in the middle of a commit first, and continued. */
  readonly inCommits: number
}

export async function pauseRound(scene: Scene): Promise<PauseRound> {
  const { queue, fleet, place, leaseMs, problems } = scene
  const sent = await send(queue, { folder: place.folder, file: scene.journal, ms: leaseMs * 2 })
  for (const { id } of sent) fleet.promised.add(id)
  await until(() => sent.every(({ pids }) => pids().length === 1), PATIENCE_MS)
  const victim = (await queue.get(sent[0]?.id ?? ''))?.holder ?? ''
  let goOn = fleet.pause(victim)
  let inCommits = 0
  // Whoever is stopped there keeps a file from all others: no daemon can do anything about that.
  for (; await place.isKept(); inCommits += 1) {
    goOn()
    await setTimeout(10)
    goOn = fleet.pause(victim)
  }
  // What it holds now: while it is stopped it can tell the store nothing.
  const records = await Promise.all(sent.map(({ id }) => queue.get(id)))
  const held = sent.filter(
    (_, index) => records[index]?.holder === victim && records[index]?.state === 'running',
  )
  const isAgain = (): boolean => held.every(({ pids }) => pids().length === 2)
  const wasTaken = await until(isAgain, PATIENCE_MS).then(
    () => true,
    () => false,
  )
  if (!wasTaken) problems.push(`what a stopped daemon held had not begun again after ${PATIENCE_MS} ms`)
  const againAt = performance.now()
  for (const { id, isChild, pids, hasEnded } of held) {
    const [first = 0] = pids()
    // What had ended just before the stop runs again, since nobody could be told of it.
    if (!isChild || hasEnded() || !isAlive(first)) continue
    const { name } = (await queue.get(id)) ?? {}
    // A kill takes a moment; a process that nobody has killed lives on.
    const lived = await until(() => !isAlive(first), DEATH_MS).then(
      () => `lived for ${Math.round(performance.now() - againAt)} ms`,
      () => 'lived on',
    )
    problems.push(`process ${first} of task ${id} (${name}) ${lived} when another daemon had begun it again`)
  }
  goOn()
  for (const { id, pids } of sent) {
    const expected = held.some((one) => one.id === id) ? 2 : 1
    await queue.wait(id, { timeoutMs: PATIENCE_MS }).catch(() => {})
    const { state, attempt, holder } = (await queue.get(id)) ?? {}
    if (state !== 'finished' || attempt !== expected || pids().length !== expected)
      problems.push(
        `task ${id} is ${state} in attempt ${attempt} by ${holder} after ${pids().length} starts, expected ${expected}`,
      )
  }
  return {
    held: held.length,
    children: held.filter(({ isChild }) => isChild).length,
    childIds: sent.flatMap(({ id, isChild }) => (isChild ? [id] : [])),
    inCommits,
  }
}

async function send(
  queue: Queue,
  { folder, file, ms }: { readonly folder: string; readonly file: string; readonly ms: number },
): Promise<Sent[]> {
  const spansOf = (id: string): JournalSpan[] => readJournal(file).filter((span) => span.id === id)
  const calls = [journalProcess, journalDeaf, journal, journalProcess, journalDeaf, journal]
  const inJournal = calls.map(async (task): Promise<Sent> => {
    const { id } = await queue.enqueue(task, { file, ms })
    return {
      id,
      isChild: task !== journal,
      pids: () => spansOf(id).map(({ pid }) => pid),
      hasEnded: () => spansOf(id)[0]?.hasEnded === true,
    }
  })
  const commands = [1, 2].map(async (): Promise<Sent> => {
    serial += 1
    const own = join(folder, `nap-${serial}`)
    const { id } = await queue.enqueue(napCommand, { file: own, ms })
    return { id, isChild: true, pids: () => pidsIn(own), hasEnded: () => false }
  })
  return Promise.all([...inJournal, ...commands])
}

function pidsIn(file: string): number[] {
  try {
    return readPids(file)
  } catch {
    return []
  }
}
