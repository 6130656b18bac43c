import { defineTask, lastResult } from '../../src/index.ts'

export const download = defineTask({ name: 'download' }, async () => ['a.csv', 'b.csv'])

export const load = defineTask(
  // What download returned last; an empty list before it has.
  { name: 'load', parameters: { files: lastResult(download, []) } },
  async (_: undefined, ctx) => {
    console.log('loads', ctx.parameters.files)
  },
)

export const wait = defineTask({ name: 'wait' }, async (_: undefined, ctx) => {
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
})
