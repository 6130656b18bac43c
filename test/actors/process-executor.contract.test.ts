import { ProcessExecutor } from '../../src/actors/process-executor.ts'
import { describeExecutor } from '../fixtures/executors/contract.ts'

describeExecutor(
  'process executor',
  ({ min = 0, max = 2 } = {}) => new ProcessExecutor({ min, max, idleTimeoutMs: 60_000, logLevel: 'info' }),
)
