/** Options with which `daemon start` and `daemon restart` start one. */
import { isIPv6 } from 'node:net'
import { type Command, Option } from 'commander'
import type { DaemonOptions } from '../durable/daemon-options.ts'
import { OptionError } from '../errors.ts'
import { checkReach, SERVER_CHECKS } from '../http/server-options.ts'
import type { SupervisorOptions } from '../supervisor-options.ts'
import { toDaemonName, toDurationMs, toLeaseMs, toPort, toWholeNumber } from './cli-values.ts'

export interface DaemonStartOptions {
  readonly name: string
  readonly tasks: readonly string[]
  readonly foreground?: boolean
  readonly force?: boolean
  readonly log?: string
  readonly lease?: number
  readonly unknownTasks?: 'fail' | 'leave'
  readonly poolSize?: number
  readonly reserveNormal?: number
  readonly reserveHigh?: number
  readonly processes?: number
  readonly httpPort?: number
  readonly httpHost?: string
  readonly httpToken?: string
  /** Port of its inspector; `true`: any that is free. */
  readonly inspect?: number | true
  /** For it to be up, or to be gone. */
  readonly timeout: number
}

/** Longer than a stop takes by its default bound. */
export function timeoutOption(): Option {
  return new Option('--timeout <duration>', 'how long it may take')
    .argParser(toDurationMs)
    .default(40_000, '40s')
}

export function addStartOptions(command: Command): Command {
  return command
    .requiredOption('-t, --tasks <file...>', 'modules with the definitions that it runs')
    .option('--name <name>', 'its name, one at a time', toDaemonName, 'default')
    .option('-f, --foreground', 'stay in this process, until Ctrl-C')
    .option('--force', 'also when one with this name runs')
    .option(
      '--log <file>',
      'where it writes; beside the database file, or in the current folder, if not given',
    )
    .option('--lease <duration>', 'how long a task is its own without a word of it', toLeaseMs)
    .addOption(
      new Option('--unknown-tasks <how>', 'stored tasks that it does not know').choices(['fail', 'leave']),
    )
    .option('--pool-size <n>', 'tasks at a time, 0 for no bound', toWholeNumber)
    .option('--reserve-normal <n>', 'more of them for priorities from normal on', toWholeNumber)
    .option('--reserve-high <n>', 'more of them for priorities from high on', toWholeNumber)
    .option('--processes <n>', 'tasks in child processes at a time, 0 for no bound', toWholeNumber)
    .option('--http-port <n>', 'serve the queue over HTTP on this port, on this machine only', toPort)
    .option('--http-host <address>', 'listen on another address; needs a token')
    .addOption(
      new Option('--http-token <token>', 'what whoever asks over HTTP has to know').env(
        'STATEWARD_HTTP_TOKEN',
      ),
    )
    .option('--inspect [port]', 'show it in a browser, at a free port if none is given', toPort)
    .addOption(timeoutOption())
}

/** What a daemon in a process of its own is started with. */
export function toStartArguments(options: DaemonStartOptions): string[] {
  const { name, tasks, force = false, lease, unknownTasks } = options
  const { poolSize, reserveNormal, reserveHigh, processes, httpPort, httpHost, inspect } = options
  const args = ['daemon', 'start', '--foreground', '--name', name]
  if (force) args.push('--force')
  if (lease !== undefined) args.push('--lease', String(lease))
  if (unknownTasks !== undefined) args.push('--unknown-tasks', unknownTasks)
  if (poolSize !== undefined) args.push('--pool-size', String(poolSize))
  if (reserveNormal !== undefined) args.push('--reserve-normal', String(reserveNormal))
  if (reserveHigh !== undefined) args.push('--reserve-high', String(reserveHigh))
  if (processes !== undefined) args.push('--processes', String(processes))
  if (httpPort !== undefined) args.push('--http-port', String(httpPort))
  if (httpHost !== undefined) args.push('--http-host', httpHost)
  if (inspect !== undefined) args.push('--inspect', inspect === true ? '0' : String(inspect))
  return [...args, '--tasks', ...tasks]
}

/** What goes by its environment, where `ps` does not show it. */
export function toStartEnvironment(url: string, { httpToken }: DaemonStartOptions): NodeJS.ProcessEnv {
  return {
    STATEWARD_QUEUE: url,
    ...(httpToken === undefined ? {} : { STATEWARD_HTTP_TOKEN: httpToken }),
  }
}

/** The HTTP API that it is to have, if any. */
export function toHttp({ httpPort, httpHost, httpToken }: DaemonStartOptions): DaemonOptions['http'] {
  if (httpPort === undefined) return undefined
  return {
    port: httpPort,
    ...(httpHost === undefined ? {} : { host: httpHost }),
    ...(httpToken === undefined || httpToken === '' ? {} : { token: httpToken }),
  }
}

/** Where a daemon in another process is served; a port that it chooses itself stands in its log. */
export function servedAt({ httpPort, httpHost = '127.0.0.1' }: DaemonStartOptions): string | undefined {
  if (httpPort === undefined || httpPort === 0) return undefined
  return `http://${isIPv6(httpHost) ? `[${httpHost}]` : httpHost}:${httpPort}`
}

export function servedLines(url: string | undefined): readonly string[] {
  return url === undefined ? [] : [`Its tasks are served on ${url}`]
}

/** A size that is given is what it says: places beside it are only those that are asked for. Without one, see the supervisor's. */
export function toSizes({
  poolSize,
  reserveNormal,
  reserveHigh,
  processes,
}: DaemonStartOptions): Pick<SupervisorOptions, 'pool' | 'processes'> {
  const none = { reserveNormal: 0, reserveHigh: 0 }
  return {
    pool: {
      ...(poolSize === undefined ? {} : { size: poolSize, ...none }),
      ...(reserveNormal === undefined ? {} : { reserveNormal }),
      ...(reserveHigh === undefined ? {} : { reserveHigh }),
    },
    ...(processes === undefined ? {} : { processes: { size: processes, ...none } }),
  }
}

/** @throws OptionError before anything is loaded or started */
export function checkStartOptions(options: DaemonStartOptions): void {
  const { foreground = false, log, httpPort, httpHost } = options
  if (httpPort === undefined && httpHost !== undefined)
    throw new OptionError('Expected --http-host with --http-port: without a port nothing is served.', {
      code: 'ERR_OPTION_INVALID',
    })
  if (foreground && log !== undefined) {
    throw new OptionError(
      'Expected --log or --foreground, not both: a daemon in the foreground writes to its stderr.',
      {
        code: 'ERR_OPTION_INVALID',
      },
    )
  }
  const http = toHttp(options)
  if (http === undefined) return
  for (const [name, value] of Object.entries(http)) SERVER_CHECKS[name]?.(`--http-${name}`, value)
  checkReach('`stateward daemon start`', http)
}
