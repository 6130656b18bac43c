/** Reads what a page says. Nothing of it is trusted: it may come from anywhere. */
import { type Check, type Checks, check, checkOptions } from '../check.ts'
import { OptionError } from '../errors.ts'
import type { PageMessage } from './messages.ts'

const idCheck = check.count(0)
const texts: Check = (where, value) => {
  if (!Array.isArray(value) || value.length > MOST)
    throw new OptionError(`Expected ${where} to be a short array.`, CODE)
  for (const item of value) check.text(where, item)
}
const source = check.oneOf('supervisor', 'queue')

/** Of ids, states and windows in one message. */
const MOST = 1_000
const CODE = { code: 'ERR_OPTION_INVALID' }

const windowChecks: Checks = { offset: check.count(0), limit: check.count(0) }

const CHECKS: Readonly<Record<PageMessage['type'], Checks>> = {
  login: { id: idCheck, token: check.text },
  watch: {
    expanded: (where, value) => {
      if (typeof value !== 'object' || value === null)
        throw new OptionError(`Expected ${where} to be an object.`, CODE)
      const windows = Object.entries(value)
      if (windows.length > MOST)
        throw new OptionError(`Expected ${where} to have at most ${MOST} members.`, CODE)
      for (const [id, window] of windows) checkOptions(`${where}[${id.slice(0, 60)}]`, window, windowChecks)
    },
    filter: check.options({ text: anyText, states: texts }),
    ids: texts,
    events: check.either("'all', 'none' or ids", check.oneOf('all', 'none'), texts),
  },
  ask: {
    id: idCheck,
    ask: check.oneOf('tasks', 'task', 'schedules', 'workers'),
    of: source,
    states: texts,
    text: anyText,
    limit: check.number(1, 500),
    after: check.text,
    task: check.text,
    within: check.text,
    values: check.boolean,
  },
  act: {
    id: idCheck,
    act: check.oneOf('cancel', 'retry', 'trigger', 'pause', 'resume', 'hold', 'release'),
    of: source,
    task: check.text,
    worker: check.text,
    within: check.text,
    reason: anyText,
  },
}

const NEEDED: Readonly<Record<PageMessage['type'], readonly string[]>> = {
  login: ['id', 'token'],
  watch: ['expanded'],
  ask: ['id', 'ask'],
  act: ['id', 'act'],
}

/** What these are about. */
const ABOUT: Readonly<Record<string, readonly string[]>> = {
  tasks: ['of'],
  task: ['task', 'of'],
  cancel: ['task', 'of'],
  retry: ['task', 'of'],
  trigger: ['worker'],
  pause: ['worker'],
  resume: ['worker'],
}

/** @returns the message, or what is wrong with it in a few words */
export function readMessage(text: string): { readonly message: PageMessage } | { readonly problem: string } {
  try {
    const message = JSON.parse(text) as Record<string, unknown> | null
    const type = message?.type as PageMessage['type']
    if (!Object.hasOwn(CHECKS, type)) return { problem: 'unknown type of message' }
    checkOptions(type, message, { ...CHECKS[type], type: check.text })
    const about = ABOUT[String(message?.ask ?? message?.act)] ?? []
    for (const member of [...NEEDED[type], ...about])
      if (message?.[member] === undefined) return { problem: `${type} without ${member}` }
    return { message: message as unknown as PageMessage }
  } catch (error) {
    return { problem: error instanceof OptionError ? short(error.message) : 'no JSON' }
  }
}

/** The reason of a close frame is one: 123 bytes at most. */
function short(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 120)
}

function anyText(where: string, value: unknown): void {
  if (typeof value !== 'string') throw new OptionError(`Expected ${where} to be a string.`, CODE)
}
