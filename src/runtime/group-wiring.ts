/** Wires child groups to the runtime: events and typed errors. */
import type { ChildGroup } from '../actors/child-group.ts'
import type { ChildNews, GroupErrors, GroupPorts } from '../actors/group-ports.ts'
import type { SupervisedChild } from '../actors/supervised-child.ts'
import type { ChildExit } from '../machines/restart.ts'
import { OptionError, SupervisionError, SupervisorStateError } from './errors.ts'
import type { Reporter } from './reporter.ts'
import type { StoppedChild } from './stop-report.ts'

export interface GroupWiring
  extends Pick<GroupPorts, 'clock' | 'timers' | 'tracer' | 'random' | 'inspected' | 'ending' | 'onError'> {
  readonly reporter: Reporter
  /** A life of a child is over: `ended` by itself or by a failure, else as it was asked to, after `ms`. */
  ended(child: SupervisedChild, step: StoppedChild['step'], ms: number): void
}

const errors: GroupErrors = {
  idTaken: (path) =>
    new OptionError(`A child "${path}" is listed already: remove it first, or choose another id.`, {
      code: 'ERR_CHILD_ID_TAKEN',
    }),
  unknown: (path) =>
    new OptionError(`Child "${path}" was removed: spawn it anew.`, { code: 'ERR_CHILD_UNKNOWN' }),
  stopped: (path, state) =>
    new SupervisorStateError(`Child "${path}" cannot be started: its group is ${state}.`, {
      code: 'ERR_SUPERVISOR_STOPPED',
    }),
  startFailed: (path, exit) =>
    new SupervisionError(`Child "${path}" could not start: ${reasonOf(exit)}`, {
      code: 'ERR_CHILD_START_FAILED',
      child: path,
      causes: exit.kind === 'failed' ? [exit.error] : [],
    }),
  spent: (path, { intensity, periodMs }, exit) =>
    new SupervisionError(
      `Child "${path}" is not started again: more than ${intensity} restarts within ${periodMs} ms, the last: ${reasonOf(exit)}`,
      { code: 'ERR_RESTART_INTENSITY', child: path, causes: exit.kind === 'failed' ? [exit.error] : [] },
    ),
  gaveUp(group, { reason, child, exit }, causes) {
    const path = (child as SupervisedChild).path
    if (reason === 'startFailed') return errors.startFailed(path, exit)
    const { intensity, periodMs } = group.policy
    return new SupervisionError(
      `${labelOf(group)} gave up: more than ${intensity} restarts within ${periodMs} ms, the last for child "${path}": ${reasonOf(exit)}`,
      { code: 'ERR_RESTART_INTENSITY', child: path, causes },
    )
  },
}

function reasonOf(exit: ChildExit): string {
  if (exit.kind === 'failed') return String(exit.error)
  return exit.kind === 'done' ? 'it ended by itself' : 'it was stopped'
}

/** The groups of the supervisor itself have no path. */
function labelOf({ path, id }: ChildGroup): string {
  return path === '' ? `The supervisor's group "${id}"` : `Group "${path}"`
}

export function groupPorts(wiring: GroupWiring): GroupPorts {
  const { clock, timers, tracer, reporter, random, inspected, ending, onError, ended } = wiring
  return {
    clock,
    timers,
    tracer,
    errors,
    random,
    inspected,
    ending,
    onError,
    announce(child, news) {
      if (news.fact === 'stopped') ended(child, news.step, news.ms)
      else if (news.fact === 'ended' || news.fact === 'failed') ended(child, 'ended', 0)
      announce(reporter, child, news)
    },
    escalated: (group, error) =>
      reporter.emit('child.escalated', {
        child: group.path === '' ? group.id : group.path,
        kind: 'group',
        error,
      }),
  }
}

function announce(reporter: Reporter, child: SupervisedChild, news: ChildNews): void {
  const name = `child.${news.fact}` as const
  if (!reporter.heard(name)) return
  const { fact: _, ...facts } = news
  reporter.emit(name, { child: child.path, kind: child.spec.kind, ...facts } as never)
}
