/**
 * `stateward/task`: what a module of task definitions needs, and nothing else.
 *
 * Threads and processes load task modules; from here they do so without the supervisor and its libraries.
 *
 * @packageDocumentation
 */
export { next } from './actors/controls.ts'
export type { AnyDefinition, TaskCall, TypedDefinition } from './actors/definition.ts'
export type { ChildRun, ControlValue, HandlerContext, SupervisorControl } from './actors/handler-context.ts'
export type { CurrentRun } from './actors/run-scope.ts'
export { type AllInput, type AllOutputs, all, type JoinOf } from './runtime/all.ts'
export { type ChainInput, chain, type LastOutput, type OutputOf } from './runtime/chain.ts'
export type { ArgumentForm, CommandEnv, CommandLine, CommandLineOptions } from './runtime/command-line.ts'
export { type CommandOptions, type CommandResult, defineCommand } from './runtime/define-command.ts'
export {
  defineTask,
  type SchemaTaskOptions,
  type TaskDefinition,
  type TaskGroup,
  type TaskOptions,
  type TaskOutput,
} from './runtime/define-task.ts'
export { type Lock, lock } from './runtime/lock.ts'
export type { LockHold, LockHolder, LockOptions, LockTimeout } from './runtime/named-lock.ts'
export { lastResult } from './runtime/parameters.ts'
export { type RunContext, runContext } from './runtime/run-context.ts'
export { runOnce } from './runtime/run-once.ts'
