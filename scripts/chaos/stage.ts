/** One kind of fault after another: load, faults, what is left runs to its end, figures. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Queue } from '../../src/runtime/durable/index.ts'
import type { FaultRun } from './fault-runs.ts'
import type { Kind, Scene, Told } from './faults.ts'
import type { Fleet } from './fleet.ts'
import { judge } from './judge.ts'
import { within } from './patience.ts'
import type { Place } from './place.ts'

/** How long what is left may take in the end. */
const DRAIN_MS = 180_000
const JUDGE_MS = 180_000
const START_MS = 60_000

export interface StagePlan {
  readonly place: Place
  readonly queue: Queue
  readonly fleet: Fleet
  readonly leaseMs: number
  readonly versions: string
  /** Rejects when somebody wants the verdict now. */
  readonly interrupted: Promise<never>
}

export class Stage {
  readonly #plan: StagePlan

  constructor(plan: StagePlan) {
    this.#plan = plan
  }

  /** Never rejects. Where one hangs or fails as a whole, those after it are not asked. */
  async all(kinds: readonly Kind[]): Promise<FaultRun[]> {
    const runs: FaultRun[] = []
    for (const [index, kind] of kinds.entries()) {
      const { run, isWhole } = await this.#one(kind, index)
      runs.push(run)
      if (!isWhole) break
    }
    return runs
  }

  async end(): Promise<void> {
    const { fleet, queue, place } = this.#plan
    fleet.end()
    await queue.close()
    await place.close()
  }

  async #one(kind: Kind, index: number): Promise<{ run: FaultRun; isWhole: boolean }> {
    const { place, queue, fleet, leaseMs } = this.#plan
    const journal = join(place.folder, `journal-${index}.txt`)
    await writeFile(journal, '')
    const scene: Scene = {
      place,
      queue,
      fleet,
      leaseMs,
      journal,
      problems: [],
      gaps: [],
      say: (text) => console.log(text),
    }
    const { problems } = scene
    const attempt = async <Value>(
      ms: number,
      what: string,
      act: () => Promise<Value>,
    ): Promise<Value | undefined> => {
      try {
        return await Promise.race([within(ms, act(), what), this.#plan.interrupted])
      } catch (error) {
        problems.push(error instanceof Error ? `${what}: ${error.message}` : String(error))
        return undefined
      }
    }
    console.log(`\n${kind.name}, ${kind.rounds}`)
    const begun = performance.now()
    fleet.forget()
    let told: Told | undefined
    const started = await attempt(START_MS, 'the start', () =>
      fleet.start(kind.isLoaded ? journal : undefined),
    )
    if (started) told = await attempt(kind.boundMs, 'what was done', () => kind.act(scene))
    if (kind.isLoaded && !(await fleet.stopProducer()))
      problems.push('the producer did not end when it was told to')
    const stuck = await attempt(DRAIN_MS + START_MS, 'the rest', () => this.#drain(scene))
    const judged = await attempt(JUDGE_MS, 'the judgement', () => judge(scene, told ?? {}))
    const isWhole = told !== undefined && stuck !== undefined && judged !== undefined
    const run = { ...UNKNOWN, ...judged, stuck: stuck ?? Number.NaN, backMs: told?.backMs, problems }
    console.log(
      `${Math.round((performance.now() - begun) / 1_000)} s; ${run.promised} tasks promised, ${run.attempts} attempts`,
    )
    for (const problem of problems) console.log(`! ${problem}`)
    return {
      run: {
        ...run,
        store: place.store,
        faults: kind.name,
        rounds: kind.rounds,
        versions: this.#plan.versions,
      },
      isWhole,
    }
  }

  /** @returns how many have not ended */
  async #drain({ queue, fleet, problems }: Scene): Promise<number> {
    const left = async (): Promise<number> => {
      const { finished, failed, cancelled, terminated, ...live } = await queue.counts()
      return Object.values(live).reduce((sum, count) => sum + count, 0)
    }
    let stuck = Number.NaN
    for (const end = performance.now() + DRAIN_MS; performance.now() < end; await setTimeout(100)) {
      // Its connections may be the old ones.
      stuck = await left().catch(() => Number.NaN)
      if (stuck === 0) break
    }
    if (stuck !== 0) {
      const { tasks } = await queue.list({
        order: 'oldest',
        state: ['queued', 'running', 'retrying', 'scheduled', 'snoozed'],
        limit: 5,
      })
      problems.push(`${stuck} tasks are stuck, as these: ${JSON.stringify(tasks)}`)
    }
    problems.push(...fleet.ended())
    return stuck
  }
}

const UNKNOWN = {
  promised: 0,
  attempts: 0,
  takenBack: 0,
  latestMs: 0,
  latestChanceMs: 0,
  inGaps: 0,
  lost: Number.NaN,
  twice: Number.NaN,
}
