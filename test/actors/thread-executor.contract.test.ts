import { ThreadExecutor } from '../../src/actors/thread-executor.ts'
import { describeExecutor } from '../fixtures/executors/contract.ts'

describeExecutor(
  'thread executor',
  ({ min = 0, max = 2 } = {}) => new ThreadExecutor({ min, max, idleTimeoutMs: 60_000, logLevel: 'info' }),
)
