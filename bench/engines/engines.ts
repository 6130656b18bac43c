/** The engines by their name, each loaded by those that want it. */
import type { Engine } from './engine.ts'

export const ENGINES = {
  stateward: async (): Promise<Engine> => (await import('./stateward.ts')).stateward,
  bullmq: async (): Promise<Engine> => (await import('./bullmq.ts')).bullmq,
  'pg-boss': async (): Promise<Engine> => (await import('./pg-boss.ts')).pgBoss,
  'graphile-worker': async (): Promise<Engine> => (await import('./graphile-worker.ts')).graphileWorker,
}
export type EngineName = keyof typeof ENGINES
