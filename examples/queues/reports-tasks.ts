import { defineTask } from '../../src/index.ts'

export const scan = defineTask(
  { name: 'scan', module: import.meta.url, execution: 'thread' },
  async (folders: string[], ctx) => {
    for (const folder of folders) await ctx.supervisor.put('index', folder)
    await ctx.supervisor.trigger('summary')
  },
)
