import { defineTask } from '../../src/task.ts'

interface Range {
  from: string
  days: number
}

/** The first version had a text for its input. What was stored then is brought up to date when it runs. */
export const report = defineTask(
  {
    name: 'report',
    version: 2,
    upgrade: (input: unknown, fromVersion: number): Range => {
      if (fromVersion === 1) return { from: String(input), days: 1 }
      throw new Error(`No report of version ${fromVersion} is known`)
    },
    percent: ({ days }) => (days > 30 ? 10 : 0), // where it stands when it begins
    retry: { attempts: 2 },
  },
  async ({ from, days }: Range, ctx) => {
    if (days > 365) throw new RangeError('more than a year')
    ctx.progress(50, 'half of it')
    return `${days} days from ${from}`
  },
)
