/**
 * `stateward daemon check`: whether a daemon runs, as an exit code: 0 it does, 1 it does not, 2 its marks in the queue do
 * not fit the processes. Marks of dead processes are taken away, so that the next check is right.
 */
import type { Command } from 'commander'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { type DaemonMark, marksOf, removeDead } from '../daemon-marks.ts'
import type { ExitCode } from '../exit-codes.ts'

type Finding = 'running' | 'notRunning' | 'inconsistent'

const CODES: Readonly<Record<Finding, ExitCode>> = { running: 0, notRunning: 1, inconsistent: 2 }

export function daemonCheckCommand(cli: Cli): Command {
  return queueCommand('check', 'exit with 0 if a daemon runs, 1 if not, 2 if its marks are wrong')
    .option('--name <name>', 'its name', 'default')
    .action(
      onQueue<{ readonly name: string }, []>(cli, async ({ queue, options, answer }) => {
        const marks = await marksOf(queue, options.name)
        const finding = findingOf(marks)
        const repaired = await removeDead(queue, marks)
        answer({ name: options.name, finding, repaired, daemons: marks }, () => [
          `Daemon ${options.name}: ${TEXTS[finding]}`,
          ...marks.filter(({ mark }) => mark !== 'alive').map(toLine),
        ])
        return CODES[finding]
      }),
    )
}

const TEXTS: Readonly<Record<Finding, string>> = {
  running: 'runs.',
  notRunning: 'does not run.',
  inconsistent: 'its marks are wrong.',
}

function findingOf(marks: readonly DaemonMark[]): Finding {
  if (marks.length === 0) return 'notRunning'
  return marks.every(({ mark }) => mark === 'alive') ? 'running' : 'inconsistent'
}

function toLine({ id, pid, host, mark, beatAgeMs }: DaemonMark): string {
  return mark === 'dead'
    ? `The process of ${id} (pid ${pid}) is gone; its mark has been taken away.`
    : `${id} (pid ${pid} on ${host}) gave no sign of life for ${Math.round(beatAgeMs / 1_000)} s.`
}
