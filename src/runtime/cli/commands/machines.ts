/** `stateward machines`: the statecharts of this package, as code for Stately's editor or as JSON. */
import { Command } from 'commander'
import type { AnyStateMachine } from 'xstate'
import { ALL_MACHINES } from '../../../machines/all-machines.ts'
import { machineJson } from '../../../machines/machine-json.ts'
import { didYouMean } from '../../check.ts'
import { OptionError } from '../../errors.ts'
import type { Cli } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { toTable } from '../text-table.ts'

export function machinesCommand(cli: Cli): Command {
  return new Command('machines')
    .description('show the statecharts: their names, or one as code that createMachine takes')
    .argument('[name]', 'name of a machine')
    .option('--json', 'answer in JSON')
    .action((name: string | undefined, { json = false }: { json?: boolean }) => {
      cli.io.stdout.write(`${name === undefined ? listed(json) : shown(find(name), json)}\n`)
      cli.exitCode = EXIT.ok
    })
}

function listed(json: boolean): string {
  if (json) return JSON.stringify(ALL_MACHINES.map(machineJson))
  const rows = ALL_MACHINES.map(({ id, root }) => [id, Object.keys(root.states).join(' ')])
  return toTable(['MACHINE', 'STATES'], rows).join('\n')
}

function shown(machine: AnyStateMachine, json: boolean): string {
  const chart = machineJson(machine)
  if (json) return JSON.stringify(chart)
  return [
    "import { createMachine } from 'xstate'",
    '',
    `export const ${machine.id}Machine = createMachine(${JSON.stringify(chart, undefined, 2)})`,
  ].join('\n')
}

/** @throws OptionError */
function find(name: string): AnyStateMachine {
  const machine = ALL_MACHINES.find(({ id }) => id === name)
  if (machine !== undefined) return machine
  const names = ALL_MACHINES.map(({ id }) => id)
  const hint = didYouMean(name, names) || `Known are ${names.join(', ')}.`
  throw new OptionError(`There is no machine "${name}". ${hint}`, { code: 'ERR_OPTION_INVALID' })
}
