import { defineTask } from '../../src/index.ts'

export const report = defineTask(
  { name: 'report', module: import.meta.url },
  (day: string) => `report of ${day}`,
)
