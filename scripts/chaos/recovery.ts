/**
 * How late the tasks of dead daemons were taken back. Only a daemon that is there can do that: the time in which one is counts
 * from the end of the lease, or from its own start, if that came later.
 */
import type { Life } from './fleet.ts'

export interface Taken {
  /** Whose task it was. */
  readonly holder: string
  /** Epoch ms. */
  readonly at: number
}

export interface Recovery {
  /** From the end of its holder, ms. */
  readonly fromDeathMs: number
  /** From when the lease was over and a daemon was there to see it, ms. */
  readonly fromChanceMs: number
}

/**
 * @param slackMs - what a daemon may take: a life that was shorter than that was no chance
 * @returns `undefined` if the holder had not ended, or lives again
 */
export function recoveryOf(
  { holder, at }: Taken,
  lives: readonly Life[],
  { leaseMs, slackMs }: { readonly leaseMs: number; readonly slackMs: number },
): Recovery | undefined {
  // A daemon that was stopped by the operating system has several lives: in the last one it lost it, or before that.
  const death = lives.findLast((life) => holder.startsWith(life.holder) && life.from <= at)?.to
  if (death === undefined || death > at) return undefined
  const overAt = death + leaseMs
  let chanceAt = at
  for (const { from, to } of lives) {
    const since = Math.max(from, overAt)
    if (since + slackMs <= to) chanceAt = Math.min(chanceAt, since)
  }
  return { fromDeathMs: at - death, fromChanceMs: at - chanceAt }
}
